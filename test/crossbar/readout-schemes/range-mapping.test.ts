import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buildConverter } from '../../../src/crossbar/build-converter';
import { layerJob } from '../../../src/crossbar/layer-job';
import { dacCurve } from '../../../src/crossbar/readout-schemes/dac-curve';
import {
  choosePlacement,
  fitGains,
  fullScale,
  nominalGains,
} from '../../../src/crossbar/readout-schemes/range-map';
import {
  type RangeMappingSettings,
  rangeMapOf,
  rangeMapping,
  rangeMappings,
} from '../../../src/crossbar/readout-schemes/range-mapping';
import { signalHistograms } from '../../../src/crossbar/readout-schemes/signal-histograms';
import { randomStream } from '../../../src/tensor/random';
import { integerProduct } from '../random-layers';
import { layers } from './layers';

const ideal = { converter: { type: 'sar' }, dac: { compression: 0, noise: 0 } } as const;

/** A layer with 4-bit pulses, sparse weights as pruning leaves them. */
const sample = (() => {
  const random = randomStream(4, 'range mapping');
  const [rows, columns, vectors] = [64, 12, 40];
  return {
    codes: Int8Array.from({ length: rows * columns }, () =>
      random.uniform() < 0.2 ? random.integer(255) - 127 : 0,
    ),
    inputs: Uint8Array.from({ length: rows * vectors }, () => Math.floor(256 * random.uniform() ** 4)),
    rows,
    columns,
    vectors,
    dacBits: 4,
  };
})();

const outputError = (settings: RangeMappingSettings, mapping: (typeof rangeMappings)[number]) => {
  const job = layerJob(sample);
  const { outputs } = rangeMapping(job, settings, rangeMapOf(job, settings, mapping));
  return Math.sqrt(integerProduct(sample).reduce((sum, y, i) => sum + (y - outputs[i]) ** 2, 0));
};

describe('rangeMapping', () => {
  it('equals the integer product in every configuration and mapping with straight curves and bits enough', () => {
    fc.assert(
      fc.property(layers, fc.constantFrom(...rangeMappings), (layer, mapping) => {
        // Pulses of 1, 2, 4 or 8 bits fall on codes of an 8-bit DAC.
        const job = layerJob({ ...layer, dacBits: layer.dacBits === 3 ? 1 : layer.dacBits, inputBits: 8 });
        const settings = { ...ideal, adcBits: 12 };
        const result = rangeMapping(job, settings, rangeMapOf(job, settings, mapping));
        expect([...result.outputs].map((x) => x + 0)).toEqual(integerProduct(layer));
        expect([result.saturated, result.rmsError, result.meanError]).toEqual([0, 0, 0]);
      }),
      { numRuns: 100 },
    );
  });

  it('errs less the more it knows of bent curves: ranges mapped, gains alone, nothing', () => {
    for (const adcBits of [4, 5, 6]) {
      const [unmapped, rescaled, , mapped] = rangeMappings.map((mapping) =>
        outputError({ adcBits }, mapping),
      );
      expect(mapped).toBeLessThan(rescaled);
      expect(rescaled).toBeLessThan(unmapped);
    }
  });

  it('errs less when the curves are known than when they are taken for straight', () => {
    const settings = {
      adcBits: 6,
      converter: { type: 'ramp', curvature: 3 },
      dac: { compression: 1 },
    } as const;
    expect(outputError(settings, 'mapped')).toBeLessThan(outputError(settings, 'linear'));
  });

  it('gives the same for the same seed, another curve and noise for another', () => {
    const run = (seed: number) => rangeMapping(layerJob(sample), { seed }).outputs;
    expect(run(1)).toEqual(run(1));
    expect(run(1)).not.toEqual(run(2));
  });

  it('names the setting that is out of range', () => {
    const job = layerJob(sample);
    expect(() => rangeMapping(job, { adcBits: 0 })).toThrow('adcBits: 0 is not a whole number from 1 to 12');
    expect(() => rangeMapping(job, { dac: { compression: -1 } })).toThrow('dac.compression: -1');
    expect(() => rangeMapping(job, { dac: { bits: 2, measured: [0, 1, 3] } })).toThrow(
      'dac.measured: 4 values',
    );
    expect(() => rangeMapping(job, { dac: { bits: 2, measured: [0, 1, 3, 2] } })).toThrow(
      '2 at code 3 is below',
    );
  });
});

describe('dacCurve', () => {
  it('is straight without compression, and bends above the chord by (1 + c) u / (1 + c u) - u with it', () => {
    expect([...dacCurve({ bits: 3, compression: 0 })]).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    const bent = dacCurve({ bits: 8, compression: 0.2 });
    expect([bent[0], bent[255]]).toEqual([0, 255]);
    const off = Array.from(bent, (level, code) => (level - code) / 255);
    expect(Math.max(...off)).toBeCloseTo(0.0455, 3);
  });
});

describe('signalHistograms', () => {
  it('counts pulses and sums with the square of what they count for', () => {
    // Codes 1 and 2 in one column: planes 0 and 1 hold a one each. Inputs 3 and 2 at two 1-bit planes.
    const shape = { rows: 2, columns: 1, vectors: 1, weightBits: 3, inputBits: 2 };
    const job = layerJob({ ...shape, codes: Int8Array.of(1, 2), inputs: Uint8Array.of(3, 2) });
    const { pulses, sums, lowestSum, bound } = signalHistograms(job);
    expect([...pulses]).toEqual([1, 1 + 4 + 4]);
    // Plane 0 (row 0): pulses 1, 1 of weights 1, 2. Plane 1 (row 1): pulses 0, 1, weights 2 * 1, 2 * 2.
    expect([...sums]).toEqual([4, 1 + 4 + 16]);
    expect([lowestSum, bound]).toEqual([0, 1]);
  });
});

describe('choosePlacement', () => {
  const adc = (bits: number, curvature = 0) =>
    buildConverter({ bits }, { type: 'ramp', curvature }, randomStream(1, 'x'));

  it('keeps small pulses on the straight beginning of a DAC that saturates', () => {
    const measured = Float64Array.from({ length: 64 }, (_, code) => Math.min(code, 20));
    const signals = {
      pulses: Float64Array.of(9, 5, 5, 5),
      lowestSum: 0,
      sums: Float64Array.of(1, 1),
      bound: 3,
    };
    const curves = { dac: measured, dacNoise: 0.1, adc: adc(4) };
    // 18 is the largest code below the bend that is a multiple of 3: straight, and least noise.
    const placement = choosePlacement(signals, curves);
    expect(fitGains(placement, signals, curves)).toMatchObject({ dacFull: 18, dacGain: 6 });
    const full = fullScale(signals, curves);
    expect(nominalGains(full, signals, curves)).toMatchObject({ dacFull: 63, dacGain: 20 / 3 });
  });

  it('takes a wider drive where noise outweighs the bend', () => {
    const signals = { pulses: Float64Array.of(0, 1, 1, 1), lowestSum: 0, sums: Float64Array.of(1), bound: 3 };
    const full = (dacNoise: number) =>
      choosePlacement(signals, { dac: dacCurve({ bits: 8, compression: 0.3 }), dacNoise, adc: adc(4) })
        .dacFull;
    expect(full(4)).toBeGreaterThan(full(0.01));
  });

  it('never expects a larger error than the plain placement, by its own measure', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(100), { minLength: 2, maxLength: 40 }),
        fc.integer({ min: 2, max: 6 }),
        fc.double({ min: -3, max: 3, noNaN: true }),
        (counts, bits, curvature) => {
          const converter = adc(bits, curvature);
          const signals = {
            pulses: Float64Array.of(0, 1),
            lowestSum: 0,
            sums: Float64Array.from(counts),
            bound: counts.length,
          };
          const curves = { dac: Float64Array.of(0, 1), dacNoise: 0, adc: converter };
          const map = fitGains(choosePlacement(signals, curves), signals, curves);
          const error = (decode: (sum: number) => number) =>
            counts.reduce((sum, count, at) => sum + count * (decode(at) - at) ** 2, 0);
          const mapped = error((sum) => {
            const code = converter.code(map.adcZero + sum * map.codesPerUnit);
            return (code - map.zeroCode) * map.unitsPerCode;
          });
          expect(mapped).toBeLessThanOrEqual(error((sum) => converter.code(sum) - converter.code(0)) + 1e-9);
        },
      ),
    );
  });
});
