import { evenTileRows } from '../bitplanes/even-tile-rows';
import { ofPlane, type PerPlane } from '../bitplanes/per-plane';
import { type BitMask, maskOf, supportOf } from '../projections/bit-mask';
import { type ProjectionMethod, projectionMethods } from '../projections/projection-method';
import type { IntegerLayer, IntegerNetwork } from '../quantization/integer-network';

/**
 * Which set the pruned codes are taken from, and how they are looked for:
 * - `lagrangian`, `greedy`, `exact`: at most k_b ones in every bit column (and k_v nonzeros), by that projection;
 * - `value-only`: at most k_b nonzero weights in a column (TinyADC's set);
 * - `truncation`: the largest k_b weights a polarity, where rounding alone does not fit;
 * - `bit-only`: the 8-bit codes with ones cleared: no bit is set, no scale changes;
 * - `magnitude`: the 8-bit codes with all weights below one magnitude for the whole network set to zero.
 */
export type PruningMethod = ProjectionMethod | 'bit-only' | 'magnitude';

export const pruningMethods: readonly PruningMethod[] = [...projectionMethods, 'bit-only', 'magnitude'];

/** Those that keep a weight with all its bits or not at all. */
export const wholeWeightMethods: readonly PruningMethod[] = ['truncation', 'value-only', 'magnitude'];

/**
 * - `none`: codes from one projection of the weights; only the biases are corrected;
 * - `layer-admm`: codes that keep the layer's output, within the same set.
 */
export type Compensation = 'none' | 'layer-admm';

export const compensations: readonly Compensation[] = ['none', 'layer-admm'];

/** What methods that choose bits beforehand leave each layer, by name; empty for the others. */
export function allowedBits(
  method: PruningMethod,
  network: IntegerNetwork,
  tileRows: number,
  bitLimit: (layer: string) => PerPlane,
): Map<string, BitMask> {
  const layers = [...network.layers.values()];
  if (method === 'bit-only') return new Map(layers.map(({ name, codes }) => [name, maskOf(codes)]));
  if (method !== 'magnitude') return new Map();
  const threshold = Math.max(
    ...layers.map((layer) => leastMagnitude(layer, network.weightBits, tileRows, bitLimit(layer.name))),
  );
  return new Map(
    layers.map((layer) => {
      const sizes = relativeMagnitudes(layer);
      const kept = layer.codes.map((code, i) => (sizes[i] > threshold ? code : 0));
      return [layer.name, supportOf(kept, network.weightBits)];
    }),
  );
}

/**
 * Magnitudes of a layer's quantised weights relative to their root mean square: batch norms are folded, so layers have
 * no common unit.
 */
function relativeMagnitudes({ codes, columns, scales }: IntegerLayer): Float64Array {
  const sizes = Float64Array.from(codes, (code, i) => Math.abs(code) * scales[i % columns]);
  const power = sizes.reduce((sum, size) => sum + size * size, 0) / sizes.length;
  return power > 0 ? sizes.map((size) => size / Math.sqrt(power)) : sizes;
}

/** The least magnitude such that the layer's larger weights alone keep every bit column within k_b. */
function leastMagnitude(
  layer: IntegerLayer,
  weightBits: number,
  tileRows: number,
  bitLimit: PerPlane,
): number {
  const { codes, rows, columns } = layer;
  const height = evenTileRows(rows, tileRows);
  const sizes = relativeMagnitudes(layer);
  let least = 0;
  for (let start = 0; start < rows; start += height)
    for (let column = 0; column < columns; column++)
      for (const sign of [1, -1])
        for (let plane = 0; plane < weightBits - 1; plane++) {
          const holders: number[] = [];
          for (let row = start; row < Math.min(rows, start + height); row++) {
            const at = row * columns + column;
            if (codes[at] * sign > 0 && (Math.abs(codes[at]) >> plane) & 1) holders.push(sizes[at]);
          }
          const room = ofPlane(bitLimit, plane);
          if (holders.length <= room) continue;
          holders.sort((a, b) => b - a);
          least = Math.max(least, holders[room]);
        }
  return least;
}
