import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { requiredAdcBits } from '../../src/bitplanes/required-adc-bits';
import { type AdcSteps, stepGranularities } from '../../src/crossbar/adc-steps';
import type { LayerInput } from '../../src/crossbar/layer-job';
import { engines } from '../../src/crossbar/layer-simulator';
import { layerStatistics } from '../../src/crossbar/layer-statistics';
import { simulateLayer } from '../../src/crossbar/simulate-layer';
import { useFastEngines } from '../../src/experiments/fast-engines';
import { randomStream } from '../../src/tensor/random';
import {
  integerProduct,
  planeBitsFor,
  randomAdcs,
  randomLayers,
  randomSteps,
  someLayer,
  stepsFor,
} from './random-layers';

useFastEngines({ threads: 1 });

describe('simulateLayer', () => {
  it('equals the integer product in every configuration when lossless', () => {
    fc.assert(
      fc.property(randomLayers, (layer) => {
        const { outputs, saturated } = simulateLayer(layer);
        expect([...outputs]).toEqual(integerProduct(layer));
        expect(saturated).toBe(0);
      }),
      { numRuns: 200 },
    );
  });

  it('equals the integer product with the ADC that the statistics ask for, and nothing clips', () => {
    fc.assert(
      fc.property(randomLayers, (layer) => {
        const { requiredAdcBits: bits, conversions } = layerStatistics(layer);
        const result = simulateLayer({ ...layer, rowSplit: 'fixed', adc: { bits: Math.max(2, bits) } });
        expect([...result.outputs]).toEqual(integerProduct(layer));
        expect(result.saturated).toBe(0);
        expect(result.conversions).toBe(conversions);
      }),
      { numRuns: 100 },
    );
  });

  it('asks for the sum of both polarities where pulses of either sign are subtracted in the analog domain', () => {
    const shape = { rows: 3, columns: 1, vectors: 1, weightBits: 2, inputBits: 2 };
    const coding = { inputForm: 'sign-magnitude', subtraction: 'analog' } as const;
    const layer = { ...shape, ...coding, codes: Int8Array.of(-1, 0, 1), inputs: Int8Array.of(-1, 0, 1) };
    expect(layerStatistics(layer)).toMatchObject({ maxOnes: 2, requiredAdcBits: 3 });
    expect([...simulateLayer({ ...layer, adc: { bits: 3 } }).outputs]).toEqual([2]);
    expect(simulateLayer({ ...layer, adc: { bits: 2 } }).saturated).toBe(1);
  });

  it('tells how often each column sum was seen, the same on both engines', () => {
    fc.assert(
      fc.property(randomLayers, randomAdcs, (layer, adc) => {
        const [compiled, reference] = engines.map((engine) => simulateLayer({ ...layer, adc }, engine, true));
        expect(compiled).toEqual(reference);
        expect(compiled.sums!.counts.reduce((sum, count) => sum + count, 0)).toBe(compiled.conversions);
        expect(compiled.outputs).toEqual(simulateLayer({ ...layer, adc }).outputs);
      }),
      { numRuns: 100 },
    );
  });

  it('gives the same to the bit on both engines with any ADC', () => {
    fc.assert(
      fc.property(randomLayers, randomAdcs, (layer, adc) => {
        expect(simulateLayer({ ...layer, adc }, 'compiled')).toEqual(
          simulateLayer({ ...layer, adc }, 'reference'),
        );
      }),
      { numRuns: 300 },
    );
  });

  it('gives the same to the bit on both engines with steps of the layer, of arrays or of columns', () => {
    fc.assert(
      fc.property(randomLayers, randomAdcs, randomSteps, fc.boolean(), (layer, adc, choice, record) => {
        const stepped = { ...layer, adc, steps: stepsFor(layer, choice) };
        expect(simulateLayer(stepped, 'compiled', record)).toEqual(
          simulateLayer(stepped, 'reference', record),
        );
      }),
      { numRuns: 300 },
    );
  });

  it('gives the same to the bit on both engines with ADCs that differ by bit plane, at any steps', () => {
    const choices = fc.option(randomSteps, { nil: undefined });
    fc.assert(
      fc.property(
        randomLayers,
        randomAdcs,
        fc.nat(),
        choices,
        fc.boolean(),
        (layer, adc, seed, choice, record) => {
          const steps = choice && stepsFor(layer, choice);
          const read = { ...layer, adc: { ...adc, bits: planeBitsFor(layer, seed) }, steps };
          expect(simulateLayer(read, 'compiled', record)).toEqual(simulateLayer(read, 'reference', record));
        },
      ),
      { numRuns: 300 },
    );
  });

  it('gives with an ADC a bit plane what layers of one plane each, read by these ADCs, give together', () => {
    const random = randomStream(7, 'planes');
    const [rows, columns, vectors] = [40, 3, 9];
    const codes = Int8Array.from({ length: rows * columns }, () => random.integer(31) - 15);
    const inputs = Uint8Array.from({ length: rows * vectors }, () => random.integer(256));
    const layer = { codes, rows, columns, inputs, vectors, tileRows: 16, weightBits: 5 };
    const bits = [1, 3, 2, 4];
    const alone = bits.map((own, plane) =>
      simulateLayer({
        ...layer,
        codes: codes.map((code) => Math.sign(code) * (Math.abs(code) & (1 << plane))),
        adc: { bits: own },
      }),
    );
    for (const engine of engines) {
      const { outputs, saturated, conversions } = simulateLayer({ ...layer, adc: { bits } }, engine);
      const total = (of: (result: (typeof alone)[number]) => number) =>
        alone.reduce((sum, result) => sum + of(result), 0);
      outputs.forEach((output, i) => {
        expect(output).toBe(total((result) => result.outputs[i]));
      });
      expect([saturated, conversions]).toEqual([
        total((result) => result.saturated),
        total((result) => result.conversions),
      ]);
      expect(saturated).toBeGreaterThan(0);
    }
  });

  it('needs no ADC where no weight has a one in a bit plane', () => {
    const layer = { ...someLayer(20, 2, 3), weightBits: 4, codes: new Int8Array(40).fill(5) };
    const read = { ...layer, adc: { bits: [5, 0, 5] } };
    for (const engine of engines)
      expect([...simulateLayer(read, engine).outputs]).toEqual(integerProduct(layer));
  });

  it('converts each column by its own step', () => {
    // Three rows, two channels: sums 3 and 3, one code of 2 or of 3.
    const layer: LayerInput = {
      codes: Int8Array.of(1, 1, 1, 1, 1, 1),
      inputs: Uint8Array.of(1, 1, 1),
      ...{ rows: 3, columns: 2, vectors: 1, weightBits: 2, inputBits: 1 },
      encoding: 'twos-complement',
      adc: { bits: 1 },
      steps: { granularity: 'column', values: Float64Array.of(2, 1, 3, 1) },
    };
    for (const engine of engines) {
      expect([...simulateLayer(layer, engine).outputs]).toEqual([2, 3]);
      expect(simulateLayer(layer, engine).saturated).toBe(1);
    }
  });

  it('equals the integer product where every step is 1 and no column exceeds its ADC', () => {
    const layer = { ...someLayer(60, 3, 5), tileRows: 7 };
    for (const granularity of stepGranularities) {
      const steps = stepsFor(layer, { seed: 1, granularity, choice: [1] });
      expect([...simulateLayer({ ...layer, adc: { bits: 3 }, steps }).outputs]).toEqual(
        integerProduct(layer),
      );
    }
  });

  it('converts fewer ones of a column of positive weights in offset encoding when it is stored complemented', () => {
    const layer = {
      codes: new Int8Array(40).fill(126),
      rows: 40,
      columns: 1,
      inputs: new Uint8Array(40).fill(3),
      vectors: 1,
      encoding: 'offset' as const,
    };
    const flipped = { ...layer, flips: Uint8Array.of(1) };
    expect(layerStatistics(flipped)).toMatchObject({ bitColumns: 8, emptyBitColumns: 7, cellDensity: 1 / 8 });
    expect(layerStatistics(layer)).toMatchObject({ bitColumns: 8, emptyBitColumns: 1, cellDensity: 7 / 8 });
    for (const engine of engines) expect([...simulateLayer(flipped, engine).outputs]).toEqual([40 * 126 * 3]);
  });

  it('counts up to 255 ones a column bit-sliced and more by the general way', () => {
    for (const rows of [3, 4, 5, 254, 255, 256, 300]) {
      for (const bits of [1, 2, 3, 5, 7, 8, 9] as const) {
        const layer = {
          codes: new Int8Array(rows).fill(127),
          rows,
          columns: 1,
          inputs: Uint8Array.from({ length: 33 * rows }, (_, i) => (i % 7 < 5 ? 255 : i & 255)),
          vectors: 33,
          tileRows: 512,
          adc: { bits },
        };
        expect(simulateLayer(layer)).toEqual(simulateLayer(layer, 'reference'));
      }
    }
  });

  it('skips empty bit columns, as the statistics count them', () => {
    const layer = {
      codes: Int8Array.from([5, 0, 0, 0, -64, 0, 0, 0]),
      rows: 4,
      columns: 2,
      inputs: new Uint8Array(8).fill(255),
      vectors: 2,
      tileRows: 2,
    };
    const statistics = layerStatistics(layer);
    expect(statistics).toEqual({
      tiles: 2,
      bitColumns: 56,
      emptyBitColumns: 53,
      emptyTiles: 0,
      conversions: 3 * 8 * 2,
      denseConversions: 56 * 8 * 2,
      maxOnes: 1,
      requiredAdcBits: requiredAdcBits(1),
      cellDensity: 3 / (8 * 14),
    });
    expect(simulateLayer(layer).conversions).toBe(statistics.conversions);
    expect([...simulateLayer(layer).outputs]).toEqual([-59 * 255, 0, -59 * 255, 0]);
  });

  const steps = (granularity: string, count: number, value = 1) =>
    ({ granularity, values: new Float64Array(count).fill(value) }) as AdcSteps;
  const good = () => ({
    codes: new Int8Array(4),
    rows: 2,
    columns: 2,
    inputs: new Uint8Array(2),
    vectors: 1,
  });
  it.each([
    ['codes of another size', { codes: new Int8Array(3) }, /codes: an Int8Array of 2 rows x 2 columns/],
    ['inputs of another size', { inputs: new Uint8Array(3) }, /inputs: .* 1 vectors x 2 rows/],
    ['a code beyond the encoding', { codes: Int8Array.of(0, -128, 0, 0) }, /code -128 at row 0, column 1/],
    [
      'an input beyond its bits',
      { inputBits: 4, inputs: Uint8Array.of(0, 16) },
      /input 16 at vector 0, row 1/,
    ],
    ['no vectors', { vectors: 0 }, /vectors: 0/],
    ['tiles of no rows', { tileRows: 0 }, /tileRows: 0/],
    ['flips of another encoding', { flips: new Uint8Array(2) }, /flips: .*offset.*not sign-split/],
    [
      'flips of another size',
      { encoding: 'offset', flips: new Uint8Array(3) } as const,
      /flips: 3 for 1 row tiles x 2 columns/,
    ],
    ['steps of a lossless ADC', { steps: steps('layer', 1) }, /steps: .* not "lossless"/],
    ['steps of another size', { adc: { bits: 3 }, steps: steps('array', 2) }, /steps\.values: 2 where 1/],
    ['a step of 0', { adc: { bits: 3 }, steps: steps('layer', 1, 0) }, /steps\.values\[0\]: 0 is not/],
    ['steps of rows', { adc: { bits: 3 }, steps: steps('row', 1) }, /steps\.granularity: "row" is unknown/],
    ['ADC bits of other planes', { adc: { bits: [2, 2] } }, /adc\.bits: 2 numbers for the 7 planes/],
    [
      'no ADC for a plane that holds ones',
      { weightBits: 3, codes: Int8Array.of(0, 2, 0, 0), adc: { bits: [1, 0] } },
      /adc\.bits: 0 for plane 1, which holds ones/,
    ],
    ['ADC bits of a plane out of range', { weightBits: 3, adc: { bits: [2, 17] } }, /adc\.bits: 17 is not/],
    ['analog without polarities', { encoding: 'offset', subtraction: 'analog' } as const, /two polarities/],
  ])('refuses %s', (_, change, message) => {
    expect(() => simulateLayer({ ...good(), ...change })).toThrow(message);
  });
});
