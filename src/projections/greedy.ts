import { type Choice, type Column, measureChoice } from './column';

/**
 * MSB-first greedy: from the top plane down, the rows that rounding would give this bit compete for its ones by how
 * much error the bit takes away. With a value limit, rows still zero also compete for the places left.
 */
export function greedy(column: Column, choice: Choice): void {
  const { planes, bits, values } = column.limits;
  const { rows, starts, magnitude, curvature } = column;
  const { codes } = choice;
  const wanting = new Int32Array(rows);
  const benefit = new Float64Array(rows);
  codes.fill(0, 0, rows);
  let nonzeros = 0;
  for (let plane = planes - 1; plane >= 0; plane--) {
    const bit = 1 << plane;
    let count = 0;
    for (let row = 0; row < rows; row++) {
      const rest = magnitude[row] - codes[row];
      if (rest < bit - 0.5) continue;
      benefit[row] = curvature[row] * bit * (2 * rest - bit);
      wanting[count++] = row;
    }
    const queue = wanting.subarray(0, count).sort((a, b) => benefit[b] - benefit[a]);
    const room = [bits[plane], bits[plane]];
    for (const row of queue) {
      const side = column.sides > 1 && row >= starts[1] ? 1 : 0;
      if (room[side] === 0 || (codes[row] === 0 && nonzeros >= values)) continue;
      if (codes[row] === 0) nonzeros++;
      codes[row] |= bit;
      room[side]--;
    }
  }
  measureChoice(column, choice);
}
