import { InputError } from '../errors';
import { cholesky, solveTriangular } from './cholesky';

/** A float64 array, row-major, in the program's own memory. */
export interface HostMatrix {
  readonly data: Float64Array;
  readonly shape: number[];
}

/** @param get an attribute of the kernel */
type Float64Kernel = (inputs: readonly HostMatrix[], get: (name: string) => unknown) => HostMatrix[];

/** TensorFlow's linear algebra kernels, in float64. */
export const float64Kernels: Readonly<Record<string, Float64Kernel>> = {
  Cholesky([{ data, shape }]) {
    const factor = cholesky(data);
    if (!factor) throw new InputError('Cholesky: the matrix is not positive definite');
    return [{ data: factor, shape }];
  },
  /** Lower triangular matrices only. */
  MatrixTriangularSolve([matrix, right], get) {
    const data = solveTriangular(matrix.data, right.data, right.shape[1], get('adjoint') as boolean);
    return [{ data, shape: right.shape }];
  },
};
