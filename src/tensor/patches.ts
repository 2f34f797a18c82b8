import type * as convolutions from './convolution-kernels';
import { DType, scope, type Tensor, upload } from './engine';
import * as k from './kernels';

/**
 * Convolutions as one matrix product with the neighbourhoods of all pixels (im2col). In bfloat16 and on small pictures
 * that is faster than oneDNN's kernels (measured on AMX, 512 channels: filter gradients 5 times at 8x8, 10 times from 8x8
 * to 4x4; the whole of a convolution that keeps the size 2 times at 4x4 and 5 times at 2x2).
 */
const SMALL_PICTURE = 4;
const SMALL_FOR_FILTER_GRADIENT = 8;

type Described = Pick<Tensor, 'shape' | 'dtype'>;

/** Whether a whole convolution is faster by patches; none of another size or stride, whose input gradient is no such product. */
export function convolvesByPatches(x: Described, w: Described, shape: convolutions.ConvShape): boolean {
  const [side, , own] = w.shape;
  const { stride, padding } = shape;
  const keepsSize = stride === 1 && side > 1 && 2 * padding === side - 1;
  const small = Math.max(x.shape[1], x.shape[2]) <= SMALL_PICTURE;
  return x.dtype === DType.bfloat16 && keepsSize && small && own === x.shape[3];
}

/** Whether a convolution's filter gradient is, from the gradient of its output. */
export function filterGradientByPatches(
  x: Described,
  gradient: Described,
  wShape: readonly number[],
): boolean {
  const [side, , own] = wShape;
  const small = Math.max(gradient.shape[1], gradient.shape[2]) <= SMALL_FOR_FILTER_GRADIENT;
  return x.dtype === DType.bfloat16 && side > 1 && small && own === x.shape[3];
}

/** [N H' W', k k C] of x [N, H, W, C]: the k x k pixels that each of the H' x W' outputs sees, zeros outside the picture. */
export function patchesOf(x: Tensor, kernel: number, { stride, padding }: convolutions.ConvShape): Tensor {
  const [n, height, width, c] = x.shape;
  const [tall, wide] = [height + 2 * padding, width + 2 * padding];
  const [h, w] = [tall, wide].map((side) => Math.floor((side - kernel) / stride) + 1);
  return scope(() => {
    const pixels = k.reshape(padding > 0 ? k.pad(x, padding, padding) : x, [n * tall * wide, c]);
    const list = k.constant(`patches ${n},${tall},${wide},${kernel},${stride}`, () =>
      patchPixels(n, [h, w], [tall, wide], kernel, stride),
    );
    return k.reshape(k.gatherRows(pixels, list), [n * h * w, kernel * kernel * c]);
  });
}

/** y [N, H, W, O] from the patches of x, whose shape is `xShape`, and w [k, k, C, O], where y has x's size. */
export function convByPatches(patches: Tensor, w: Tensor, xShape: readonly number[]): Tensor {
  const [kernel, , c, o] = w.shape;
  const [n, height, width] = xShape;
  return scope(() => {
    const y = k.matMul(patches, k.reshape(w, [kernel * kernel * c, o]));
    return k.reshape(y, [n, height, width, o]);
  });
}

/** Gradient with respect to x, where y has its size: a convolution of the output's gradient with the kernel turned by 180 degrees. */
export function inputGradientByPatches(w: Tensor, gradient: Tensor): Tensor {
  const [kernel, , c, o] = w.shape;
  const [n, height, width] = gradient.shape;
  const taps = kernel * kernel;
  return scope(() => {
    const rows = k.constant(`turned rows ${taps},${c}`, () => turnedRows(taps, c));
    const turned = k.reshape(k.gatherRows(k.reshape(w, [taps * c, o]), rows), [c, taps * o]);
    const shape = { stride: 1, padding: (kernel - 1) / 2 };
    const x = k.matMul(patchesOf(gradient, kernel, shape), turned, false, true);
    return k.reshape(x, [n, height, width, c]);
  });
}

/** Gradient with respect to w, whose shape is `wShape`, from the patches of x and the output's gradient. */
export function filterGradientOfPatches(
  patches: Tensor,
  gradient: Tensor,
  wShape: readonly number[],
): Tensor {
  const [n, h, w, o] = gradient.shape;
  return scope(() => k.reshape(k.matMul(patches, k.reshape(gradient, [n * h * w, o]), true), wShape));
}

/** For each of h x w outputs and each tap, the number of the pixel that it sees in pictures of tall x wide pixels. */
function patchPixels(
  n: number,
  [h, w]: readonly number[],
  [tall, wide]: readonly number[],
  kernel: number,
  stride: number,
): Tensor {
  const taps = kernel * kernel;
  const list = new Int32Array(n * h * w * taps);
  for (let i = 0; i < list.length; i++) {
    const output = Math.floor(i / taps);
    const tap = i % taps;
    const y = (Math.floor(output / w) % h) * stride + Math.floor(tap / kernel);
    const x = (output % w) * stride + (tap % kernel);
    list[i] = (Math.floor(output / (h * w)) * tall + y) * wide + x;
  }
  return upload(list, [list.length]);
}

/** Rows of a kernel [taps, C] in the order (C, taps from the last to the first). */
function turnedRows(taps: number, c: number): Tensor {
  const list = Int32Array.from(
    { length: c * taps },
    (_, i) => (taps - 1 - (i % taps)) * c + Math.floor(i / taps),
  );
  return upload(list, [list.length]);
}
