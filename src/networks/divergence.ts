/**
 * Kullback-Leibler divergence of each picture, in nats: from the class probabilities of `wanted` to those of `got`.
 * @param wanted logits, [pictures, classes]
 * @param got logits, [pictures, classes]
 */
export function divergences(wanted: Float32Array, got: Float32Array, classes: number): Float64Array {
  return Float64Array.from({ length: wanted.length / classes }, (_, picture) => {
    const [p, q] = [wanted, got].map((logits) => logProbabilities(logits, picture * classes, classes));
    let sum = 0;
    for (let c = 0; c < classes; c++) sum += Math.exp(p[c]) * (p[c] - q[c]);
    // Rounding may take equal logits a little below zero.
    return Math.max(0, sum);
  });
}

/** Mean of the divergences, in nats a picture. */
export function meanDivergence(wanted: Float32Array, got: Float32Array, classes: number): number {
  const each = divergences(wanted, got, classes);
  return each.reduce((sum, value) => sum + value, 0) / each.length;
}

function logProbabilities(logits: Float32Array, from: number, classes: number): Float64Array {
  const own = Float64Array.from(logits.subarray(from, from + classes));
  const largest = own.reduce((most, value) => Math.max(most, value), -Infinity);
  const normaliser = largest + Math.log(own.reduce((sum, value) => sum + Math.exp(value - largest), 0));
  return own.map((value) => value - normaliser);
}
