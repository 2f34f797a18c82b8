import { checkWhole } from '../check-number';
import { InputError } from '../errors';

/**
 * Symmetric fixed point: weight = code * scale with code in -(2^(bits-1)-1)..2^(bits-1)-1 and one scale for each output
 * channel.
 */

/** Largest code magnitude: 127 at 8 bits. */
export function largestCode(bits: number): number {
  return 2 ** (bits - 1) - 1;
}

/** The smallest normal number of float32; below it a scale loses digits and becomes 0. */
export const SMALLEST_SCALE = 2 ** -126;

/** Scales that put each column's largest magnitude on the largest code; 1 for a column of (nearly) zeros. [columns] */
export function maxAbsScales(
  weights: Float32Array,
  rows: number,
  columns: number,
  bits: number,
): Float32Array {
  const scales = new Float32Array(columns);
  for (let k = 0; k < rows; k++)
    for (let n = 0; n < columns; n++) scales[n] = Math.max(scales[n], Math.abs(weights[k * columns + n]));
  return scales.map((largest) => {
    const scale = largest / largestCode(bits);
    return scale >= SMALLEST_SCALE ? scale : 1;
  });
}

/**
 * Nearest codes (ties away from zero) of weights [rows, columns] at the given scales, clipped to the code range.
 * @throws InputError for bits other than 2 to 8, a weight that is not finite or a scale not above 0
 */
export function quantizeWeights(weights: Float32Array, scales: Float32Array, bits: number): Int8Array {
  checkWhole('bits', bits, 2, 8);
  const bad = scales.find((scale) => !(scale > 0 && scale < Infinity));
  if (bad !== undefined) throw new InputError(`scales: ${bad} is not above 0`);
  const columns = scales.length;
  const limit = largestCode(bits);
  return Int8Array.from(weights, (weight, i) => {
    if (!Number.isFinite(weight)) throw new InputError(`weight ${i}: ${weight} is not finite`);
    const code = Math.sign(weight) * Math.round(Math.abs(weight) / scales[i % columns]);
    return Math.max(-limit, Math.min(limit, code));
  });
}
