/**
 * Lower triangular L with L L' = A, for a symmetric positive definite A [n, n], row-major; the upper triangle of L is 0.
 * @returns undefined where A is not positive definite
 */
export function cholesky(matrix: Float64Array): Float64Array | undefined {
  const n = Math.round(Math.sqrt(matrix.length));
  const l = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = matrix[i * n + j];
      for (let k = 0; k < j; k++) sum -= l[i * n + k] * l[j * n + k];
      if (i !== j) l[i * n + j] = sum / l[j * n + j];
      else if (sum > 0) l[i * n + i] = Math.sqrt(sum);
      else return undefined;
    }
  }
  return l;
}

/**
 * Solves L X = B, or L' X = B where `transposed`.
 * @param l lower triangular [n, n], row-major, no zero on the diagonal
 * @param right B [n, columns]
 */
export function solveTriangular(
  l: Float64Array,
  right: Float64Array,
  columns: number,
  transposed: boolean,
): Float64Array {
  const n = Math.round(Math.sqrt(l.length));
  const x = right.slice();
  for (let step = 0; step < n; step++) {
    const i = transposed ? n - 1 - step : step;
    const pivot = l[i * n + i];
    for (let c = 0; c < columns; c++) x[i * columns + c] /= pivot;
    const [from, to] = transposed ? [0, i] : [i + 1, n];
    for (let j = from; j < to; j++) {
      const factor = transposed ? l[i * n + j] : l[j * n + i];
      if (factor === 0) continue;
      for (let c = 0; c < columns; c++) x[j * columns + c] -= factor * x[i * columns + c];
    }
  }
  return x;
}
