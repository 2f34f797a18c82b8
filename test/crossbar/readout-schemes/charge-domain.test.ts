import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { layerJob } from '../../../src/crossbar/layer-job';
import { attenuatedWeights } from '../../../src/crossbar/readout-schemes/capacity-attenuator';
import {
  calibrateChargeRange,
  chargeConversions,
  chargeDomain,
} from '../../../src/crossbar/readout-schemes/charge-domain';
import { gatedFlash } from '../../../src/crossbar/readout-schemes/gated-flash';
import { referenceEngine } from '../../../src/crossbar/reference-engine';
import { randomStream } from '../../../src/tensor/random';
import { integerProduct } from '../random-layers';
import { layers } from './layers';

/** 4-bit inputs and weights, as in the paper. */
const fourBit = (rows: number, vectors: number, activity = 0.5) => {
  const random = randomStream(5, 'four bits');
  return {
    codes: Int8Array.from({ length: rows * 4 }, () => random.integer(15) - 7),
    inputs: Uint8Array.from({ length: rows * vectors }, () =>
      random.uniform() < activity ? random.integer(16) : 0,
    ),
    rows,
    columns: 4,
    vectors,
    weightBits: 4,
    inputBits: 4,
  };
};

describe('chargeDomain', () => {
  it('equals the integer product in every configuration with bits enough and no mismatch', () => {
    fc.assert(
      fc.property(layers, (layer) => {
        const result = chargeDomain(layerJob(layer), { adcBits: 16 });
        // 16 bits with a sign are too few for the largest sums of a few configurations.
        fc.pre(result.step === 1 || result.range <= 2 ** 15 - 1);
        expect(result.step).toBe(1);
        expect([...result.outputs].map((x) => x + 0)).toEqual(integerProduct(layer));
        expect([result.saturated, result.cutByGate]).toEqual([0, 0]);
      }),
      { numRuns: 200 },
    );
  });

  it('equals the integer product at 4-bit inputs and weights with one conversion for the whole input', () => {
    fc.assert(
      fc.property(layers, fc.constantFrom('worst-case' as const, 'stored-codes' as const), (layer, range) => {
        const clamp = (most: number) => (x: number) => Math.max(-most, Math.min(most, x));
        const narrow = {
          ...layer,
          weightBits: 4,
          inputBits: 4,
          codes: layer.codes.map(clamp(7)),
          inputs: layer.inputs.map(clamp(7)),
        };
        const result = chargeDomain(layerJob(narrow), { adcBits: 16, conversion: 'whole-input', range });
        expect([...result.outputs].map((x) => x + 0)).toEqual(integerProduct(narrow));
      }),
      { numRuns: 200 },
    );
  });

  it('makes one conversion where the plain crossbar makes one a weight plane, and one more a pulse plane', () => {
    const job = layerJob(fourBit(64, 10));
    const plain = referenceEngine(job).conversions;
    expect(plain).toBe(10 * 4 * 3 * 2 * 4);
    expect(chargeDomain(job).conversions).toBe(plain / 3);
    expect(chargeDomain(job, { conversion: 'whole-input' }).conversions).toBe(plain / 3 / 4);
  });

  it('turns on exactly the comparators that the active inputs can reach', () => {
    // Two active rows of four, weights up to 3: sums up to 6 of 12. Step 1: thresholds 0.5, 1.5, ... 5.5 are on.
    const codes = Int8Array.of(3, 3, 3, 3);
    const shape = { codes, rows: 4, columns: 1, vectors: 1, weightBits: 3, inputBits: 1 };
    const job = layerJob({ ...shape, inputs: Uint8Array.of(1, 0, 1, 0) });
    expect(chargeDomain(job, { adcBits: 4 })).toMatchObject({
      outputs: Float64Array.of(6),
      range: 12,
      step: 1,
      comparatorsFired: 6,
      comparatorsUngated: 15,
      cutByGate: 0,
    });
    // A sensor that counts in threes takes two rows for three.
    expect(chargeDomain(job, { adcBits: 4, sensorRows: 3 }).comparatorsFired).toBe(9);
  });

  it('never changes an output by gating, whatever the step, when comparators have no offset', () => {
    fc.assert(
      fc.property(
        layers,
        fc.integer({ min: 2, max: 6 }),
        fc.constantFrom(...chargeConversions),
        (layer, adcBits, conversion) => {
          const job = layerJob(layer);
          const settings = { adcBits, conversion };
          const result = chargeDomain(job, settings);
          expect(result.cutByGate).toBe(0);
          expect(result.comparatorsFired).toBeLessThanOrEqual(result.comparatorsUngated);
          expect(chargeDomain(job, { ...settings, sensorRows: 4096 }).outputs).toEqual(result.outputs);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('fires fewer comparators the sparser the input', () => {
    const fired = (activity: number) => {
      const { comparatorsFired, conversions } = chargeDomain(layerJob(fourBit(64, 50, activity)));
      return comparatorsFired / conversions;
    };
    expect(fired(0.05)).toBeLessThan(fired(0.3));
    expect(fired(0.3)).toBeLessThanOrEqual(fired(1));
  });

  it('errs in proportion to the attenuator’s mismatch, alike for one seed', () => {
    const layer = fourBit(64, 50);
    const exact = integerProduct(layer);
    const error = (attenuatorSigma: number, seed = 1) => {
      const job = layerJob(layer);
      const { outputs } = chargeDomain(job, {
        adcBits: 16,
        conversion: 'whole-input',
        attenuatorSigma,
        seed,
      });
      return Math.sqrt(exact.reduce((sum, y, i) => sum + (y - outputs[i]) ** 2, 0) / exact.length);
    };
    expect(error(0)).toBe(0);
    expect(error(0.1) / error(0.05)).toBeGreaterThan(1.7);
    expect(error(0.1) / error(0.05)).toBeLessThan(2.3);
    expect(error(0.1)).toBe(error(0.1));
    expect(error(0.1)).not.toBe(error(0.1, 2));
  });

  it('finds a range that errs no more than what the stored codes allow', () => {
    const layer = fourBit(64, 50);
    const exact = integerProduct(layer);
    const error = (range?: number) => {
      const { outputs } = chargeDomain(layerJob(layer), { adcBits: 4, range });
      return exact.reduce((sum, y, i) => sum + (y - outputs[i]) ** 2, 0);
    };
    expect(error(calibrateChargeRange(layerJob(layer), { adcBits: 4 }))).toBeLessThan(error());
  });

  it('names the setting that is out of range', () => {
    const job = layerJob(fourBit(4, 1));
    expect(() => chargeDomain(job, { adcBits: 17 })).toThrow(
      'adcBits: 17 is not a whole number from 1 to 16',
    );
    expect(() => chargeDomain(job, { attenuatorSigma: -1 })).toThrow('attenuatorSigma: -1');
    expect(() => chargeDomain(job, { conversion: 'x' as 'input-plane' })).toThrow(
      'conversion: "x" is unknown',
    );
    expect(() => chargeDomain(job, { range: 0 })).toThrow('range: 0 is not a number');
  });
});

describe('attenuatedWeights', () => {
  it('gives the plain weights without mismatch', () => {
    expect([...attenuatedWeights([1, 2, 4, 8], 0, randomStream(1, 'x'))]).toEqual([1, 2, 4, 8]);
  });

  it('spreads a plane’s weight by sigma times the root of the stages it passes', () => {
    const random = randomStream(1, 'stages');
    const squares = [0, 0, 0];
    for (let i = 0; i < 4000; i++) {
      attenuatedWeights([1, 2, 4], 0.02, random).forEach((weight, plane) => {
        squares[plane] += (weight / 2 ** plane - 1) ** 2 / 4000;
      });
    }
    expect(squares[2]).toBe(0);
    expect(Math.sqrt(squares[1])).toBeCloseTo(0.02, 3);
    expect(Math.sqrt(squares[0])).toBeCloseTo(0.02 * Math.SQRT2, 3);
  });
});

describe('gatedFlash', () => {
  const ideal = { adcBits: 3, step: 2, signed: false, comparatorSigma: 0 };

  it('rounds to the nearest code and says what it could not hold', () => {
    const flash = gatedFlash(ideal, randomStream(1, 'flash'));
    expect([0, 0.9, 1, 13.9, 14.9].map((value) => flash(value, 100).code)).toEqual([0, 0, 1, 7, 7]);
    expect([14.9, 15].map((value) => flash(value, 100).clipped)).toEqual([false, true]);
  });

  it('counts tripped comparators where they have offsets', () => {
    const drawn = randomStream(1, 'flash');
    const thresholds = Array.from({ length: 7 }, (_, i) => 2 * (i + 0.5 + 0.4 * drawn.normal()));
    const flash = gatedFlash({ ...ideal, comparatorSigma: 0.4 }, randomStream(1, 'flash'));
    for (let value = 0; value < 16; value += 0.37) {
      expect(flash(value, 100).code).toBe(thresholds.filter((threshold) => value >= threshold).length);
    }
  });

  it('cuts a value above its bound to the highest comparator that is on, and says so', () => {
    const flash = gatedFlash(ideal, randomStream(1, 'flash'));
    expect(flash(10, 6)).toEqual({ code: 3, fired: 3, clipped: false, cut: true });
  });
});
