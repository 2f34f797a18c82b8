/** Eigenvalues in ascending order, and the eigenvectors as the columns of a row-major [n, n] matrix. */
export interface Eigen {
  readonly values: Float64Array;
  readonly vectors: Float64Array;
}

/**
 * Eigendecomposition of a symmetric matrix [n, n] in float64: Householder reduction to tridiagonal form, then QL with
 * implicit shifts (EISPACK's tred2 and tql2; Bowdler, Martin, Reinsch and Wilkinson, Handbook for Automatic
 * Computation II, 1971). About 9 n^3 operations. Vectors are worked on as rows, so that inner loops run along memory.
 */
export function symmetricEigen(matrix: Float64Array): Eigen {
  const n = Math.round(Math.sqrt(matrix.length));
  // z[j * n + k] is tred2's z(k, j): row j becomes eigenvector j.
  const z = matrix.slice();
  const diagonal = new Float64Array(n);
  const offDiagonal = new Float64Array(n);
  if (n > 0) {
    tridiagonalise(z, diagonal, offDiagonal);
    diagonalise(z, diagonal, offDiagonal);
  }
  const order = Array.from(diagonal.keys()).sort((a, b) => diagonal[a] - diagonal[b]);
  const vectors = new Float64Array(n * n);
  for (const [column, j] of order.entries())
    for (let k = 0; k < n; k++) vectors[k * n + column] = z[j * n + k];
  return { values: Float64Array.from(order, (j) => diagonal[j]), vectors };
}

/** tred2: z becomes the orthogonal transformation, d the diagonal, e[1..] the off-diagonal. */
function tridiagonalise(z: Float64Array, d: Float64Array, e: Float64Array): void {
  const n = d.length;
  for (let j = 0; j < n; j++) d[j] = z[j * n + n - 1];
  for (let i = n - 1; i > 0; i--) {
    let scale = 0;
    for (let k = 0; k < i; k++) scale += Math.abs(d[k]);
    let h = 0;
    if (scale === 0) {
      e[i] = d[i - 1];
      for (let j = 0; j < i; j++) {
        d[j] = z[j * n + i - 1];
        z[j * n + i] = 0;
        z[i * n + j] = 0;
      }
    } else {
      for (let k = 0; k < i; k++) {
        d[k] /= scale;
        h += d[k] * d[k];
      }
      const f = d[i - 1];
      const g = f > 0 ? -Math.sqrt(h) : Math.sqrt(h);
      e[i] = scale * g;
      h -= f * g;
      d[i - 1] = f - g;
      reflect(z, d, e, i, h);
    }
    d[i] = h;
  }
  accumulate(z, d, e);
}

/** Applies the Householder reflection with vector d[0..i-1] to the leading block. */
function reflect(z: Float64Array, d: Float64Array, e: Float64Array, i: number, h: number): void {
  const n = d.length;
  e.fill(0, 0, i);
  for (let j = 0; j < i; j++) {
    const f = d[j];
    const row = j * n;
    z[i * n + j] = f;
    let g = e[j] + z[row + j] * f;
    for (let k = j + 1; k < i; k++) {
      g += z[row + k] * d[k];
      e[k] += z[row + k] * f;
    }
    e[j] = g;
  }
  let f = 0;
  for (let j = 0; j < i; j++) {
    e[j] /= h;
    f += e[j] * d[j];
  }
  const half = f / (h + h);
  for (let j = 0; j < i; j++) e[j] -= half * d[j];
  for (let j = 0; j < i; j++) {
    const row = j * n;
    const dj = d[j];
    const ej = e[j];
    for (let k = j; k < i; k++) z[row + k] -= dj * e[k] + ej * d[k];
    d[j] = z[row + i - 1];
    z[row + i] = 0;
  }
}

/** Multiplies the reflections together. */
function accumulate(z: Float64Array, d: Float64Array, e: Float64Array): void {
  const n = d.length;
  for (let i = 0; i < n - 1; i++) {
    z[i * n + n - 1] = z[i * n + i];
    z[i * n + i] = 1;
    const h = d[i + 1];
    const next = (i + 1) * n;
    if (h !== 0) {
      for (let k = 0; k <= i; k++) d[k] = z[next + k] / h;
      for (let j = 0; j <= i; j++) {
        const row = j * n;
        let g = 0;
        for (let k = 0; k <= i; k++) g += z[next + k] * z[row + k];
        for (let k = 0; k <= i; k++) z[row + k] -= g * d[k];
      }
    }
    z.fill(0, next, next + i + 1);
  }
  for (let j = 0; j < n; j++) {
    d[j] = z[j * n + n - 1];
    z[j * n + n - 1] = 0;
  }
  z[n * n - 1] = 1;
  e[0] = 0;
}

/** tql2: d becomes the eigenvalues, the rows of z the eigenvectors. */
function diagonalise(z: Float64Array, d: Float64Array, e: Float64Array): void {
  const n = d.length;
  e.copyWithin(0, 1);
  e[n - 1] = 0;
  let shift = 0;
  let largest = 0;
  for (let l = 0; l < n; l++) {
    largest = Math.max(largest, Math.abs(d[l]) + Math.abs(e[l]));
    let m = l;
    while (m < n - 1 && Math.abs(e[m]) > Number.EPSILON * largest) m++;
    while (m > l && Math.abs(e[l]) > Number.EPSILON * largest) shift += step(z, d, e, l, m);
    d[l] += shift;
    e[l] = 0;
  }
}

/** One implicit QL step on rows l..m; returns what it took off the diagonal. */
function step(z: Float64Array, d: Float64Array, e: Float64Array, l: number, m: number): number {
  const n = d.length;
  const first = d[l];
  let p = (d[l + 1] - first) / (2 * e[l]);
  let r = p < 0 ? -Math.hypot(p, 1) : Math.hypot(p, 1);
  d[l] = e[l] / (p + r);
  d[l + 1] = e[l] * (p + r);
  const next = d[l + 1];
  const taken = first - d[l];
  for (let i = l + 2; i < n; i++) d[i] -= taken;
  p = d[m];
  let [c, c2, c3, s, s2] = [1, 1, 1, 0, 0];
  const beside = e[l + 1];
  for (let i = m - 1; i >= l; i--) {
    c3 = c2;
    c2 = c;
    s2 = s;
    const g = c * e[i];
    const h = c * p;
    r = Math.hypot(p, e[i]);
    e[i + 1] = s * r;
    s = e[i] / r;
    c = p / r;
    p = c * d[i] - s * g;
    d[i + 1] = h + s * (c * g + s * d[i]);
    rotate(z, i * n, (i + 1) * n, n, c, s);
  }
  p = (-s * s2 * c3 * beside * e[l]) / next;
  e[l] = s * p;
  d[l] = c * p;
  return taken;
}

/** Turns two rows of z in their plane. */
function rotate(z: Float64Array, a: number, b: number, n: number, c: number, s: number): void {
  for (let k = 0; k < n; k++) {
    const h = z[b + k];
    z[b + k] = s * z[a + k] + c * h;
    z[a + k] = c * z[a + k] - s * h;
  }
}
