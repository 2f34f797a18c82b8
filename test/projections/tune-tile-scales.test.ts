import { describe, expect, it } from 'vitest';
import { certifyLayer } from '../../src/bitplanes/certify-layer';
import { tuneScales } from '../../src/projections/tune-scales';
import { tuneTileScales } from '../../src/projections/tune-tile-scales';
import { normals } from '../tensor/values';

const [rows, columns, tileRows] = [70, 6, 32];
const shape = { rows, columns, tileRows, weightBits: 8, bitLimit: 3 };
/** Tiles of very different sizes, as a layer with strong and weak channels has them. */
const weights = normals(rows * columns, 'tile scales').map(
  (value, i) => value * [1, 0.1, 5][Math.floor(i / columns / tileRows)],
);

describe('tuneTileScales', () => {
  it('keeps the limits, and is never worse than one scale a channel', () => {
    for (const curvature of [undefined, Float64Array.from({ length: rows }, (_, row) => 1 + (row % 5))]) {
      const tiled = tuneTileScales({ ...shape, weights, curvature });
      const plain = tuneScales({ ...shape, weights, curvature });
      expect(certifyLayer({ ...shape, codes: tiled.codes }).holds).toBe(true);
      expect(tiled.scales).toHaveLength(3 * columns);
      expect(tiled.objective).toBeLessThan(0.99 * plain.objective);
      expect(tiled.lowerBound).toBeLessThanOrEqual(tiled.objective);
    }
  });

  it('tells the error that its codes and scales leave', () => {
    const { codes, scales, objective } = tuneTileScales({ ...shape, weights });
    const error = weights.reduce((sum, weight, i) => {
      const scale = scales[Math.floor(i / columns / tileRows) * columns + (i % columns)];
      return sum + (weight - codes[i] * scale) ** 2;
    }, 0);
    expect(objective / error).toBeCloseTo(1, 6);
  });

  it('with one tile is the scale of the channel', () => {
    const one = { ...shape, tileRows: rows };
    const tiled = tuneTileScales({ ...one, weights });
    expect(tiled.scales).toEqual(tuneScales({ ...one, weights }).scales);
  });
});
