import { DType, dispose, read, type Tensor, upload } from '../../src/tensor/engine';
import { randomStream } from '../../src/tensor/random';

/** Standard normal numbers of a stream of their own. */
export function normals(count: number, name: string): Float32Array {
  const stream = randomStream(7, name);
  return Float32Array.from({ length: count }, () => stream.normal());
}

/** Whole numbers from `low` to `high`, of a stream of their own. */
export function wholeNumbers(count: number, low: number, high: number, name: string): Float32Array {
  const stream = randomStream(11, name);
  return Float32Array.from({ length: count }, () => low + Math.floor(stream.uniform() * (high - low + 1)));
}

export const sizeOf = (shape: readonly number[]) => shape.reduce((product, side) => product * side, 1);

/** A tensor of standard normal numbers. */
export const normalTensor = (shape: readonly number[], name: string): Tensor =>
  upload(normals(sizeOf(shape), name), shape);

/** Reads a float32 tensor and frees it. */
export function taken(tensor: Tensor): Float32Array {
  if (tensor.dtype !== DType.float32) throw new Error(`tensor of type ${tensor.dtype}, not float32`);
  const data = read(tensor) as Float32Array;
  dispose(tensor);
  return data;
}

/** Largest difference relative to the largest expected magnitude. */
export function relativeDifference(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) throw new Error(`${actual.length} numbers, not ${expected.length}`);
  let largest = 1e-30;
  let gap = 0;
  for (let i = 0; i < expected.length; i++) {
    largest = Math.max(largest, Math.abs(expected[i]));
    gap = Math.max(gap, Math.abs(actual[i] - expected[i]));
  }
  return gap / largest;
}
