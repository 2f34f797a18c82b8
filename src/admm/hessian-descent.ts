import type { BitMask } from '../projections/bit-mask';
import { checkLimits, isPlainSignSplit, type LimitOptions } from '../projections/limits';
import { scope, upload } from '../tensor/engine';
import * as k from '../tensor/kernels';
import { jobBuffer, runParts, shareArray } from '../tensor/parallel';
import { descendCodebook } from './descend-codebook';

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
}

/** Least gain of a move in units of the mean curvature: less may be rounding, and moves could go in circles. */
const LEAST_GAIN = 1e-6;

/** Columns of a part of the work. */
const BLOCK = 4;

/** Changes `codes` [rows, columns] in place; returns how many moves were made. */
export function descend(problem: DescentProblem, codes: Int8Array): number {
  const { hessian, rows, columns } = problem;
  let trace = 0;
  for (let row = 0; row < rows; row++) trace += hessian[row * rows + row];
  const leastGain = (LEAST_GAIN * trace) / rows;
  if (!isPlainSignSplit(problem)) return descendCodebook(problem, leastGain, codes);
  const work: DescentWork = {
    problem: {
      ...problem,
      bits: checkLimits(problem).bits,
      hessian: shareArray(hessian),
      targets: shareArray(problem.targets),
      gradients: rows >= LARGE ? shareArray(gradientsOf(problem, codes)) : undefined,
      leastGain,
    },
    codes: shareArray(codes),
    moves: new Int32Array(jobBuffer(4 * columns)),
  };
  runParts(descendParts, {
    module: 'admm/hessian-descent',
    name: 'descendParts',
    argument: work,
    parts: Math.ceil(columns / BLOCK),
    // A product with the Hessian, and the moves in each tile.
    milliseconds: columns * rows * (rows + 5 * problem.tileRows) * 1e-6,
  });
  if (work.codes !== codes) codes.set(work.codes);
  return work.moves.reduce((sum, moves) => sum + moves, 0);
}

/** From so many rows on the gradients come from the tensor engine: a product as long as the moves take otherwise. */
const LARGE = 1024;

/** H (v - a) of all columns, [columns, rows]. */
function gradientsOf({ hessian, targets, rows, columns }: DescentProblem, codes: Int8Array): Float32Array {
  const errors = Float32Array.from(codes, (code, at) => code - targets[at]);
  return scope(() =>
    k.floats(k.matMul(upload(errors, [rows, columns]), upload(hessian, [rows, rows]), true)),
  );
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
    const last = Math.min(problem.columns, (part + 1) * BLOCK);
    for (let column = part * BLOCK; column < last; column++)
      moves[column] = descendColumn(problem, codes, column);
  }
}

/** Sign-split codes in 1-bit cells. */
interface Problem extends DescentProblem {
  /** Ones allowed by plane, lowest first. */
  readonly bits: Int32Array;
  /** H (v - a), [columns, rows]; absent: computed column by column. */
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
  /** Nonzeros of each tile. */
  readonly nonzeros: Int32Array;
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
  const { hessian, targets, gradients, rows, columns, tileRows, weightBits } = problem;
  const planes = weightBits - 1;
  const tiles = Math.ceil(rows / tileRows);
  const values = Int32Array.from({ length: rows }, (_, row) => codes[row * columns + column]);
  const gradient = new Float64Array(rows);
  if (gradients) gradient.set(gradients.subarray(column * rows, (column + 1) * rows));
  const state = {
    column,
    values,
    gradient,
    ones: new Int32Array(tiles * 2 * planes),
    nonzeros: new Int32Array(tiles),
  };
  for (let row = 0; row < rows; row++) {
    count(problem, state, row, values[row], 1);
    if (gradients) continue;
    const error = values[row] - targets[row * columns + column];
    const line = hessian.subarray(row * rows, (row + 1) * rows);
    for (let i = 0; i < rows; i++) gradient[i] += line[i] * error;
  }
  return state;
}

/** Adds (by = 1) or removes (by = -1) a row's value from the counts. */
function count(problem: Problem, state: ColumnState, row: number, value: number, by: number): void {
  if (value === 0) return;
  const planes = problem.weightBits - 1;
  const tile = Math.floor(row / problem.tileRows);
  const base = (tile * 2 + (value < 0 ? 1 : 0)) * planes;
  const magnitude = Math.abs(value);
  for (let plane = 0; plane < planes; plane++) if ((magnitude >> plane) & 1) state.ones[base + plane] += by;
  state.nonzeros[tile] += by;
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
  const { hessian, rows } = problem;
  let moves = 0;
  for (let row = 0; row < rows; row++) {
    const curvature = hessian[row * rows + row];
    const value = state.values[row];
    const wanted = value - state.gradient[row] / curvature;
    count(problem, state, row, value, -1);
    const best = nearestFree(problem, state, row, wanted);
    count(problem, state, row, value, 1);
    const gain = (curvature * ((value - wanted) ** 2 - (best - wanted) ** 2)) / 2;
    if (gain <= problem.leastGain) continue;
    setValue(problem, state, row, best);
    moves++;
  }
  return moves;
}

/** Nearest value to `wanted` that the bit columns and the value limit leave room for. */
function nearestFree(problem: Problem, state: ColumnState, row: number, wanted: number): number {
  const planes = problem.weightBits - 1;
  const tile = Math.floor(row / problem.tileRows);
  if (state.nonzeros[tile] >= problem.valueLimit) return 0;
  const base = (tile * 2 + (wanted < 0 ? 1 : 0)) * planes;
  const allowed = allowedBits(problem, state, row, wanted < 0 ? -1 : 1);
  const isFree = (plane: number) =>
    state.ones[base + plane] < problem.bits[plane] && ((allowed >> plane) & 1) === 1;
  let lower = 0;
  for (let plane = 0; plane < planes; plane++) if (isFree(plane)) lower += 1 << plane;
  let rest = Math.abs(wanted);
  let magnitude = 0;
  // From the top plane down, a bit is taken iff the rest is at least halfway between all lower bits and it.
  for (let plane = planes - 1; plane >= 0; plane--) {
    if (!isFree(plane)) continue;
    lower -= 1 << plane;
    if (rest >= ((1 << plane) + lower) / 2) {
      magnitude += 1 << plane;
      rest -= 1 << plane;
    }
  }
  return wanted < 0 ? -magnitude : magnitude;
}

/** In every bit column that is full, or whose tile has no room for another nonzero, moves a bit where that lowers the error. */
function bitMoves(problem: Problem, state: ColumnState): number {
  const planes = problem.weightBits - 1;
  let moves = 0;
  for (let tile = 0; tile * problem.tileRows < problem.rows; tile++)
    for (const sign of [1, -1])
      for (let plane = planes - 1; plane >= 0; plane--) {
        const ones = state.ones[(tile * 2 + (sign < 0 ? 1 : 0)) * planes + plane];
        const tight = ones >= problem.bits[plane] || state.nonzeros[tile] >= problem.valueLimit;
        if (tight && ones > 0 && moveBit(problem, state, tile, sign, plane)) moves++;
      }
  return moves;
}

/** Makes the best move of one bit within a bit column, if any lowers the error. */
function moveBit(problem: Problem, state: ColumnState, tile: number, sign: number, plane: number): boolean {
  const { hessian, rows, tileRows, valueLimit } = problem;
  const { values, gradient } = state;
  const first = tile * tileRows;
  const last = Math.min(rows, first + tileRows);
  const bit = 1 << plane;
  const step = sign * bit;
  const valuesFull = state.nonzeros[tile] >= valueLimit;
  let best = -problem.leastGain;
  let giver = -1;
  let taker = -1;
  for (let j = first; j < last; j++) {
    if (values[j] * sign <= 0 || (Math.abs(values[j]) & bit) === 0) continue;
    const giving = -gradient[j] * step + (hessian[j * rows + j] * bit * bit) / 2;
    const frees = Math.abs(values[j]) === bit;
    for (let i = first; i < last; i++) {
      const value = values[i] * sign;
      if (value < 0 || (value & bit) !== 0) continue;
      if (value === 0 && valuesFull && !frees) continue;
      if ((allowedBits(problem, state, i, sign) & bit) === 0) continue;
      const taking = gradient[i] * step + (hessian[i * rows + i] * bit * bit) / 2;
      const change = giving + taking - hessian[j * rows + i] * bit * bit;
      if (change < best) {
        best = change;
        giver = j;
        taker = i;
      }
    }
  }
  if (giver < 0) return false;
  setValue(problem, state, giver, values[giver] - step);
  setValue(problem, state, taker, values[taker] + step);
  return true;
}
