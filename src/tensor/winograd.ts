import type * as convolutions from './convolution-kernels';
import { DType, scope, type Tensor, upload } from './engine';
import * as k from './kernels';

/**
 * Winograd's minimal filtering for 3x3 convolutions of stride 1 and padding 1 (Lavin and Gray, Fast Algorithms for
 * Convolutional Neural Networks, CVPR 2016): outputs in squares of m x m need (m + 2)^2 products where the plain way
 * takes 9 m^2. Float32 alone: results differ from plain sums by about 1e-5 of their size.
 */
export type WinogradSide = 2 | 4;

/** Transforms of a line: of inputs [a, a], of kernels [a, 3] and of products [m, a]; a = m + 2. */
interface LineTransforms {
  readonly input: readonly (readonly number[])[];
  readonly kernel: readonly (readonly number[])[];
  readonly output: readonly (readonly number[])[];
}

/** Points 0, 1, -1, infinity; and 0, 1, -1, 2, -2, infinity. */
const LINES: Readonly<Record<WinogradSide, LineTransforms>> = {
  2: {
    input: [
      [1, 0, -1, 0],
      [0, 1, 1, 0],
      [0, -1, 1, 0],
      [0, 1, 0, -1],
    ],
    kernel: [
      [1, 0, 0],
      [1 / 2, 1 / 2, 1 / 2],
      [1 / 2, -1 / 2, 1 / 2],
      [0, 0, 1],
    ],
    output: [
      [1, 1, 1, 0],
      [0, 1, -1, -1],
    ],
  },
  4: {
    input: [
      [4, 0, -5, 0, 1, 0],
      [0, -4, -4, 1, 1, 0],
      [0, 4, -4, -1, 1, 0],
      [0, -2, -1, 2, 1, 0],
      [0, 2, -1, -2, 1, 0],
      [0, 4, 0, -5, 0, 1],
    ],
    kernel: [
      [1 / 4, 0, 0],
      [-1 / 6, -1 / 6, -1 / 6],
      [-1 / 6, 1 / 6, -1 / 6],
      [1 / 24, 1 / 12, 1 / 6],
      [1 / 24, -1 / 12, 1 / 6],
      [0, 0, 1],
    ],
    output: [
      [1, 1, 1, 1, 1, 0],
      [0, 1, -1, 2, -2, 0],
      [0, 1, 1, 4, 4, 0],
      [0, 1, -1, 8, -8, 1],
    ],
  },
};

/** Least channels on both sides, and largest picture, for which it is faster than oneDNN's convolution (measured). */
const LEAST_CHANNELS = 128;
const LARGEST_PICTURE = 8;

type Described = Pick<Tensor, 'shape' | 'dtype'>;

/** The squares to compute a convolution in; undefined: the plain way is faster, or the only one. */
export function winogradSide(
  x: Described,
  w: Described,
  { stride, padding }: convolutions.ConvShape,
): WinogradSide | undefined {
  const [, height, width, channels] = x.shape;
  const [side, , own, outputs] = w.shape;
  const fits = side === 3 && stride === 1 && padding === 1 && own === channels && x.dtype === DType.float32;
  if (!fits || Math.min(channels, outputs) < LEAST_CHANNELS || Math.max(height, width) > LARGEST_PICTURE)
    return undefined;
  if (height % 4 === 0 && width % 4 === 0) return 4;
  return height % 2 === 0 && width % 2 === 0 ? 2 : undefined;
}

/** y [N, H, W, O] of x [N, H, W, C] and a transformed kernel, and x transformed, which the filter's gradient needs. */
export function winogradConv(
  x: Tensor,
  kernel: Tensor,
  side: WinogradSide,
): { readonly y: Tensor; readonly transformed: Tensor } {
  const [y, transformed] = scope((): readonly Tensor[] => {
    const inputs = transformInputs(positionsFirst(x), x.shape, side);
    return [filter(inputs, kernel, false, x.shape, side), inputs];
  });
  return { y, transformed };
}

/**
 * Gradients with respect to x (undefined where `inputGradient` is false) and w, of what `winogradConv` gave. That of x is
 * a convolution of the same kind, of `gradient` with the kernel turned by 180 degrees.
 */
export function winogradGradients(
  w: Tensor,
  transformed: Tensor,
  gradient: Tensor,
  side: WinogradSide,
  inputGradient: boolean,
): readonly [Tensor | undefined, Tensor] {
  const gradients = scope((): readonly Tensor[] => {
    const { shape } = gradient;
    const positions = positionsFirst(gradient);
    const filterGradient = kernelGradient(
      transformed,
      transformOutputs(positions, shape, side),
      w.shape,
      side,
    );
    if (!inputGradient) return [filterGradient];
    const inputs = transformInputs(positions, shape, side);
    return [filterGradient, filter(inputs, winogradKernel(w, side, true), true, shape, side)];
  });
  return [gradients[1], gradients[0]];
}

/** [N, H, W, C] -> [(H + 2) (W + 2), N * C] with zeros around the picture: a pixel's numbers lie together for all pictures. */
function positionsFirst(x: Tensor): Tensor {
  const [n, h, w, c] = x.shape;
  return scope(() => {
    const padded = k.reshape(k.pad(x, 1, 1), [n, (h + 2) * (w + 2), c]);
    return k.reshape(k.transpose(padded, [1, 0, 2]), [(h + 2) * (w + 2), n * c]);
  });
}

/** [(m + 2)^2, squares * N, C]: the neighbourhoods of the squares, transformed. */
function transformInputs(positions: Tensor, shape: readonly number[], side: WinogradSide): Tensor {
  const [n, h, w, c] = shape;
  const taps = (side + 2) ** 2;
  const squares = (h / side) * (w / side);
  return scope(() => {
    const list = constantIndices(`in${side},${h},${w}`, () => inputPositions(h, w, side));
    const patches = k.reshape(k.gatherRows(positions, list), [taps, squares * n * c]);
    return k.reshape(k.matMul(plane('input', side), patches), [taps, squares * n, c]);
  });
}

/** [(m + 2)^2, squares * N, O]: the gradient of the products, from that of the outputs. */
function transformOutputs(positions: Tensor, shape: readonly number[], side: WinogradSide): Tensor {
  const [n, h, w, o] = shape;
  const squares = (h / side) * (w / side);
  return scope(() => {
    const list = constantIndices(`out${side},${h},${w}`, () => outputPositions(h, w, side));
    const patches = k.reshape(k.gatherRows(positions, list), [side ** 2, squares * n * o]);
    return k.reshape(k.matMul(plane('output', side), patches, true), [(side + 2) ** 2, squares * n, o]);
  });
}

/** A transformed kernel, [(m + 2)^2, C, O] of w [3, 3, C, O], turned by 180 degrees where wanted. */
export function winogradKernel(w: Tensor, side: WinogradSide, turned = false): Tensor {
  const [, , c, o] = w.shape;
  return scope(() => {
    const taps = k.reshape(w, [9, c * o]);
    return k.reshape(k.matMul(plane(turned ? 'turned' : 'kernel', side), taps), [(side + 2) ** 2, c, o]);
  });
}

/** Products of transformed inputs and kernel (transposed where wanted), back as pictures of the given size. */
function filter(
  inputs: Tensor,
  kernel: Tensor,
  transposed: boolean,
  [n, h, w]: readonly number[],
  side: WinogradSide,
): Tensor {
  const o = kernel.shape[transposed ? 1 : 2];
  const squares = (h / side) * (w / side);
  return scope(() => {
    const products = k.reshape(k.batchMatMul(inputs, kernel, false, transposed), [
      (side + 2) ** 2,
      squares * n * o,
    ]);
    const outputs = k.reshape(k.matMul(plane('output', side), products), [side ** 2 * squares, n * o]);
    const list = constantIndices(`back${side},${h},${w}`, () => picturePositions(h, w, side));
    const positions = k.reshape(k.gatherRows(outputs, list), [h * w, n, o]);
    return k.reshape(k.transpose(positions, [1, 0, 2]), [n, h, w, o]);
  });
}

/** [3, 3, C, O] from transformed inputs and transformed gradients of the outputs. */
function kernelGradient(
  inputs: Tensor,
  outputs: Tensor,
  shape: readonly number[],
  side: WinogradSide,
): Tensor {
  return scope(() => {
    const [, , c, o] = shape;
    const products = k.reshape(k.batchMatMul(inputs, outputs, true, false), [(side + 2) ** 2, c * o]);
    return k.reshape(k.matMul(plane('kernel', side), products, true), shape);
  });
}

/** A transform of both directions at once: the Kronecker square of a line's. */
function plane(which: keyof LineTransforms | 'turned', side: WinogradSide): Tensor {
  return k.constant(`winograd ${which} ${side}`, () => {
    const line =
      which === 'turned' ? LINES[side].kernel.map((row) => [...row].reverse()) : LINES[side][which];
    const rows = line.flatMap((a) => line.map((b) => a.flatMap((x) => b.map((y) => x * y))));
    return upload(Float32Array.from(rows.flat()), [rows.length, rows[0].length]);
  });
}

function constantIndices(key: string, make: () => number[]): Tensor {
  return k.constant(`winograd ${key}`, () => {
    const list = make();
    return upload(Int32Array.from(list), [list.length]);
  });
}

/** Upper left corners of the squares, by row. */
function corners(h: number, w: number, side: number): (readonly [y: number, x: number])[] {
  const result: (readonly [number, number])[] = [];
  for (let y = 0; y < h; y += side) for (let x = 0; x < w; x += side) result.push([y, x]);
  return result;
}

/** In the padded picture: for each tap of a neighbourhood, its place in every square. */
function inputPositions(h: number, w: number, side: number): number[] {
  return offsets(side + 2).flatMap(([dy, dx]) =>
    corners(h, w, side).map(([y, x]) => (y + dy) * (w + 2) + x + dx),
  );
}

/** In the padded picture: for each place within a square, where it is in every square. */
function outputPositions(h: number, w: number, side: number): number[] {
  return offsets(side).flatMap(([dy, dx]) =>
    corners(h, w, side).map(([y, x]) => (y + dy + 1) * (w + 2) + x + dx + 1),
  );
}

/** For each pixel of the picture, its number in the order (place within the square, square). */
function picturePositions(h: number, w: number, side: number): number[] {
  const across = w / side;
  const squares = (h / side) * across;
  const result: number[] = [];
  for (let y = 0; y < h; y++)
    for (let x = 0; x < w; x++) {
      const within = (y % side) * side + (x % side);
      result.push(within * squares + Math.floor(y / side) * across + Math.floor(x / side));
    }
  return result;
}

function offsets(side: number): (readonly [number, number])[] {
  return Array.from({ length: side * side }, (_, i) => [Math.floor(i / side), i % side] as const);
}
