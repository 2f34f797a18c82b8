import { InputError } from '../errors';
import { solve } from './solve';
import { symmetricEigen } from './symmetric-eigen';

/** A float64 array, row-major, in the program's own memory. */
export interface HostMatrix {
  readonly data: Float64Array;
  readonly shape: number[];
}

/** TensorFlow's linear algebra kernels, in float64. */
export const float64Kernels: Readonly<Record<string, (inputs: readonly HostMatrix[]) => HostMatrix[]>> = {
  MatrixSolve([matrix, right]) {
    const solution = solve(matrix.data, right.data, right.shape[1]);
    if (!solution) throw new InputError('MatrixSolve: the matrix is not invertible');
    return [{ data: solution, shape: right.shape }];
  },
  SelfAdjointEigV2([matrix]) {
    const { values, vectors } = symmetricEigen(matrix.data);
    return [
      { data: values, shape: [values.length] },
      { data: vectors, shape: matrix.shape },
    ];
  },
};
