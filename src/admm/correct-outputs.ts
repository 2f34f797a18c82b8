import { scope, upload } from '../tensor/engine';
import * as k from '../tensor/kernels';
import type { SecondMoments } from './second-moments';

/**
 * Bias, and scales, that keep each channel's mean output on the calibration pictures and, as far as `matching` (0 to 1)
 * says, its variance: what re-estimating a batch norm does for a network that still has one.
 */
export function correctOutputs(
  { rows, columns, hessian, mean, targetMean, targetVariance }: SecondMoments,
  codes: Int8Array,
  fitted: Float32Array,
  matching: number,
): { scales: Float32Array; bias: Float32Array } {
  const scales = fitted.slice();
  if (matching > 0) {
    const variance = codeVariances(hessian, codes, rows, columns);
    for (let n = 0; n < columns; n++) {
      const ratio = targetVariance[n] / (variance[n] * scales[n] ** 2);
      if (ratio > 0 && Number.isFinite(ratio)) scales[n] *= ratio ** (matching / 2);
    }
  }
  const bias = targetMean.slice();
  for (let n = 0; n < columns; n++) {
    let sum = 0;
    for (let row = 0; row < rows; row++) sum += mean[row] * codes[row * columns + n];
    bias[n] -= sum * scales[n];
  }
  return { scales, bias };
}

/** v' H v of each column. */
function codeVariances(hessian: Float32Array, codes: Int8Array, rows: number, columns: number): Float64Array {
  const values = Float32Array.from(codes);
  const curved = scope(() =>
    k.floats(k.matMul(upload(hessian, [rows, rows]), upload(values, [rows, columns]))),
  );
  const variances = new Float64Array(columns);
  for (let at = 0; at < values.length; at++) variances[at % columns] += values[at] * curved[at];
  return variances;
}
