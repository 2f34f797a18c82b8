import { type Choice, type Column, measureChoice } from './column';
import type { Dual } from './dual';

/**
 * Turns the relaxed codes that `relax` left in `dual` into a feasible choice: rows in order of regret (what leaving the
 * relaxed code costs at least) take their relaxed code where it still fits, else the best subset of the bits left.
 * That includes the bitwise AND of tied codes, which always fits.
 */
export function repair(column: Column, dual: Dual, choice: Choice): void {
  const { planes, bits, values } = column.limits;
  const { penalty } = dual;
  const order = regretOrder(column, dual);
  const room = new Int32Array(2 * planes);
  for (let at = 0; at < room.length; at++) room[at] = bits[at % planes];
  let places = values;
  for (const row of order) {
    const side = column.sides > 1 && row >= column.starts[1] ? 1 : 0;
    let open = 0;
    for (let plane = 0; plane < planes; plane++) if (room[side * planes + plane] > 0) open |= 1 << plane;
    let code = dual.codes[row];
    if (places <= 0) code = 0;
    else if (code & ~open) code = bestSubset(column, row, open, penalty, side * 128);
    choice.codes[row] = code;
    if (code === 0) continue;
    places--;
    for (let plane = 0; plane < planes; plane++) room[side * planes + plane] -= (code >> plane) & 1;
  }
  measureChoice(column, choice);
}

/** The cheapest code, penalty included, made of open bits. */
function bestSubset(column: Column, row: number, open: number, penalty: Float64Array, base: number): number {
  const size = column.magnitude[row];
  const weight = column.curvature[row];
  let best = Infinity;
  let bestCode = 0;
  for (let code = open; ; code = (code - 1) & open) {
    const error = size - code;
    const cost = weight * error * error + penalty[base + code];
    if (cost < best) {
      best = cost;
      bestCode = code;
    }
    if (code === 0) return bestCode;
  }
}

/** Rows by how much dearer their second best code is, dearest first. */
function regretOrder(column: Column, dual: Dual): Int32Array {
  const { magnitude, curvature, limits } = column;
  const { penalty, codes, costs } = dual;
  const regret = new Float64Array(column.rows);
  for (let side = 0; side < column.sides; side++) {
    const base = side * 128;
    for (let row = column.starts[side]; row < column.starts[side + 1]; row++) {
      const size = magnitude[row];
      const weight = curvature[row];
      const best = codes[row];
      let second = Infinity;
      // Outward from the magnitude, until distance alone costs more.
      const middle = Math.min(limits.maxMagnitude, Math.floor(size));
      for (let code = middle; code >= 0; code--) {
        const error = size - code;
        const distance = weight * error * error;
        if (distance >= second) break;
        if (code !== best) second = Math.min(second, distance + penalty[base + code]);
      }
      for (let code = middle + 1; code <= limits.maxMagnitude; code++) {
        const error = size - code;
        const distance = weight * error * error;
        if (distance >= second) break;
        if (code !== best) second = Math.min(second, distance + penalty[base + code]);
      }
      regret[row] = second - costs[row];
    }
  }
  return Int32Array.from({ length: column.rows }, (_, row) => row).sort((a, b) => regret[b] - regret[a]);
}
