import { type Choice, type Column, measureChoice, rowCost } from './column';

/** Rows by what rounding them (and not zeroing them) saves, largest first. */
function rowsByBenefit(column: Column): { order: Int32Array; rounded: Uint8Array; side: Uint8Array } {
  const { rows, starts } = column;
  const full = column.limits.maxMagnitude << 8;
  const order = Int32Array.from({ length: rows }, (_, row) => row);
  const rounded = new Uint8Array(rows);
  const side = new Uint8Array(rows);
  const benefit = new Float64Array(rows);
  for (let row = 0; row < rows; row++) {
    side[row] = column.sides > 1 && row >= starts[1] ? 1 : 0;
    rounded[row] = column.nearest[full + column.twice[row]];
    benefit[row] = rowCost(column, row, 0) - rowCost(column, row, rounded[row]);
  }
  order.sort((a, b) => benefit[b] - benefit[a]);
  return { order, rounded, side };
}

/** Truncation: keeps the rows that matter most, rounded, as many a polarity as every plane allows; the rest is zero. */
export function truncate(column: Column, choice: Choice): void {
  const { bits, values } = column.limits;
  const { order, rounded, side } = rowsByBenefit(column);
  const room = Math.min(...bits);
  const kept = [0, 0];
  let nonzeros = 0;
  for (const row of order) {
    const keep = kept[side[row]] < room && nonzeros < values;
    choice.codes[row] = keep ? rounded[row] : 0;
    if (!keep) continue;
    kept[side[row]]++;
    nonzeros++;
  }
  measureChoice(column, choice);
}
