import type { Choice } from './choice';
import type { Column } from './column';
import type { Dual } from './dual';
import { type Int, type Ints, lowestBit, type Real } from './portable';
import type { RowOrder } from './row-order';

/**
 * Turns the relaxed codes that `settle` left in `dual` into a feasible choice: rows in order of regret (what leaving the
 * relaxed code costs at least) take their relaxed code where it still fits, else the best subset of the bits left.
 * That includes the bitwise AND of tied codes, which always fits. `room`: scratch, 16 numbers.
 */
export function repair(column: Column, dual: Dual, choice: Choice, order: RowOrder, room: Ints): void {
  const planes = column.planes;
  const rows = column.rows;
  orderByRegret(column, dual, order);
  for (let plane: Int = 0; plane < planes; plane++) {
    room[plane] = column.bits[plane];
    room[planes + plane] = column.bits[plane];
  }
  let open: Int = 0;
  for (let plane: Int = 0; plane < planes; plane++) if (column.bits[plane] > 0) open |= 1 << plane;
  let otherOpen = open;
  let places = column.values;
  for (let at: Int = 0; at < rows; at++) {
    const row = order.rows[at];
    const side = column.sideOf(row);
    const allowed = side > 0 ? otherOpen : open;
    let code = dual.codes[row];
    if (places <= 0) code = 0;
    else if ((code & ~allowed) !== 0) code = bestSubset(column, dual, row, allowed, side * 128);
    choice.codes[row] = code;
    if (code === 0) continue;
    places--;
    for (let rest = code; rest !== 0; rest &= rest - 1) {
      const plane = lowestBit(rest);
      const left = room[side * planes + plane] - 1;
      room[side * planes + plane] = left;
      if (left > 0) continue;
      if (side > 0) otherOpen &= ~(1 << plane);
      else open &= ~(1 << plane);
    }
  }
  choice.measure(column);
}

/** The cheapest code, penalty included, made of open bits. */
function bestSubset(column: Column, dual: Dual, row: Int, open: Int, base: Int): Int {
  const size = column.magnitude[row];
  const weight = column.curvature[row];
  let best: Real = Infinity;
  let bestCode: Int = 0;
  for (let code = open; ; code = (code - 1) & open) {
    const error = size - (code as Real);
    const cost = weight * error * error + dual.penalty[base + code];
    if (cost < best) {
      best = cost;
      bestCode = code;
    }
    if (code === 0) break;
  }
  return bestCode;
}

/** Rows by how much dearer their second best code is, dearest first. */
function orderByRegret(column: Column, dual: Dual, order: RowOrder): void {
  const penalty = dual.penalty;
  const maxMagnitude = column.maxMagnitude;
  for (let side: Int = 0; side < column.sides; side++) {
    const base = side * 128;
    const end = column.starts[side + 1];
    for (let row = column.starts[side]; row < end; row++) {
      const size = column.magnitude[row];
      const weight = column.curvature[row];
      const best = dual.codes[row];
      let second: Real = Infinity;
      // Outward from the magnitude, until distance alone costs more.
      const middle: Int = size >= (maxMagnitude as Real) ? maxMagnitude : (Math.floor(size) as Int);
      for (let code = middle; code >= 0; code--) {
        const error = size - (code as Real);
        const distance = weight * error * error;
        if (distance >= second) break;
        const cost = distance + penalty[base + code];
        if (code !== best && cost < second) second = cost;
      }
      for (let code = middle + 1; code <= maxMagnitude; code++) {
        const error = size - (code as Real);
        const distance = weight * error * error;
        if (distance >= second) break;
        const cost = distance + penalty[base + code];
        if (code !== best && cost < second) second = cost;
      }
      order.rows[row] = row;
      order.keys[row] = second - dual.costs[row];
    }
  }
  order.sort(column.rows);
}
