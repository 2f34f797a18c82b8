import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../src/errors';
import { foldedDescription } from '../../src/networks/fold-batch-norm';
import { isNonNegative } from '../../src/networks/non-negative';
import { leastErrorScale } from '../../src/quantization/activation-scales';
import { crossbarNodes, quantizedTensors } from '../../src/quantization/crossbar-layers';
import { exactParts } from '../../src/quantization/integer-layer';
import { countMagnitudes, emptyHistogram } from '../../src/quantization/magnitude-histogram';
import { permuteRows, restoreRows } from '../../src/quantization/row-order';
import { largestCode, maxAbsScales, quantizeWeights } from '../../src/quantization/weight-codes';
import { normals } from '../tensor/values';
import { mixedNetwork } from '../training/small-networks';

const matrices = fc
  .tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 5 }), fc.integer({ min: 2, max: 8 }))
  .chain(([rows, columns, bits]) =>
    fc.record({
      rows: fc.constant(rows),
      columns: fc.constant(columns),
      bits: fc.constant(bits),
      weights: fc
        .array(fc.oneof(fc.constant(0), fc.double({ min: -3, max: 3, noNaN: true })), {
          minLength: rows * columns,
          maxLength: rows * columns,
        })
        .map((list) => Float32Array.from(list)),
    }),
  );

describe('quantizeWeights', () => {
  it('stays in the symmetric range and within half a step of every weight', () => {
    fc.assert(
      fc.property(matrices, ({ rows, columns, bits, weights }) => {
        const scales = maxAbsScales(weights, rows, columns, bits);
        const codes = quantizeWeights(weights, scales, bits);
        codes.forEach((code, i) => {
          const scale = scales[i % columns];
          expect(Math.abs(code)).toBeLessThanOrEqual(largestCode(bits));
          expect(Math.abs(code * scale - weights[i])).toBeLessThanOrEqual(scale * 0.500001);
        });
      }),
    );
  });

  it('gives the codes back from code times scale', () => {
    fc.assert(
      fc.property(matrices, ({ rows, columns, bits, weights }) => {
        const scales = maxAbsScales(weights, rows, columns, bits);
        const codes = quantizeWeights(weights, scales, bits);
        const back = Float32Array.from(codes, (code, i) => code * scales[i % columns]);
        expect(quantizeWeights(back, scales, bits)).toEqual(codes);
      }),
    );
  });

  it('puts the largest weight of a channel on the largest code, and gives a channel of zeros scale 1', () => {
    const weights = Float32Array.of(0.5, 0, -2, 0);
    const scales = maxAbsScales(weights, 2, 2, 8);
    expect(scales).toEqual(Float32Array.of(2 / 127, 1));
    expect([...quantizeWeights(weights, scales, 8)]).toEqual([32, 0, -127, 0]);
  });

  it('rounds ties away from zero and clips', () => {
    const codes = quantizeWeights(Float32Array.of(2.5, -2.5, 0.4, 300, -300), new Float32Array(1).fill(1), 8);
    expect([...codes]).toEqual([3, -3, 0, 127, -127]);
  });

  it('refuses weights that are not finite, bits that no code has and scales not above 0', () => {
    const one = Float32Array.of(1);
    for (const weight of [Number.NaN, Number.POSITIVE_INFINITY])
      expect(() => quantizeWeights(Float32Array.of(weight), one, 8)).toThrow(
        `weight 0: ${weight} is not finite`,
      );
    for (const bits of [1, 9, 7.5]) expect(() => quantizeWeights(one, one, bits)).toThrow(`bits: ${bits} is`);
    for (const scale of [0, -1, Number.NaN])
      expect(() => quantizeWeights(one, Float32Array.of(scale), 8)).toThrow(
        `scales: ${scale} is not above 0`,
      );
  });
});

describe('permuteRows', () => {
  it('takes rows in another order, back again with restoreRows, and refuses what is no order of the rows', () => {
    const matrix = Int8Array.of(1, 2, 3, 4, 5, 6);
    const order = Int32Array.of(2, 0, 1);
    const permuted = permuteRows(matrix, 2, order);
    expect([...permuted]).toEqual([5, 6, 1, 2, 3, 4]);
    expect(restoreRows(permuted, 2, order)).toEqual(matrix);
    for (const bad of [
      [0, 1],
      [0, 1, 1],
      [0, 1, 3],
      [-1, 0, 1],
      [0, 1, 2, 3],
    ])
      for (const permute of [permuteRows, restoreRows])
        expect(() => permute(matrix, 2, Int32Array.from(bad))).toThrow(InputError);
  });
});

describe('leastErrorScale', () => {
  const scaleOf = (values: Float32Array, top: number) => {
    const histogram = emptyHistogram(Math.max(...values));
    countMagnitudes(histogram, values);
    return leastErrorScale(histogram, top);
  };
  const meanSquare = (values: Float32Array, scale: number, top: number) =>
    values.reduce((sum, x) => sum + (x - Math.min(top, Math.round(x / scale)) * scale) ** 2, 0) /
    values.length;

  it('clips the tail where that lowers the squared error', () => {
    const values = normals(20_000, 'activations').map(Math.abs);
    const largest = Math.max(...values);
    for (const bits of [2, 3, 4, 8]) {
      const top = 2 ** bits - 1;
      const errorAt = (share: number) => meanSquare(values, (share * largest) / top, top);
      const best = Math.min(...Array.from({ length: 36 }, (_, i) => errorAt(0.3 + 0.02 * i)));
      const chosen = meanSquare(values, scaleOf(values, top), top);
      expect(chosen).toBeLessThan(1.15 * best);
      if (bits <= 4) expect(chosen).toBeLessThan(errorAt(1));
    }
  });

  it('clips as low as few codes and long tails ask for', () => {
    const draws = normals(20_000, 'tails');
    for (const [bits, values] of [
      [1, draws.map((x) => Math.max(0, x))],
      [1, draws.map((x) => Math.exp(1.5 * x))],
      [2, draws.map((x) => Math.exp(x))],
      [3, draws.map((x) => Math.exp(x))],
    ] as const) {
      const top = 2 ** bits - 1;
      const largest = values.reduce((a, b) => Math.max(a, b));
      const errors = Array.from({ length: 100 }, (_, i) =>
        meanSquare(values, ((i + 1) * largest) / 100 / top, top),
      );
      expect(meanSquare(values, scaleOf(values, top), top)).toBeLessThan(1.02 * Math.min(...errors));
    }
  });

  it('of 8 bits is one of the clips from 0.3 to 1 of the largest, in steps of 0.02', () => {
    const values = normals(20_000, 'eight').map(Math.abs);
    const share = (scaleOf(values, 255) * 255) / Math.max(...values);
    expect((share - 0.3) / 0.02).toBeCloseTo(Math.round((share - 0.3) / 0.02), 9);
    expect(share).toBeGreaterThan(0.5);
  });

  it('is 1 where there is nothing but zeros', () => {
    expect(scaleOf(new Float32Array(5), 255)).toBe(1);
  });
});

describe('crossbarNodes', () => {
  it('are convolutions and dense layers, and what they read is quantised', () => {
    const description = foldedDescription(mixedNetwork());
    expect(crossbarNodes(description).map(({ name }) => name)).toEqual(
      ['conv1', 'layer1.0', 'layer1.1', 'layer2.0', 'layer2.1', 'layer2.downsample.0', 'fc1', 'fc2'].map(
        (name) => name.replace(/^(layer\d)\.([01])$/, (_, layer, i) => `${layer}.conv${Number(i) + 1}`),
      ),
    );
    expect([...quantizedTensors(description)]).toEqual([
      'input',
      'pool',
      'layer1.relu1',
      'drop1',
      'layer2.relu1',
      'flatten',
      'drop2',
    ]);
  });

  it('know which inputs can be negative', () => {
    const description = foldedDescription(mixedNetwork());
    const verdicts = [
      'input',
      'pool',
      'drop1',
      'avgpool',
      'layer1.shortcut',
      'layer1.add',
      'conv1',
      'fc2',
    ].map((name) => isNonNegative(description, name));
    expect(verdicts).toEqual([true, true, true, true, true, false, false, false]);
  });
});

describe('exactParts', () => {
  it('shares out the rows so that no column of a part can pass 2^24', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 3000 }),
        fc.integer({ min: 1, max: 8 }),
        fc.integer({ min: 1, max: 127 }),
        (rows, inputBits, size) => {
          const columns = 2;
          const codes = Int8Array.from({ length: rows * columns }, (_, i) =>
            i % 3 === 0 ? -size : size - (i % 2),
          );
          const shape = { name: 'x', rows, columns, codes, inputBits };
          const rest = {
            scales: new Float32Array(2),
            bias: new Float32Array(2),
            inputScale: 1,
            inputSigned: false,
          };
          const parts = exactParts({ ...shape, ...rest });
          const total = new Float32Array(codes.length);
          for (const part of parts) {
            const reach = new Float64Array(columns);
            part.forEach((code, i) => {
              total[i] += code;
              reach[i % columns] += Math.abs(code) * (2 ** inputBits - 1);
            });
            expect(Math.max(...reach)).toBeLessThanOrEqual(2 ** 24);
          }
          expect(total).toEqual(Float32Array.from(codes));
        },
      ),
      { numRuns: 30 },
    );
  });
});
