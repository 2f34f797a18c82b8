import type { ConvNode, DenseNode } from '../networks/description';
import type { RandomStream } from '../tensor/random';

/** Where patches are taken, so that two networks can be sampled alike. */
export interface PatchPositions {
  /** Picture, output row and output column of each patch, pictures in order. */
  readonly places: Int32Array;
  readonly count: number;
}

/**
 * Output positions of a layer whose input is [pictures, height, width, ...]: equally many of each picture (the first
 * ones have one more where it does not divide), drawn at random, none twice.
 * @param count in all; where there are fewer positions, all of them
 */
export function randomPositions(
  node: ConvNode | DenseNode,
  [pictures, height = 1, width = 1]: readonly number[],
  count: number,
  random: RandomStream,
): PatchPositions {
  const [rows, columns] = outputSides(node, height, width);
  const all = rows * columns;
  const places: number[] = [];
  const order = Int32Array.from({ length: all }, (_, i) => i);
  for (let picture = 0; picture < pictures; picture++) {
    const share = Math.min(all, Math.floor(count / pictures) + (picture < count % pictures ? 1 : 0));
    for (let i = 0; i < share; i++) {
      const place = takeOne(order, i, random);
      places.push(picture, Math.floor(place / columns), place % columns);
    }
  }
  return { places: Int32Array.from(places), count: places.length / 3 };
}

/** A step of the Fisher-Yates shuffle: draws from the places not drawn yet. */
function takeOne(order: Int32Array, taken: number, random: RandomStream): number {
  const at = taken + random.integer(order.length - taken);
  const place = order[at];
  order[at] = order[taken];
  order[taken] = place;
  return place;
}

/** Number of the first position of each picture, and behind the last one of all positions. */
export function pictureStarts({ places, count }: PatchPositions, pictures: number): number[] {
  const starts = new Array<number>(pictures + 1).fill(0);
  for (let i = 0; i < count; i++) starts[places[3 * i] + 1]++;
  for (let picture = 0; picture < pictures; picture++) starts[picture + 1] += starts[picture];
  return starts;
}

/** Those positions that lie in pictures `first`.. `first + pictures - 1`, counted from `first`. */
export function positionsIn(
  { places, count }: PatchPositions,
  first: number,
  pictures: number,
): PatchPositions {
  let from = 0;
  while (from < count && places[3 * from] < first) from++;
  let to = from;
  while (to < count && places[3 * to] < first + pictures) to++;
  const own = places.slice(3 * from, 3 * to);
  for (let i = 0; i < own.length; i += 3) own[i] -= first;
  return { places: own, count: to - from };
}

function outputSides(node: ConvNode | DenseNode, height: number, width: number): [number, number] {
  if (node.op === 'dense') return [1, 1];
  const side = (length: number) => Math.floor((length + 2 * node.padding - node.kernel) / node.stride) + 1;
  return [side(height), side(width)];
}

/**
 * Input patches in the order (ky, kx, c) at the given positions, [count, rows]; outside the picture they are 0.
 * @param stored [pictures, height, width, channels], or [pictures, features] for a dense layer
 * @param offsets added within the picture, [channels]; absent: nothing
 */
export function samplePatches(
  node: ConvNode | DenseNode,
  stored: Float32Array,
  shape: readonly number[],
  { places, count }: PatchPositions,
  offsets?: readonly number[],
): Float32Array {
  const [, height, width, channels] = node.op === 'conv' ? shape : [shape[0], 1, 1, node.inFeatures];
  const { kernel, stride, padding } = node.op === 'conv' ? node : { kernel: 1, stride: 1, padding: 0 };
  const shift = Float64Array.from({ length: channels }, (_, c) => offsets?.[c] ?? 0);
  const rows = kernel * kernel * channels;
  const samples = new Float32Array(count * rows);
  for (let i = 0; i < count; i++) {
    const picture = places[3 * i];
    const top = places[3 * i + 1] * stride - padding;
    const left = places[3 * i + 2] * stride - padding;
    for (let ky = 0; ky < kernel; ky++) {
      const y = top + ky;
      if (y < 0 || y >= height) continue;
      for (let kx = 0; kx < kernel; kx++) {
        const x = left + kx;
        if (x < 0 || x >= width) continue;
        const from = ((picture * height + y) * width + x) * channels;
        const to = i * rows + (ky * kernel + kx) * channels;
        for (let c = 0; c < channels; c++) samples[to + c] = stored[from + c] + shift[c];
      }
    }
  }
  return samples;
}

/** A layer's outputs at the given positions, [count, channels]. @param values [pictures, rows, columns, channels] or [pictures, channels] */
export function sampleOutputs(
  values: Float32Array,
  shape: readonly number[],
  { places, count }: PatchPositions,
): Float32Array {
  const channels = shape[shape.length - 1];
  const [rows, columns] = shape.length === 4 ? [shape[1], shape[2]] : [1, 1];
  const samples = new Float32Array(count * channels);
  for (let i = 0; i < count; i++) {
    const at = ((places[3 * i] * rows + places[3 * i + 1]) * columns + places[3 * i + 2]) * channels;
    samples.set(values.subarray(at, at + channels), i * channels);
  }
  return samples;
}
