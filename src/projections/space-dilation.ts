/** Shor's r-algorithm in the form of Stetsyuk's ralgb5: step factors, steps before lengthening, dilation. */
const SHORTEN = 0.95;
const LENGTHEN = 1.2;
const PATIENCE = 2;
const DILATION = 3;

/** What `ascend` sees of the function: value at x, a subgradient into `slope`; true to stop. */
export type Oracle = (x: Float64Array, slope: Float64Array) => { value: number; stop: boolean };

/**
 * Maximises a concave, piecewise linear function of few variables by subgradient steps in a space that is dilated along
 * the difference of successive subgradients (Shor 1985). Converges at a geometric pace where plain subgradient steps
 * crawl. `x` is moved; `spread` is the first guess of each variable's distance to go; at most `evaluations` calls.
 */
export function ascend(oracle: Oracle, x: Float64Array, spread: Float64Array, evaluations: number): void {
  const n = x.length;
  const basis = new Float64Array(n * n);
  for (let i = 0; i < n; i++) basis[i * n + i] = spread[i];
  let slope = new Float64Array(n);
  let next = new Float64Array(n);
  const inner = new Float64Array(n);
  const move = new Float64Array(n);
  let length = 1;
  let left = evaluations - 1;
  if (oracle(x, slope).stop) return;
  while (left > 0) {
    if (!(transposed(basis, slope, inner) > 0)) return;
    for (let i = 0; i < n; i++) {
      move[i] = 0;
      for (let j = 0; j < n; j++) move[i] += basis[i * n + j] * inner[j];
    }
    for (let steps = 1; left > 0; steps++) {
      for (let i = 0; i < n; i++) x[i] += length * move[i];
      left--;
      if (oracle(x, next).stop) return;
      let along = 0;
      for (let i = 0; i < n; i++) along += move[i] * next[i];
      if (along <= 0) {
        if (steps === 1) length *= SHORTEN;
        break;
      }
      if (steps % PATIENCE === 0) length *= LENGTHEN;
    }
    for (let i = 0; i < n; i++) slope[i] = next[i] - slope[i];
    if (transposed(basis, slope, inner) > 0) dilate(basis, inner);
    [slope, next] = [next, slope];
  }
}

/** inner = basis' * vector, scaled to length 1; returns the length before. */
function transposed(basis: Float64Array, vector: Float64Array, inner: Float64Array): number {
  const n = vector.length;
  let norm = 0;
  for (let j = 0; j < n; j++) {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += basis[i * n + j] * vector[i];
    inner[j] = sum;
    norm += sum * sum;
  }
  norm = Math.sqrt(norm);
  if (norm > 0) for (let j = 0; j < n; j++) inner[j] /= norm;
  return norm;
}

/** basis *= I + (1/DILATION - 1) direction direction' */
function dilate(basis: Float64Array, direction: Float64Array): void {
  const n = direction.length;
  for (let i = 0; i < n; i++) {
    let sum = 0;
    for (let j = 0; j < n; j++) sum += basis[i * n + j] * direction[j];
    sum *= 1 / DILATION - 1;
    for (let j = 0; j < n; j++) basis[i * n + j] += sum * direction[j];
  }
}
