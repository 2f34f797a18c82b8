import { scope, upload } from '../tensor/engine';
import * as k from '../tensor/kernels';
import type { LayerSamples, SecondMoments } from './second-moments';
import { type StoredInputs, uploadNumbers } from './stored-inputs';

/** Samples of a layer whose output a ReLU reads, perhaps after an addition. */
export interface RectifiedSamples extends Omit<LayerSamples, 'inputs'> {
  /** [count, rows] */
  readonly inputs: StoredInputs;
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
  const adapted = layerOutputs(inputs, count, codes, scales, bias);
  const sums = new Float64Array(columns);
  for (let from = 0; from < adapted.length; from += columns)
    for (let n = 0, at = from; n < columns; n++, at++) {
      const other = beside ? beside[at] : 0;
      if (targets[at] + other > 0) adapted[at] = targets[at];
      else if (adapted[at] + other > 0) adapted[at] = -other;
      sums[n] += adapted[at];
    }
  const targetMean = Float32Array.from(sums, (sum) => sum / count);
  const variance = new Float64Array(columns);
  for (let from = 0; from < adapted.length; from += columns)
    for (let n = 0, at = from; n < columns; n++, at++) {
      adapted[at] -= targetMean[n];
      variance[n] += adapted[at] ** 2 / count;
    }
  return {
    ...moments,
    cross: meanProducts(inputs, adapted, count, rows, columns),
    targetMean,
    targetVariance: Float32Array.from(variance),
  };
}

/** Samples multiplied at once, which bounds the memory. */
const CHUNK = 2048;

/** [count, columns] */
function layerOutputs(
  inputs: StoredInputs,
  count: number,
  codes: Int8Array,
  scales: Float32Array,
  bias: Float32Array,
): Float32Array {
  const columns = scales.length;
  const rows = codes.length / columns;
  const outputs = new Float32Array(count * columns);
  scope(() => {
    const weights = upload(
      Float32Array.from(codes, (code, at) => code * scales[at % columns] * inputs.scale),
      [rows, columns],
    );
    const offset = upload(bias, [columns]);
    for (let from = 0; from < count; from += CHUNK) {
      const to = Math.min(count, from + CHUNK);
      const part = scope(() => {
        const x = uploadNumbers(inputs, rows, from, to);
        return k.floats(k.biasAdd(k.matMul(x, weights), offset));
      });
      outputs.set(part, from * columns);
    }
    return undefined;
  });
  return outputs;
}

/** X' T / count, [rows, columns]: the covariance where T is centred, X need not be. */
function meanProducts(
  inputs: StoredInputs,
  centred: Float32Array,
  count: number,
  rows: number,
  columns: number,
): Float32Array {
  const sum = new Float32Array(rows * columns);
  for (let from = 0; from < count; from += CHUNK) {
    const to = Math.min(count, from + CHUNK);
    const part = scope(() => {
      const x = uploadNumbers(inputs, rows, from, to);
      const t = upload(centred.subarray(from * columns, to * columns), [to - from, columns]);
      return k.floats(k.matMul(x, t, true));
    });
    for (let at = 0; at < sum.length; at++) sum[at] += (part[at] * inputs.scale) / count;
  }
  return sum;
}
