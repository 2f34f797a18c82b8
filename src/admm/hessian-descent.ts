import type { BitMask } from '../projections/bit-mask';
import { checkLimits, isPlainSignSplit, type LimitOptions } from '../projections/limits';
import { jobBuffer, runParts, shareArray } from '../tensor/parallel';
import type { ColumnProblem } from './column-problem';
import { descendCodebook, tileBooks } from './descend-codebook';
import { type BlockProblem, descendInBlocks } from './descend-in-blocks';
import { descendSignSplit } from './descend-sign-split';

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
  /**
   * Bits and polarity that each weight may use, [rows, columns]; absent: any. The codes given must keep it. In other
   * encodings than sign-split a weight may use all or, where its bits are 0, stays as it is.
   */
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

/**
 * Changes `codes` [rows, columns] in place; returns how many moves were made.
 * @param byCodebook by the encoding's table of codes, as all but sign-split in 1-bit cells need
 */
export function descend(
  problem: DescentProblem,
  codes: Int8Array,
  byCodebook = !isPlainSignSplit(problem),
): number {
  const { hessian, rows } = problem;
  let trace = 0;
  for (let row = 0; row < rows; row++) trace += hessian[row * rows + row];
  const leastGain = (LEAST_GAIN * trace) / rows;
  const { blockRows = rows < LARGE ? rows : BLOCK_ROWS } = problem;
  const together = (block: DescentProblem | BlockProblem, own: Int8Array) =>
    descendTogether(block, { leastGain, byCodebook }, own);
  return blockRows >= rows ? together(problem, codes) : descendInBlocks(problem, blockRows, codes, together);
}

/** Moves in all rows of a problem whose gradients it holds or works out from its targets. */
function descendTogether(
  problem: DescentProblem | BlockProblem,
  { leastGain, byCodebook }: { readonly leastGain: number; readonly byCodebook: boolean },
  codes: Int8Array,
): number {
  const { hessian, rows, columns, tileRows } = problem;
  const { targets, gradients } = problem as Partial<DescentProblem & BlockProblem>;
  const diagonal = Float64Array.from({ length: rows }, (_, i) => hessian[i * (rows + 1)]);
  const work: DescentWork = {
    problem: {
      ...problem,
      bits: byCodebook ? undefined : checkLimits(problem).bits,
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
  readonly problem: ColumnProblem;
  /** [rows, columns], changed in place. */
  readonly codes: Int8Array;
  /** Moves made, by column. */
  readonly moves: Int32Array;
}

/** Descends in the blocks of columns that it can take. */
export function descendParts({ problem, codes, moves }: DescentWork, take: () => number): void {
  const descendColumn = columnDescent(problem);
  for (let part = take(); part >= 0; part = take()) {
    const last = Math.min(problem.columns, (part + 1) * COLUMNS_AT_ONCE);
    for (let column = part * COLUMNS_AT_ONCE; column < last; column++)
      moves[column] = descendColumn(codes, column);
  }
}

function columnDescent(problem: ColumnProblem): (codes: Int8Array, column: number) => number {
  const { bits } = problem;
  if (bits) {
    const plain = { ...problem, bits };
    return (codes, column) => descendSignSplit(plain, codes, column);
  }
  const books = tileBooks(problem);
  return (codes, column) => descendCodebook(problem, books, codes, column);
}
