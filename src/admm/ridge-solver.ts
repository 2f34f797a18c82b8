import { DType, dispose, keep, scope, upload } from '../tensor/engine';
import * as k from '../tensor/kernels';
import { cholesky, solveLower } from '../tensor/triangular';
import { blockCholesky, type Factor } from './block-cholesky';

/** Solves (A + ridge I) X = B again and again. */
export interface RidgeSolver {
  /** Sets the ridge: a new Cholesky decomposition unless it is the one there is. */
  factorise(ridge: number): void;
  /** X [rows, columns] of B [rows, columns]. */
  solve(right: Float32Array, columns: number): Float32Array;
  dispose(): void;
}

/** From so many rows on the speed of float32 blocks pays: a solution in float64 takes seconds. */
const LARGE = 1024;

/**
 * For a symmetric A [rows, rows], positive definite with every ridge to come; in float64, for condition numbers reach
 * 10^6. A decomposition for each ridge is cheaper than one eigendecomposition that serves them all: n^3/3 operations of
 * matrix products against about 9 n^3 of slower ones, and each solution takes half as many.
 * @param approximate large systems may be solved in float32, refined once; in float64 only where that rounds too much
 */
export function createRidgeSolver(matrix: Float32Array, rows: number, approximate = false): RidgeSolver {
  let factor: Factor | undefined;
  let current = Number.NaN;
  const release = () => {
    factor?.dispose();
    factor = undefined;
  };
  return {
    factorise(ridge) {
      if (factor && ridge === current) return;
      release();
      const sum = matrix.slice();
      for (let i = 0; i < rows; i++) sum[i * (rows + 1)] += ridge;
      factor = approximate && rows >= LARGE ? approximateFactor(sum, rows) : exactFactor(sum, rows);
      current = ridge;
    },
    solve: (right, columns) => scope(() => k.floats(factor!.solve(upload(right, [rows, columns])))),
    dispose: release,
  };
}

function exactFactor(matrix: Float32Array, rows: number): Factor {
  const lower = keep(scope(() => cholesky(k.cast(upload(matrix, [rows, rows]), DType.float64))));
  return {
    solve(right) {
      const half = solveLower(lower, k.cast(right, DType.float64));
      return k.cast(solveLower(lower, half, true), DType.float32);
    },
    dispose: () => dispose(lower),
  };
}

function approximateFactor(matrix: Float32Array, rows: number): Factor {
  try {
    return blockCholesky(matrix, rows);
  } catch {
    return exactFactor(matrix, rows);
  }
}
