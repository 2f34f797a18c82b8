import { nearestTable } from '../projections/nearest-with-mask';
import { type ColumnProblem, columnGradient } from './column-problem';

/** Ones allowed by plane, lowest first. */
type SignSplitProblem = ColumnProblem & { readonly bits: Int32Array };

interface ColumnState {
  readonly column: number;
  readonly values: Int32Array;
  /** H (v - a) */
  readonly gradient: Float64Array;
  /** Ones of each bit column: [tile][polarity][plane]. */
  readonly ones: Int32Array;
  /** Planes with room for another one, as a mask: [tile][polarity]. */
  readonly free: Int32Array;
  /** Nonzeros of each tile. */
  readonly nonzeros: Int32Array;
  readonly takers: Takers;
}

/** Of the rows of a tile for one polarity; filled anew for each and after each move. */
interface Takers {
  /** Bits that the row may take, as a mask. */
  readonly open: Int32Array;
  /** Of the error along the polarity, and half the curvature. */
  readonly slopes: Float64Array;
  readonly halves: Float64Array;
  /** What a bit does to the error where the row takes it; infinite where it may not. */
  readonly takings: Float64Array;
}

/** Moves in one column of sign-split codes in 1-bit cells; returns how many it made. */
export function descendSignSplit(problem: SignSplitProblem, codes: Int8Array, column: number): number {
  const state = columnState(problem, codes, column);
  let moves = 0;
  for (let round = 0; round < problem.rounds; round++) {
    const made = singleMoves(problem, state) + bitMoves(problem, state);
    moves += made;
    if (made === 0) break;
  }
  for (let row = 0; row < problem.rows; row++) codes[row * problem.columns + column] = state.values[row];
  return moves;
}

function columnState(problem: SignSplitProblem, codes: Int8Array, column: number): ColumnState {
  const { rows, columns, tileRows, bits } = problem;
  const planes = bits.length;
  const tiles = Math.ceil(rows / tileRows);
  const values = Int32Array.from({ length: rows }, (_, row) => codes[row * columns + column]);
  const open = bits.reduce((mask, limit, plane) => mask | (limit > 0 ? 1 << plane : 0), 0);
  const state = {
    column,
    values,
    gradient: columnGradient(problem, values, column),
    ones: new Int32Array(tiles * 2 * planes),
    free: new Int32Array(tiles * 2).fill(open),
    nonzeros: new Int32Array(tiles),
    takers: {
      open: new Int32Array(tileRows),
      slopes: new Float64Array(tileRows),
      halves: new Float64Array(tileRows),
      takings: new Float64Array(tileRows),
    },
  };
  for (let row = 0; row < rows; row++) count(problem, state, row, values[row], 1);
  return state;
}

/** Adds (by = 1) or removes (by = -1) a row's value from the counts. */
function count(
  { bits, tileRows }: SignSplitProblem,
  state: ColumnState,
  row: number,
  value: number,
  by: number,
): void {
  if (value === 0) return;
  const { ones, free, nonzeros } = state;
  const tile = Math.floor(row / tileRows);
  const line = tile * 2 + (value < 0 ? 1 : 0);
  const base = line * bits.length;
  for (let rest = Math.abs(value); rest !== 0; rest &= rest - 1) {
    const plane = 31 - Math.clz32(rest & -rest);
    ones[base + plane] += by;
    if (ones[base + plane] < bits[plane]) free[line] |= 1 << plane;
    else free[line] &= ~(1 << plane);
  }
  nonzeros[tile] += by;
}

function setValue(problem: SignSplitProblem, state: ColumnState, row: number, value: number): void {
  const change = value - state.values[row];
  count(problem, state, row, state.values[row], -1);
  count(problem, state, row, value, 1);
  state.values[row] = value;
  const line = problem.hessian.subarray(row * problem.rows, (row + 1) * problem.rows);
  for (let i = 0; i < problem.rows; i++) state.gradient[i] += line[i] * change;
}

/** Bits of a polarity that a weight may use: bit p stands for 2^p. */
function allowedBits(
  { allowed, columns }: SignSplitProblem,
  { column }: ColumnState,
  row: number,
  sign: number,
) {
  if (!allowed) return -1;
  const at = row * columns + column;
  return allowed.sign[at] === sign ? allowed.mask[at] : 0;
}

/** Gives every weight in turn its best value under the free bits. */
function singleMoves(problem: SignSplitProblem, state: ColumnState): number {
  const { diagonal, rows, tileRows, valueLimit } = problem;
  const { values, gradient, free, nonzeros } = state;
  const nearest = nearestTable();
  let moves = 0;
  for (let row = 0; row < rows; row++) {
    const value = values[row];
    const wanted = value - gradient[row] / diagonal[row];
    const sign = wanted < 0 ? -1 : 1;
    const tile = Math.floor(row / tileRows);
    if (value === 0 && nonzeros[tile] >= valueLimit) continue;
    const own = value * sign > 0 ? value * sign : 0;
    const bits = (free[tile * 2 + (sign < 0 ? 1 : 0)] | own) & allowedBits(problem, state, row, sign);
    const twice = Math.min(255, Math.floor(2 * wanted * sign));
    const best = sign * nearest[(bits << 8) + twice];
    const gain = (diagonal[row] * ((value - wanted) ** 2 - (best - wanted) ** 2)) / 2;
    if (gain <= problem.leastGain) continue;
    setValue(problem, state, row, best);
    moves++;
  }
  return moves;
}

/** In every bit column that is full, or whose tile has no room for another nonzero, moves a bit where that lowers the error. */
function bitMoves(problem: SignSplitProblem, state: ColumnState): number {
  const { bits, rows, tileRows, valueLimit } = problem;
  const planes = bits.length;
  let moves = 0;
  for (let tile = 0; tile * tileRows < rows; tile++)
    for (const sign of [1, -1]) {
      let filled = false;
      for (let plane = planes - 1; plane >= 0; plane--) {
        const ones = state.ones[(tile * 2 + (sign < 0 ? 1 : 0)) * planes + plane];
        const tight = ones >= bits[plane] || state.nonzeros[tile] >= valueLimit;
        if (!tight || ones === 0) continue;
        if (!filled) fillTakers(problem, state, tile, sign);
        filled = !moveBit(problem, state, tile, sign, plane);
        if (!filled) moves++;
      }
    }
  return moves;
}

/** Looks up which bits of a polarity the rows of a tile may take, and how the error lies there. */
function fillTakers(problem: SignSplitProblem, state: ColumnState, tile: number, sign: number): void {
  const { diagonal, rows, tileRows } = problem;
  const { values, gradient, takers } = state;
  const first = tile * tileRows;
  const count = Math.min(rows, first + tileRows) - first;
  for (let i = 0; i < count; i++) {
    const row = first + i;
    const value = values[row] * sign;
    takers.open[i] = value < 0 ? 0 : allowedBits(problem, state, row, sign) & ~value;
    takers.slopes[i] = gradient[row] * sign;
    takers.halves[i] = diagonal[row] / 2;
  }
}

/** Makes the best move of one bit within a bit column, if any lowers the error. */
function moveBit(
  problem: SignSplitProblem,
  state: ColumnState,
  tile: number,
  sign: number,
  plane: number,
): boolean {
  const { hessian, roots, rows, tileRows, valueLimit } = problem;
  const { values } = state;
  const { open, slopes, halves, takings } = state.takers;
  const first = tile * tileRows;
  const count = Math.min(rows, first + tileRows) - first;
  const bit = 1 << plane;
  const square = bit * bit;
  const valuesFull = state.nonzeros[tile] >= valueLimit;
  let leastTaking = Infinity;
  let largestRoot = 0;
  for (let i = 0; i < count; i++) {
    const taking = (open[i] & bit) === 0 ? Infinity : slopes[i] * bit + halves[i] * square;
    takings[i] = taking;
    if (taking < leastTaking) leastTaking = taking;
    if (roots[first + i] > largestRoot) largestRoot = roots[first + i];
  }
  let best = -problem.leastGain;
  let giver = -1;
  let taker = -1;
  for (let j = 0; j < count; j++) {
    const value = values[first + j] * sign;
    if (value <= 0 || (value & bit) === 0) continue;
    const giving = halves[j] * square - slopes[j] * bit;
    // |H_ij| is at most sqrt(H_ii H_jj), so most givers need no look at their takers.
    const most = roots[first + j] * largestRoot * square * (1 + 1e-6);
    if (giving + leastTaking - most >= best) continue;
    const crowded = valuesFull && value !== bit;
    const line = (first + j) * rows + first;
    for (let i = 0; i < count; i++) {
      const change = giving + takings[i] - hessian[line + i] * square;
      if (change >= best || (crowded && values[first + i] === 0)) continue;
      best = change;
      giver = first + j;
      taker = first + i;
    }
  }
  if (giver < 0) return false;
  setValue(problem, state, giver, values[giver] - sign * bit);
  setValue(problem, state, taker, values[taker] + sign * bit);
  return true;
}
