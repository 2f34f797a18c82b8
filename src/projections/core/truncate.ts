import type { Choice } from './choice';
import type { Column } from './column';
import type { Int } from './portable';
import type { RowOrder } from './row-order';

/** Truncation: keeps the rows that matter most, rounded, as many a polarity as every plane allows; the rest is zero. */
export function truncate(column: Column, choice: Choice, order: RowOrder): void {
  const codes = choice.codes;
  const rows = column.rows;
  for (let row: Int = 0; row < rows; row++) {
    codes[row] = column.nearestCode(row, column.maxMagnitude);
    order.rows[row] = row;
    order.keys[row] = column.rowCost(row, 0) - column.rowCost(row, codes[row]);
  }
  order.sort(rows);
  let room = column.bits[0];
  for (let plane: Int = 1; plane < column.planes; plane++)
    if (column.bits[plane] < room) room = column.bits[plane];
  let otherRoom = room;
  let places = column.values;
  for (let at: Int = 0; at < rows; at++) {
    const row = order.rows[at];
    const other = column.sideOf(row) > 0;
    if ((other ? otherRoom : room) <= 0 || places <= 0) {
      codes[row] = 0;
      continue;
    }
    if (other) otherRoom--;
    else room--;
    places--;
  }
  choice.measure(column);
}
