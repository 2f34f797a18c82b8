import { dispose, keep, scope, type Tensor, upload } from '../tensor/engine';
import * as k from '../tensor/kernels';
import { shareArray } from '../tensor/parallel';
import type { DescentProblem } from './hessian-descent';

/** Passes over a block before the next one's turn. */
const BLOCK_ROUNDS = 2;

/** The rows of a block alone: of them, its problem has Hessian, allowed bits and flips. */
export interface BlockProblem extends Omit<DescentProblem, 'targets'> {
  /** H (v - a) of the block's rows, [columns, rows]; the part that other rows have in it stays. */
  readonly gradients: Float32Array;
}

interface Block {
  readonly first: number;
  readonly last: number;
  /** Hessian [block rows, rows] in the engine. */
  readonly lines: Tensor;
  /** Hessian [block rows, block rows]. */
  readonly square: Float32Array;
}

/**
 * Descends in a large layer block after block of rows (whole tiles), over and over: a move changes the gradient of its
 * own block at once, that of the others by one product of the tensor engine when their turn comes. That is float32, whose
 * rounding is far below what moves gain on a layer of such a size.
 * @param descendBlock makes the moves within a block and returns how many it made
 */
export function descendInBlocks(
  problem: DescentProblem,
  blockRows: number,
  codes: Int8Array,
  descendBlock: (block: BlockProblem, codes: Int8Array) => number,
): number {
  const { targets, ...limits } = problem;
  const { allowed, flips, rows, columns, tileRows, rounds } = limits;
  const blocks = blocksOf(problem, blockRows);
  const errors = Float32Array.from(codes, (code, at) => code - targets[at]);
  let moves = 0;
  let quiet = 0;
  try {
    for (let visit = 0; visit < rounds * blocks.length && quiet < blocks.length; visit++) {
      const { first, last, lines, square } = blocks[visit % blocks.length];
      const [begin, end] = [first * columns, last * columns];
      const own = codes.subarray(begin, end);
      const block = {
        ...limits,
        rows: last - first,
        hessian: square,
        gradients: scope(() => k.floats(k.matMul(upload(errors, [rows, columns]), lines, true, true))),
        allowed: allowed && {
          mask: allowed.mask.subarray(begin, end),
          sign: allowed.sign.subarray(begin, end),
        },
        // Blocks are whole tiles.
        flips: flips?.subarray((first / tileRows) * columns, Math.ceil(last / tileRows) * columns),
        rounds: BLOCK_ROUNDS,
      };
      const made = descendBlock(block, own);
      for (let at = begin; at < end; at++) errors[at] = codes[at] - targets[at];
      moves += made;
      quiet = made === 0 ? quiet + 1 : 0;
    }
  } finally {
    dispose(...blocks.map(({ lines }) => lines));
  }
  return moves;
}

function blocksOf({ hessian, rows, tileRows }: DescentProblem, blockRows: number): Block[] {
  const size = Math.max(1, Math.floor(blockRows / tileRows)) * tileRows;
  const borders = Array.from({ length: Math.ceil(rows / size) }, (_, i) => i * size);
  return borders.map((first) => {
    const last = Math.min(rows, first + size);
    const square = new Float32Array((last - first) ** 2);
    for (let row = first; row < last; row++)
      square.set(hessian.subarray(row * rows + first, row * rows + last), (row - first) * (last - first));
    const lines = keep(upload(hessian.subarray(first * rows, last * rows), [last - first, rows]));
    return { first, last, lines, square: shareArray(square) };
  });
}
