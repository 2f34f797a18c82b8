import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { certifyLayer } from '../../src/bitplanes/certify-layer';
import { InputError } from '../../src/errors';
import { maskOf } from '../../src/projections/bit-mask';
import { projectOnMask } from '../../src/projections/project-on-mask';
import { randomStream } from '../../src/tensor/random';

const shapes = fc.record({
  seed: fc.nat(1e6),
  rows: fc.integer({ min: 1, max: 24 }),
  columns: fc.integer({ min: 1, max: 3 }),
  tileRows: fc.integer({ min: 1, max: 12 }),
  weightBits: fc.integer({ min: 2, max: 8 }),
  bitLimit: fc.integer({ min: 0, max: 4 }),
  valueLimit: fc.option(fc.integer({ min: 0, max: 6 }), { nil: undefined }),
  weighted: fc.boolean(),
});

/** Random codes as allowed bits, and targets near them. */
function layerOf({ seed, weighted, ...shape }: typeof shapes extends fc.Arbitrary<infer T> ? T : never) {
  const stream = randomStream(seed, 'masked layer');
  const limit = 2 ** (shape.weightBits - 1) - 1;
  const given = Int8Array.from({ length: shape.rows * shape.columns }, () =>
    Math.max(-limit, Math.min(limit, Math.round((stream.normal() * limit) / 2))),
  );
  const scales = Float32Array.from({ length: shape.columns }, () => 0.5 + stream.uniform());
  const targets = Float64Array.from(
    given,
    (code, i) => (code + 2 * stream.normal()) * scales[i % shape.columns],
  );
  const curvature = weighted
    ? Float64Array.from({ length: shape.rows }, () => 0.1 + stream.uniform())
    : undefined;
  return { ...shape, given, scales, targets, curvature, allowed: maskOf(given) };
}

describe('projectOnMask', () => {
  it('keeps every limit and uses allowed bits alone', () => {
    fc.assert(
      fc.property(shapes, (shape) => {
        const layer = layerOf(shape);
        const codes = projectOnMask(layer);
        expect(certifyLayer({ ...layer, codes }).holds).toBe(true);
        codes.forEach((code, i) => {
          expect(Math.abs(code) & ~Math.abs(layer.given[i])).toBe(0);
          expect(code * layer.given[i]).toBeGreaterThanOrEqual(0);
        });
      }),
      { numRuns: 200 },
    );
  });

  it('leaves codes alone that keep the limits, and what it gave itself', () => {
    fc.assert(
      fc.property(shapes, (shape) => {
        const layer = layerOf(shape);
        const own = (codes: Int8Array) =>
          projectOnMask({
            ...layer,
            allowed: maskOf(codes),
            targets: Float64Array.from(codes, (code, i) => code * layer.scales[i % layer.columns]),
          });
        const codes = projectOnMask(layer);
        expect(own(codes)).toEqual(codes);
        const free = { ...layer, bitLimit: layer.rows, valueLimit: undefined };
        const whole = Float64Array.from(layer.given, (code, i) => code * layer.scales[i % layer.columns]);
        expect(projectOnMask({ ...free, targets: whole })).toEqual(layer.given);
      }),
      { numRuns: 100 },
    );
  });

  it('clears from the top plane the ones whose loss costs least, and rounds nothing again', () => {
    const given = Int8Array.of(9, 12, 8, -8);
    const targets = Float64Array.of(9, 12, 8, -8);
    const shape = { rows: 4, columns: 1, tileRows: 4, weightBits: 5, scales: Float32Array.of(1) };
    const base = { ...shape, targets, allowed: maskOf(given), bitLimit: 2 };
    // Three ones in plane 3: each loss costs 64, and the last in order goes; negative bits are in columns of their own.
    expect(Array.from(projectOnMask(base))).toEqual([9, 12, 0, -8]);
    // The row that matters least loses its bit, though it keeps 1 where 7 would be nearer.
    const curvature = Float64Array.of(0.1, 1, 1, 1);
    expect(Array.from(projectOnMask({ ...base, curvature }))).toEqual([1, 12, 8, -8]);
  });

  it('refuses scales of another layer', () => {
    const layer = layerOf({
      seed: 1,
      rows: 4,
      columns: 2,
      tileRows: 4,
      weightBits: 8,
      bitLimit: 1,
      valueLimit: undefined,
      weighted: false,
    });
    expect(() => projectOnMask({ ...layer, scales: new Float32Array(3) })).toThrow(InputError);
    const scales = new Float32Array(layer.columns);
    expect(() => projectOnMask({ ...layer, scales })).toThrow(/scales: 0 is not/);
    expect(() => projectOnMask({ ...layer, curvature: new Float64Array(1) })).toThrow(/curvature: 1 numbers/);
    const sign = layer.allowed.sign.map(() => 2);
    expect(() => projectOnMask({ ...layer, allowed: { ...layer.allowed, sign } })).toThrow(
      /sign 0: 2 is not/,
    );
  });
});
