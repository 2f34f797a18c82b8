import type { BitMask } from '../projections/bit-mask';
import { checkLimits, isPlainSignSplit, type LimitOptions } from '../projections/limits';
import { nearestTable } from '../projections/nearest-with-mask';
import { jobBuffer, runParts, shareArray } from '../tensor/parallel';
import { descendCodebook } from './descend-codebook';
import { type BlockProblem, descendInBlocks } from './descend-in-blocks';

/**
 * Improves feasible codes of a layer in the metric of its Hessian, one move at a time, keeping every budget:
 * 1-opt gives one weight its best value under the bits still free; 2-opt moves a bit from one weight to another in the
 * same bit column, where the budget stands in the way of 1-opt.
 */
export interface DescentProblem extends Omit<LimitOptions, 'flip'> {
  /** [rows, rows], symmetric, with a positive diagonal. */
  readonly hessian: Float32Array;
  /** Wanted weights in units of the scale, [rows, columns]. */
  readonly targets: Float32Array;
  readonly rows: number;
  readonly columns: number;
  readonly tileRows: number;
  /** Offset encoding: 1 where a (row tile, output channel) is stored complemented, [tiles][columns]. They stay. */
  readonly flips?: Uint8Array;
  /** k_v: nonzeros allowed in a (row tile, output channel); rows: no limit. */
  readonly valueLimit: number;
  /** Bits and polarity that each weight may use, [rows, columns]; absent: any. The codes given must keep it. */
  readonly allowed?: BitMask;
  /** Rounds of 1-opt and 2-opt at most. */
  readonly rounds: number;
  /** Rows descended together, a multiple of `tileRows` but for rounding down; default: all, or 512 of a large layer's. */
  readonly blockRows?: number;
}

/** Least gain of a move in units of the mean curvature: less may be rounding, and moves could go in circles. */
const LEAST_GAIN = 1e-6;

/** Columns of a part of the work. */
const COLUMNS_AT_ONCE = 4;

/** From so many rows on the products between blocks of rows pay. */
const LARGE = 1024;

/** Rows of a block: few enough for a move to be cheap, many enough for the products between blocks to be fast. */
const BLOCK_ROWS = 512;

/** Changes `codes` [rows, columns] in place; returns how many moves were made. */
export function descend(problem: DescentProblem, codes: Int8Array): number {
  const { hessian, rows } = problem;
  let trace = 0;
  for (let row = 0; row < rows; row++) trace += hessian[row * rows + row];
  const leastGain = (LEAST_GAIN * trace) / rows;
  if (!isPlainSignSplit(problem)) return descendCodebook(problem, leastGain, codes);
  const { blockRows = rows < LARGE ? rows : BLOCK_ROWS } = problem;
  return blockRows >= rows
    ? descendTogether(problem, leastGain, codes)
    : descendInBlocks(problem, blockRows, codes, (block, own) => descendTogether(block, leastGain, own));
}

/** Moves in all rows of a problem whose gradients it holds or works out from its targets. */
function descendTogether(
  problem: DescentProblem | BlockProblem,
  leastGain: number,
  codes: Int8Array,
): number {
  const { hessian, rows, columns, tileRows } = problem;
  const { targets, gradients } = problem as Partial<DescentProblem & BlockProblem>;
  const diagonal = Float64Array.from({ length: rows }, (_, i) => hessian[i * (rows + 1)]);
  const work: DescentWork = {
    problem: {
      ...problem,
      bits: checkLimits(problem).bits,
      hessian: shareArray(hessian),
      diagonal: shareArray(diagonal),
      roots: shareArray(diagonal.map(Math.sqrt)),
      targets: targets && shareArray(targets),
      gradients: gradients && shareArray(gradients),
      leastGain,
    },
    codes: shareArray(codes),
    moves: new Int32Array(jobBuffer(4 * columns)),
  };
  runParts(descendParts, {
    module: 'admm/hessian-descent',
    name: 'descendParts',
    argument: work,
    parts: Math.ceil(columns / COLUMNS_AT_ONCE),
    // A product with the Hessian, and the moves in each tile.
    milliseconds: columns * rows * (rows + 5 * tileRows) * 1e-6,
  });
  if (work.codes !== codes) codes.set(work.codes);
  return work.moves.reduce((sum, moves) => sum + moves, 0);
}

interface DescentWork {
  readonly problem: Problem;
  /** [rows, columns], changed in place. */
  readonly codes: Int8Array;
  /** Moves made, by column. */
  readonly moves: Int32Array;
}

/** Descends in the blocks of columns that it can take. */
export function descendParts({ problem, codes, moves }: DescentWork, take: () => number): void {
  for (let part = take(); part >= 0; part = take()) {
    const last = Math.min(problem.columns, (part + 1) * COLUMNS_AT_ONCE);
    for (let column = part * COLUMNS_AT_ONCE; column < last; column++)
      moves[column] = descendColumn(problem, codes, column);
  }
}

/** Sign-split codes in 1-bit cells. */
interface Problem extends Omit<DescentProblem, 'targets'> {
  /** Either these or the gradients. */
  readonly targets?: Float32Array;
  /** Of the Hessian, [rows], together in memory. */
  readonly diagonal: Float64Array;
  /** Roots of the diagonal. */
  readonly roots: Float64Array;
  /** Ones allowed by plane, lowest first. */
  readonly bits: Int32Array;
  /** H (v - a), [columns, rows]; absent: worked out from the targets, column by column. */
  readonly gradients?: Float32Array;
  /** Of a move, in the units of the error 1/2 (v - a)' H (v - a). */
  readonly leastGain: number;
}

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

function descendColumn(problem: Problem, codes: Int8Array, column: number): number {
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

function columnState(problem: Problem, codes: Int8Array, column: number): ColumnState {
  const { hessian, targets, gradients, rows, columns, tileRows, bits } = problem;
  const planes = bits.length;
  const tiles = Math.ceil(rows / tileRows);
  const values = Int32Array.from({ length: rows }, (_, row) => codes[row * columns + column]);
  const gradient = new Float64Array(rows);
  if (gradients) gradient.set(gradients.subarray(column * rows, (column + 1) * rows));
  const open = bits.reduce((mask, limit, plane) => mask | (limit > 0 ? 1 << plane : 0), 0);
  const state = {
    column,
    values,
    gradient,
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
  for (let row = 0; row < rows; row++) {
    count(problem, state, row, values[row], 1);
    if (gradients) continue;
    const error = values[row] - targets![row * columns + column];
    const line = hessian.subarray(row * rows, (row + 1) * rows);
    for (let i = 0; i < rows; i++) gradient[i] += line[i] * error;
  }
  return state;
}

/** Adds (by = 1) or removes (by = -1) a row's value from the counts. */
function count(
  { bits, tileRows }: Problem,
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

function setValue(problem: Problem, state: ColumnState, row: number, value: number): void {
  const change = value - state.values[row];
  count(problem, state, row, state.values[row], -1);
  count(problem, state, row, value, 1);
  state.values[row] = value;
  const line = problem.hessian.subarray(row * problem.rows, (row + 1) * problem.rows);
  for (let i = 0; i < problem.rows; i++) state.gradient[i] += line[i] * change;
}

/** Bits of a polarity that a weight may use: bit p stands for 2^p. */
function allowedBits({ allowed, columns }: Problem, { column }: ColumnState, row: number, sign: number) {
  if (!allowed) return -1;
  const at = row * columns + column;
  return allowed.sign[at] === sign ? allowed.mask[at] : 0;
}

/** Gives every weight in turn its best value under the free bits. */
function singleMoves(problem: Problem, state: ColumnState): number {
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
function bitMoves(problem: Problem, state: ColumnState): number {
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
function fillTakers(problem: Problem, state: ColumnState, tile: number, sign: number): void {
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
function moveBit(problem: Problem, state: ColumnState, tile: number, sign: number, plane: number): boolean {
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
