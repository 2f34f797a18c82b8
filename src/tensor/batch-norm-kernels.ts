import { type Attribute, attribute, DType, dispose, runMany, type Tensor } from './engine';
import { attributes } from './kernels';

/** Batch norm and its gradients as functions; see kernels. */

/** What training batch norm leaves for its gradient, beside the output. */
export interface BatchNormResult {
  readonly y: Tensor;
  /** Running mean and (unbiased) variance after this batch. */
  readonly runningMean: Tensor;
  readonly runningVariance: Tensor;
  readonly saved: readonly [Tensor, Tensor, Tensor];
}

/**
 * Batch norm over N, H, W with the batch's own statistics; `momentum` is the weight of the batch in the running
 * statistics (PyTorch's `momentum`). x may be bfloat16; scale, offset and statistics are float32.
 */
export function batchNorm(
  x: Tensor,
  scale: Tensor,
  offset: Tensor,
  running: readonly [Tensor, Tensor],
  epsilon: number,
  momentum: number,
): BatchNormResult {
  const list = attributes(`bn${x.dtype},${epsilon},${momentum}`, () => [
    ...batchNormAttributes(x.dtype, epsilon, true),
    attribute.float('exponential_avg_factor', momentum),
  ]);
  const [y, runningMean, runningVariance, a, b, c] = runMany(
    'FusedBatchNormV3',
    list,
    [x, scale, offset, running[0], running[1]],
    6,
  );
  return { y, runningMean, runningVariance, saved: [a, b, c] };
}

/** Gradients of `batchNorm` with respect to x, scale and offset. */
export function batchNormGrad(
  gradient: Tensor,
  x: Tensor,
  scale: Tensor,
  saved: readonly [Tensor, Tensor, Tensor],
  epsilon: number,
): [Tensor, Tensor, Tensor] {
  return fusedBatchNormGrad(gradient, x, scale, saved, epsilon, true);
}

/** Batch norm by statistics that stay: scale * (x - mean) / sqrt(variance + epsilon) + offset of each channel. */
export function frozenBatchNorm(
  x: Tensor,
  scale: Tensor,
  offset: Tensor,
  statistics: readonly [mean: Tensor, variance: Tensor],
  epsilon: number,
): Tensor {
  const list = attributes(`fbn${x.dtype},${epsilon}`, () => batchNormAttributes(x.dtype, epsilon, false));
  const [y, ...unused] = runMany('FusedBatchNormV3', list, [x, scale, offset, ...statistics], 6);
  dispose(...unused);
  return y;
}

/** Gradients of `frozenBatchNorm` with respect to x, scale and offset. */
export function frozenBatchNormGrad(
  gradient: Tensor,
  x: Tensor,
  scale: Tensor,
  statistics: readonly [mean: Tensor, variance: Tensor],
  epsilon: number,
): [Tensor, Tensor, Tensor] {
  // The third is not read without batch statistics.
  return fusedBatchNormGrad(gradient, x, scale, [...statistics, statistics[1]], epsilon, false);
}

function fusedBatchNormGrad(
  gradient: Tensor,
  x: Tensor,
  scale: Tensor,
  saved: readonly [Tensor, Tensor, Tensor],
  epsilon: number,
  training: boolean,
): [Tensor, Tensor, Tensor] {
  const list = attributes(`bng${x.dtype},${epsilon},${training}`, () =>
    batchNormAttributes(x.dtype, epsilon, training),
  );
  const inputs = [gradient, x, scale, ...saved];
  const [dx, dScale, dOffset, ...unused] = runMany('FusedBatchNormGradV3', list, inputs, 5);
  dispose(...unused);
  return [dx, dScale, dOffset];
}

function batchNormAttributes(dtype: DType, epsilon: number, training: boolean): Attribute[] {
  return [
    attribute.type('T', dtype),
    attribute.type('U', DType.float32),
    attribute.float('epsilon', epsilon),
    attribute.string('data_format', 'NHWC'),
    attribute.bool('is_training', training),
  ];
}
