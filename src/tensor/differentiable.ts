import * as norms from './batch-norm-kernels';
import * as convolutions from './convolution-kernels';
import { DType, dispose, scope, type Tensor } from './engine';
import * as k from './kernels';
import {
  convByPatches,
  convolvesByPatches,
  filterGradientByPatches,
  filterGradientOfPatches,
  inputGradientByPatches,
  patchesOf,
} from './patches';
import type { Tape } from './tape';
import { winogradConv, winogradGradients, winogradKernel, winogradSide } from './winograd';

/** Operations that record their gradients on a tape. Shapes and meanings are those of `kernels`. */

/** Another handle on the same memory, so that each consumer may free its own. */
const alias = (x: Tensor) => k.reshape(x, x.shape);

export function conv2d(
  tape: Tape,
  x: Tensor,
  w: Tensor,
  shape: convolutions.ConvShape,
  inputGradient = true,
): Tensor {
  const side = winogradSide(x, w, shape);
  if (side) {
    const kernel = winogradKernel(w, side);
    const { y, transformed } = winogradConv(x, kernel, side);
    dispose(kernel);
    return tape.record({
      output: y,
      inputs: [x, w],
      saved: [transformed],
      gradients: (g) => winogradGradients(w, transformed, g, side, inputGradient),
    });
  }
  if (convolvesByPatches(x, w, shape)) {
    const patches = patchesOf(x, w.shape[0], shape);
    return tape.record({
      output: convByPatches(patches, w, x.shape),
      inputs: [x, w],
      saved: [patches],
      gradients: (g) => [
        inputGradient ? inputGradientByPatches(w, g) : undefined,
        filterGradientOfPatches(patches, g, w.shape),
      ],
    });
  }
  return tape.record({
    output: convolutions.conv2d(x, w, shape),
    inputs: [x, w],
    gradients: (g) => [
      inputGradient ? convolutions.conv2dInputGrad(x.shape, w, g, shape) : undefined,
      filterGradient(x, w.shape, g, shape),
    ],
  });
}

function filterGradient(
  x: Tensor,
  wShape: readonly number[],
  g: Tensor,
  shape: convolutions.ConvShape,
): Tensor {
  if (!filterGradientByPatches(x, g, wShape)) return convolutions.conv2dFilterGrad(x, wShape, g, shape);
  return scope(() => filterGradientOfPatches(patchesOf(x, wShape[0], shape), g, wShape));
}

/** Batch norm in training; the new running statistics are handed to `update` (outside the tape). */
export function batchNorm(
  tape: Tape,
  x: Tensor,
  scale: Tensor,
  offset: Tensor,
  running: readonly [Tensor, Tensor],
  epsilon: number,
  momentum: number,
  update: (mean: Tensor, variance: Tensor) => void,
): Tensor {
  const result = norms.batchNorm(x, scale, offset, running, epsilon, momentum);
  update(result.runningMean, result.runningVariance);
  return tape.record({
    output: result.y,
    inputs: [x, scale, offset],
    saved: result.saved,
    gradients: (g) => norms.batchNormGrad(g, x, scale, result.saved, epsilon),
  });
}

/** Batch norm by running statistics, which stay and get no gradient. */
export function frozenBatchNorm(
  tape: Tape,
  x: Tensor,
  scale: Tensor,
  offset: Tensor,
  statistics: readonly [Tensor, Tensor],
  epsilon: number,
): Tensor {
  return tape.record({
    output: norms.frozenBatchNorm(x, scale, offset, statistics, epsilon),
    inputs: [x, scale, offset],
    gradients: (g) => norms.frozenBatchNormGrad(g, x, scale, statistics, epsilon),
  });
}

export function relu(tape: Tape, x: Tensor): Tensor {
  const y = k.relu(x);
  return tape.record({ output: y, inputs: [x], gradients: (g) => [k.reluGrad(g, y)] });
}

export function add(tape: Tape, a: Tensor, b: Tensor): Tensor {
  return tape.record({ output: k.add(a, b), inputs: [a, b], gradients: (g) => [alias(g), alias(g)] });
}

export function cast(tape: Tape, x: Tensor, to: DType): Tensor {
  return tape.record({ output: k.cast(x, to), inputs: [x], gradients: (g) => [k.cast(g, x.dtype)] });
}

export function reshape(tape: Tape, x: Tensor, shape: readonly number[]): Tensor {
  return tape.record({ output: k.reshape(x, shape), inputs: [x], gradients: (g) => [k.reshape(g, x.shape)] });
}

export function transpose(tape: Tape, x: Tensor, permutation: readonly number[]): Tensor {
  const inverse = permutation.map((_, i) => permutation.indexOf(i));
  return tape.record({
    output: k.transpose(x, permutation),
    inputs: [x],
    gradients: (g) => [k.transpose(g, inverse)],
  });
}

/** Max pooling with `padding` zeros around the picture; inputs are taken to be non-negative (after ReLU). */
export function maxPool(tape: Tape, x: Tensor, kernel: number, stride: number, padding: number): Tensor {
  if (padding > 0) return maxPool(tape, padPicture(tape, x, padding), kernel, stride, 0);
  const y = k.maxPool(x, kernel, stride);
  return tape.record({ output: y, inputs: [x], gradients: (g) => [k.maxPoolGrad(x, y, g, kernel, stride)] });
}

function padPicture(tape: Tape, x: Tensor, padding: number): Tensor {
  const [n, h, w, c] = x.shape;
  const begin = [0, padding, padding, 0];
  const end = [n, h + padding, w + padding, c];
  return tape.record({
    output: k.pad(x, padding, padding),
    inputs: [x],
    gradients: (g) => [k.stridedSlice(g, begin, end, [1, 1, 1, 1])],
  });
}

/**
 * Option-A shortcut: every `stride`-th pixel, zero channels before and after. Runs as a 1x1 convolution with a constant
 * selection matrix, which is exact and ten times faster than TensorFlow's strided slices.
 */
export function subsamplePad(
  tape: Tape,
  x: Tensor,
  stride: number,
  channels: readonly [number, number],
): Tensor {
  const shape = { stride, padding: 0 };
  const select = convolutions.channelSelection(x.shape[3], channels, x.dtype);
  return tape.record({
    output: convolutions.conv2d(x, select, shape),
    inputs: [x],
    gradients: (g) => [convolutions.conv2dInputGrad(x.shape, select, g, shape)],
  });
}

/** Mean over height and width, in float32. */
export function globalMean(tape: Tape, x: Tensor): Tensor {
  const [, h, w] = x.shape;
  return tape.record({
    output: k.globalMean(x),
    inputs: [x],
    gradients: (g) => {
      const share = k.multiply(g, constantOf(1 / (h * w), g.dtype));
      const full = k.spread(share, h, w);
      dispose(share);
      return [full];
    },
  });
}

/** Mean over a `grid` x `grid` partition; height and width must be multiples of `grid`. */
export function gridMean(tape: Tape, x: Tensor, grid: number): Tensor {
  const [n, h, w, c] = x.shape;
  if (h === grid && w === grid) return x;
  const parts = k.reshape(x, [n, grid, h / grid, grid, (w / grid) * c]);
  const rows = k.sum(parts, [2]);
  const cells = k.reshape(rows, [n, grid, grid, w / grid, c]);
  const sums = k.sum(cells, [3]);
  const scale = constantOf((grid * grid) / (h * w), x.dtype);
  const output = k.multiply(sums, scale);
  dispose(parts, rows, cells, sums);
  return tape.record({
    output,
    inputs: [x],
    gradients: (g) => {
      const share = k.multiply(g, scale);
      const wide = k.reshape(share, [n * grid * grid, c]);
      const full = k.spread(wide, h / grid, w / grid);
      const split = k.reshape(full, [n, grid, grid, h / grid, w / grid, c]);
      const ordered = k.transpose(split, [0, 1, 3, 2, 4, 5]);
      const result = k.reshape(ordered, x.shape);
      dispose(share, wide, full, split, ordered);
      return [result];
    },
  });
}

/** x [N, K] * w [K, O] + bias [O]. */
export function dense(tape: Tape, x: Tensor, w: Tensor, bias?: Tensor): Tensor {
  const product = k.matMul(x, w);
  const gradients = (g: Tensor) => [k.matMul(g, w, false, true), k.matMul(x, g, true)];
  if (!bias) return tape.record({ output: product, inputs: [x, w], gradients });
  const output = k.biasAdd(product, bias);
  dispose(product);
  return tape.record({ output, inputs: [x, w, bias], gradients: (g) => [...gradients(g), k.biasAddGrad(g)] });
}

/** Adds a vector along the channels. */
export function biasAdd(tape: Tape, x: Tensor, bias: Tensor): Tensor {
  return tape.record({
    output: k.biasAdd(x, bias),
    inputs: [x, bias],
    gradients: (g) => [alias(g), k.biasAddGrad(g)],
  });
}

/** Multiplies by a constant mask of the same shape (dropout, frozen bits); the mask is freed with the tape. */
export function mask(tape: Tape, x: Tensor, factors: Tensor): Tensor {
  return tape.record({
    output: k.multiply(x, factors),
    inputs: [x],
    saved: [factors],
    gradients: (g) => [k.multiply(g, factors)],
  });
}

/** Rounding to 2^bits levels with a straight-through gradient; see `kernels.fakeQuant`. In float32 whatever x's type. */
export function fakeQuant(tape: Tape, x: Tensor, low: number, high: number, bits: number): Tensor {
  const exact = x.dtype === DType.float32 ? x : cast(tape, x, DType.float32);
  const y = tape.record({
    output: k.fakeQuant(exact, low, high, bits),
    inputs: [exact],
    gradients: (g) => [k.fakeQuantGrad(g, exact, low, high, bits)],
  });
  return y.dtype === x.dtype ? y : cast(tape, y, x.dtype);
}

/** A scalar constant of the given type, kept for the life of the process. */
export function constantOf(value: number, dtype: DType): Tensor {
  return k.constant(`s${value}:${dtype}`, () => {
    const float = k.scalar(value);
    return dtype === DType.float32 ? float : k.cast(float, dtype);
  });
}
