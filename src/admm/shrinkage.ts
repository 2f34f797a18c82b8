import { scope, upload } from '../tensor/engine';
import * as k from '../tensor/kernels';
import { DAMPING } from './layer-quadratic';
import type { SecondMoments } from './second-moments';
import type { StoredInputs } from './stored-inputs';

/** Input patches of a layer, picture by picture. */
export interface PictureSamples {
  /** [samples, rows] */
  readonly inputs: StoredInputs;
  /** First sample of each picture, and behind the last one their number. */
  readonly starts: readonly number[];
}

/**
 * How far a covariance of few samples should be drawn to a multiple of the identity, as the ridge relative to the mean
 * of its diagonal: Ledoit and Wolf (A well-conditioned estimator for large-dimensional covariance matrices, 2004), with
 * whole pictures as the independent draws, since the patches of one go together. At least `DAMPING`,
 * at most 1: half of each.
 */
export function shrinkageRidge(
  { rows, hessian, mean }: Pick<SecondMoments, 'rows' | 'hessian' | 'mean'>,
  { inputs, starts }: PictureSamples,
): number {
  const pictures = starts.length - 1;
  let spread = 0;
  for (let picture = 0; picture < pictures; picture++) {
    const numbers = inputs.numbers.subarray(starts[picture] * rows, starts[picture + 1] * rows);
    const each = numbers.length / rows;
    if (each === 0) continue;
    const own = new Float32Array(numbers.length);
    for (let at = 0; at < own.length; at++) own[at] = numbers[at] * inputs.scale - mean[at % rows];
    // The norm of X'X is that of XX', which is small.
    const products = scope(() => {
      const x = upload(own, [each, rows]);
      return k.floats(k.matMul(x, x, false, true));
    });
    spread += squares(products) / each ** 2;
  }
  let trace = 0;
  for (let i = 0; i < rows; i++) trace += hessian[i * (rows + 1)];
  const size = squares(hessian);
  const variance = (spread / pictures - size) / pictures;
  const distance = size - trace ** 2 / rows;
  const share = distance > 0 ? Math.min(0.5, Math.max(0, variance / distance)) : 0;
  return Math.max(DAMPING, share / (1 - share));
}

function squares(values: Float32Array): number {
  let sum = 0;
  for (let at = 0; at < values.length; at++) sum += values[at] * values[at];
  return sum;
}
