import { DType, dispose, keep, scope, type Tensor, upload } from '../tensor/engine';
import * as k from '../tensor/kernels';
import { cholesky, solveLower } from '../tensor/triangular';

/** A matrix A ready to solve with. */
export interface Factor {
  /** X [rows, columns] of A X = B [rows, columns]. */
  solve(right: Tensor): Tensor;
  dispose(): void;
}

const BLOCK = 512;

/**
 * Cholesky decomposition in float32 of which all but the diagonal blocks is matrix products, the one thing that the
 * engine does at the processor's full speed (its own float64 decomposition takes ten times as long). Each solution is
 * refined once on its residual.
 * @param matrix [rows, rows], symmetric, positive definite by more than float32 rounding
 * @throws where rounding leaves it indefinite
 */
export function blockCholesky(matrix: Float32Array, rows: number): Factor {
  const sizes = blockSizes(rows);
  const kept: Tensor[] = [];
  const hold = (tensor: Tensor): Tensor => {
    kept.push(keep(tensor));
    return tensor;
  };
  const release = () => dispose(...kept);
  try {
    const whole = hold(upload(matrix, [rows, rows]));
    const factor = decompose(whole, sizes, hold);
    return {
      solve(right) {
        const first = backward(factor, forward(factor, k.split(right, sizes)));
        const residual = k.subtract(right, k.matMul(whole, first));
        return k.add(first, backward(factor, forward(factor, k.split(residual, sizes))));
      },
      dispose: release,
    };
  } catch (error) {
    release();
    throw error;
  }
}

function blockSizes(rows: number): number[] {
  const count = Math.ceil(rows / BLOCK);
  return Array.from({ length: count }, (_, i) => Math.min(BLOCK, rows - i * BLOCK));
}

interface Decomposition {
  /** Blocks of L below the diagonal, by block row: `lower[i][j]`, j < i. */
  readonly lower: readonly (readonly Tensor[])[];
  /** Inverses of L's diagonal blocks. */
  readonly inverses: readonly Tensor[];
}

function decompose(whole: Tensor, sizes: readonly number[], hold: (tensor: Tensor) => Tensor): Decomposition {
  const lower: Tensor[][] = sizes.map(() => []);
  const inverses: Tensor[] = [];
  // A block less what the columns before it account for.
  const rest = (i: number, j: number) => {
    const [top, left] = [i * BLOCK, j * BLOCK];
    const block = k.stridedSlice(whole, [top, left], [top + sizes[i], left + sizes[j]], [1, 1]);
    return lower[j].reduce((sum, b, m) => k.subtract(sum, k.matMul(lower[i][m], b, false, true)), block);
  };
  sizes.forEach((_, j) => {
    inverses.push(hold(scope(() => inverseFactor(rest(j, j)))));
    for (let i = j + 1; i < sizes.length; i++)
      lower[i].push(hold(scope(() => k.matMul(rest(i, j), inverses[j], false, true))));
  });
  return { lower, inverses };
}

/** Inverse of the lower Cholesky factor of one block, in float64. */
function inverseFactor(block: Tensor): Tensor {
  const [size] = block.shape;
  const identity = new Float32Array(size * size);
  for (let i = 0; i < size; i++) identity[i * (size + 1)] = 1;
  const factor = cholesky(k.cast(block, DType.float64));
  const one = k.cast(upload(identity, [size, size]), DType.float64);
  const inverse = k.cast(solveLower(factor, one), DType.float32);
  // Some versions of TensorFlow throw for an indefinite matrix, others fill the factor with NaN.
  if (!k.floats(inverse).every(Number.isFinite)) throw new Error('indefinite by float32 rounding');
  return inverse;
}

/** Y of L Y = B, by blocks of rows. */
function forward({ lower, inverses }: Decomposition, right: readonly Tensor[]): Tensor[] {
  const solved: Tensor[] = [];
  inverses.forEach((inverse, i) => {
    const rest = lower[i].reduce((sum, block, j) => k.subtract(sum, k.matMul(block, solved[j])), right[i]);
    solved.push(k.matMul(inverse, rest));
  });
  return solved;
}

/** X of L' X = Y. */
function backward({ lower, inverses }: Decomposition, right: readonly Tensor[]): Tensor {
  const solved: Tensor[] = [...right];
  for (let i = inverses.length - 1; i >= 0; i--) {
    let rest = right[i];
    for (let j = i + 1; j < inverses.length; j++)
      rest = k.subtract(rest, k.matMul(lower[j][i], solved[j], true));
    solved[i] = k.matMul(inverses[i], rest, true);
  }
  return k.concat(solved);
}
