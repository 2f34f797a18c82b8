import { attribute, DType, run, type Tensor } from './engine';

const DOUBLE = [attribute.type('T', DType.float64)];
const solver = (adjoint: boolean) => [
  ...DOUBLE,
  attribute.bool('lower', true),
  attribute.bool('adjoint', adjoint),
];
const PLAIN = solver(false);
const TRANSPOSED = solver(true);

/** Lower Cholesky factor L of a symmetric positive definite matrix [N, N], float64. */
export const cholesky = (a: Tensor) => run('Cholesky', DOUBLE, [a]);

/** X of L X = B, or of L' X = B where `transposed`; L [N, N] lower, B [N, columns], float64. */
export const solveLower = (lower: Tensor, b: Tensor, transposed = false) =>
  run('MatrixTriangularSolve', transposed ? TRANSPOSED : PLAIN, [lower, b]);
