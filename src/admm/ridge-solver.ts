import { attribute, DType, dispose, keep, run, scope, type Tensor, upload } from '../tensor/engine';
import * as k from '../tensor/kernels';

/** Solves (A + ridge I) X = B again and again. */
export interface RidgeSolver {
  /** Sets the ridge: a new Cholesky decomposition unless it is the one there is. */
  factorise(ridge: number): void;
  /** X [rows, columns] of B [rows, columns]. */
  solve(right: Float32Array, columns: number): Float32Array;
  dispose(): void;
}

const DOUBLE = [attribute.type('T', DType.float64)];
const FORWARD = [...DOUBLE, attribute.bool('lower', true), attribute.bool('adjoint', false)];
const BACKWARD = [...DOUBLE, attribute.bool('lower', true), attribute.bool('adjoint', true)];

/**
 * For a symmetric A [rows, rows], positive definite with every ridge to come; in float64, for condition numbers reach
 * 10^6. A decomposition for each ridge is cheaper than one eigendecomposition that serves them all: n^3/3 operations of
 * matrix products against about 9 n^3 of slower ones, and each solution takes half as many.
 */
export function createRidgeSolver(matrix: Float32Array, rows: number): RidgeSolver {
  let factor: Tensor | undefined;
  let current = Number.NaN;
  const release = () => {
    if (factor) dispose(factor);
    factor = undefined;
  };
  return {
    factorise(ridge) {
      if (factor && ridge === current) return;
      release();
      const sum = matrix.slice();
      for (let i = 0; i < rows; i++) sum[i * (rows + 1)] += ridge;
      factor = keep(scope(() => run('Cholesky', DOUBLE, [k.cast(upload(sum, [rows, rows]), DType.float64)])));
      current = ridge;
    },
    solve: (right, columns) =>
      scope(() => {
        const b = k.cast(upload(right, [rows, columns]), DType.float64);
        const half = run('MatrixTriangularSolve', FORWARD, [factor!, b]);
        return k.floats(k.cast(run('MatrixTriangularSolve', BACKWARD, [factor!, half]), DType.float32));
      }),
    dispose: release,
  };
}
