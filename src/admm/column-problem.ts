import type { DescentProblem } from './hessian-descent';

/** What every column's descent reads. */
export interface ColumnProblem extends Omit<DescentProblem, 'targets'> {
  /** Either these or the gradients. */
  readonly targets?: Float32Array;
  /** Of the Hessian, [rows], together in memory. */
  readonly diagonal: Float64Array;
  /** Roots of the diagonal. */
  readonly roots: Float64Array;
  /** Sign-split: ones allowed by plane, lowest first; absent: by the encoding's codebook. */
  readonly bits?: Int32Array;
  /** H (v - a), [columns, rows]; absent: worked out from the targets, column by column. */
  readonly gradients?: Float32Array;
  /** Of a move, in the units of the error 1/2 (v - a)' H (v - a). */
  readonly leastGain: number;
}

/** H (v - a) of one column whose codes are `values`. */
export function columnGradient(problem: ColumnProblem, values: Int32Array, column: number): Float64Array {
  const { hessian, targets, gradients, rows, columns } = problem;
  if (gradients) return Float64Array.from(gradients.subarray(column * rows, (column + 1) * rows));
  const gradient = new Float64Array(rows);
  for (let row = 0; row < rows; row++) {
    const error = values[row] - targets![row * columns + column];
    const line = hessian.subarray(row * rows, (row + 1) * rows);
    for (let i = 0; i < rows; i++) gradient[i] += line[i] * error;
  }
  return gradient;
}
