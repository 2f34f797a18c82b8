import type { ConvNode, DenseNode } from '../networks/description';
import type { RandomStream } from '../tensor/random';
import type { PatchSamples } from './second-moments';

/** Where patches are taken, so that two networks can be sampled alike. */
export interface PatchPositions {
  /** Picture, output row and output column of each patch. */
  readonly places: Int32Array;
  readonly count: number;
}

/** `count` random output positions of a layer whose input is [pictures, height, width, ...]. */
export function randomPositions(
  node: ConvNode | DenseNode,
  [pictures, height = 1, width = 1]: readonly number[],
  count: number,
  random: RandomStream,
): PatchPositions {
  const [rows, columns] = node.op === 'conv' ? [outputSide(node, height), outputSide(node, width)] : [1, 1];
  const all = pictures * rows * columns;
  const chosen = Math.min(count, all);
  const order =
    chosen === all ? Int32Array.from({ length: all }, (_, i) => i) : random.permutation(all).slice(0, chosen);
  const places = new Int32Array(3 * chosen);
  order.forEach((place, i) => {
    places[3 * i] = Math.floor(place / (rows * columns));
    places[3 * i + 1] = Math.floor(place / columns) % rows;
    places[3 * i + 2] = place % columns;
  });
  return { places, count: chosen };
}

function outputSide(node: ConvNode, side: number): number {
  return Math.floor((side + 2 * node.padding - node.kernel) / node.stride) + 1;
}

/**
 * Input patches in the order (ky, kx, c) at the given positions; outside the picture values are 0.
 * @param values [pictures, height, width, channels], or [pictures, features] for a dense layer
 * @param value of an input element, from its stored number and its channel
 */
export function samplePatches(
  node: ConvNode | DenseNode,
  values: Float32Array,
  shape: readonly number[],
  { places, count }: PatchPositions,
  value: (stored: number, channel: number) => number,
): PatchSamples {
  if (node.op === 'dense') {
    const rows = node.inFeatures;
    const samples = new Float32Array(count * rows);
    for (let i = 0; i < count; i++)
      for (let c = 0; c < rows; c++) samples[i * rows + c] = value(values[places[3 * i] * rows + c], c);
    return { values: samples, count, rows };
  }
  const [, height, width, channels] = shape;
  const { kernel, stride, padding } = node;
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
        for (let c = 0; c < channels; c++) samples[to + c] = value(values[from + c], c);
      }
    }
  }
  return { values: samples, count, rows };
}
