/**
 * Solves A X = B by Gaussian elimination with partial pivoting.
 * @param matrix A [n, n], row-major
 * @param right B [n, columns]
 * @returns X [n, columns], or undefined where A is singular
 */
export function solve(matrix: Float64Array, right: Float64Array, columns: number): Float64Array | undefined {
  const n = Math.round(Math.sqrt(matrix.length));
  const a = matrix.slice();
  const x = right.slice();
  for (let k = 0; k < n; k++) {
    const pivot = largestBelow(a, n, k);
    if (a[pivot * n + k] === 0) return undefined;
    if (pivot !== k) {
      swapRows(a, n, k, pivot);
      swapRows(x, columns, k, pivot);
    }
    for (let i = k + 1; i < n; i++) {
      const factor = a[i * n + k] / a[k * n + k];
      if (factor === 0) continue;
      for (let j = k + 1; j < n; j++) a[i * n + j] -= factor * a[k * n + j];
      for (let j = 0; j < columns; j++) x[i * columns + j] -= factor * x[k * columns + j];
    }
  }
  for (let k = n - 1; k >= 0; k--) {
    for (let i = k + 1; i < n; i++) {
      const factor = a[k * n + i];
      for (let j = 0; j < columns; j++) x[k * columns + j] -= factor * x[i * columns + j];
    }
    for (let j = 0; j < columns; j++) x[k * columns + j] /= a[k * n + k];
  }
  return x;
}

function largestBelow(a: Float64Array, n: number, k: number): number {
  let best = k;
  for (let i = k + 1; i < n; i++) if (Math.abs(a[i * n + k]) > Math.abs(a[best * n + k])) best = i;
  return best;
}

function swapRows(a: Float64Array, width: number, i: number, k: number): void {
  const row = a.slice(i * width, (i + 1) * width);
  a.copyWithin(i * width, k * width, (k + 1) * width);
  a.set(row, k * width);
}
