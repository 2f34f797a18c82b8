import { scope, upload } from '../tensor/engine';
import * as k from '../tensor/kernels';
import type { LayerSamples, SecondMoments } from './second-moments';

/** Samples of a layer whose output a ReLU reads, perhaps after an addition. */
export interface RectifiedSamples extends LayerSamples {
  /** What is added to the outputs before the ReLU, [count, columns]; absent: nothing. */
  readonly beside?: Float32Array;
}

/**
 * The moments with targets that ask no more than the ReLU shows: where the target is negative, any negative output will
 * do, so the output itself is the target, or 0 where it is positive. What these targets stand for is the one-sided loss
 * sum over t > 0 of (y - t)^2 + sum over t <= 0 of max(0, y)^2, which is at least the squared error behind the ReLU. The
 * squared distance to them is nowhere below that loss and touches it at the present outputs, so that each fit lowers it.
 * @param codes [rows, columns], with their scales, of the present outputs
 */
export function rectifiedMoments(
  moments: SecondMoments,
  { inputs, targets, beside, count }: RectifiedSamples,
  codes: Int8Array,
  scales: Float32Array,
  bias: Float32Array,
): SecondMoments {
  const { rows, columns } = moments;
  const weights = Float32Array.from(codes, (code, at) => code * scales[at % columns]);
  const outputs = scope(() =>
    k.floats(
      k.biasAdd(
        k.matMul(upload(inputs, [count, rows]), upload(weights, [rows, columns])),
        upload(bias, [columns]),
      ),
    ),
  );
  const sums = new Float64Array(columns);
  for (let at = 0; at < outputs.length; at++) {
    const other = beside ? beside[at] : 0;
    if (targets[at] + other > 0) outputs[at] = targets[at];
    else if (outputs[at] + other > 0) outputs[at] = -other;
    sums[at % columns] += outputs[at];
  }
  const targetMean = Float32Array.from(sums, (sum) => sum / count);
  const variance = new Float64Array(columns);
  for (let at = 0; at < outputs.length; at++) {
    outputs[at] -= targetMean[at % columns];
    variance[at % columns] += outputs[at] ** 2 / count;
  }
  // With centred targets it does not matter that the inputs are not: the products sum to the covariance.
  const cross = scope(() =>
    k.floats(k.matMul(upload(inputs, [count, rows]), upload(outputs, [count, columns]), true)),
  ).map((value) => value / count);
  return { ...moments, cross, targetMean, targetVariance: Float32Array.from(variance) };
}
