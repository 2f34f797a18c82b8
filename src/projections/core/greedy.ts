import type { Choice } from './choice';
import type { Column } from './column';
import type { Int, Real } from './portable';
import type { RowOrder } from './row-order';

/**
 * MSB-first greedy: from the top plane down, the rows that rounding would give this bit compete for its ones by how
 * much error the bit takes away. With a value limit, rows still zero also compete for the places left.
 */
export function greedy(column: Column, choice: Choice, order: RowOrder): void {
  const codes = choice.codes;
  const rows = column.rows;
  for (let row: Int = 0; row < rows; row++) codes[row] = 0;
  let nonzeros: Int = 0;
  for (let plane = column.planes - 1; plane >= 0; plane--) {
    const bit: Int = 1 << plane;
    const step = bit as Real;
    let count: Int = 0;
    for (let row: Int = 0; row < rows; row++) {
      const rest = column.magnitude[row] - (codes[row] as Real);
      if (rest < step - 0.5) continue;
      order.keys[row] = column.curvature[row] * step * (2 * rest - step);
      order.rows[count++] = row;
    }
    order.sort(count);
    let room = column.bits[plane];
    let otherRoom = room;
    for (let at: Int = 0; at < count; at++) {
      const row = order.rows[at];
      const other = column.sideOf(row) > 0;
      if ((other ? otherRoom : room) === 0 || (codes[row] === 0 && nonzeros >= column.values)) continue;
      if (codes[row] === 0) nonzeros++;
      codes[row] = codes[row] | bit;
      if (other) otherRoom--;
      else room--;
    }
  }
  choice.measure(column);
}
