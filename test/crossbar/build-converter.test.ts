import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AdcSettings, adcCodes, clips, convert, roundings } from '../../src/crossbar/adc';
import { buildConverter } from '../../src/crossbar/build-converter';
import { type ConverterModel, converterTypes } from '../../src/crossbar/converter-model';
import { randomStream } from '../../src/tensor/random';

const adcs: fc.Arbitrary<AdcSettings> = fc.record({
  bits: fc.integer({ min: 2, max: 8 }),
  step: fc.constantFrom(1, 2, 3, 1.5, 0.25, 0.1, 7 / 3),
  rounding: fc.constantFrom(...roundings),
  signed: fc.boolean(),
});
const types = fc.constantFrom(...converterTypes);
/** Sums on and beside every tie, and any number at all. */
const sums = fc.oneof(
  fc.integer({ min: -2100, max: 2100 }).map((n) => n / 8),
  fc.integer({ min: -520, max: 520 }).map((n) => n * 0.05),
  fc.double({ min: -600, max: 600, noNaN: true }),
  fc.integer({ min: -300, max: 300 }).map((n) => n / 2 + (n < 0 ? -1e-13 : 1e-13)),
);

describe('buildConverter', () => {
  it('is the ideal ADC to the bit when all errors are zero, whatever its kind', () => {
    fc.assert(
      fc.property(adcs, types, fc.array(sums, { minLength: 20, maxLength: 60 }), (adc, type, inputs) => {
        const converter = buildConverter(adc, { type }, randomStream(1, 'c'));
        for (const sum of inputs) {
          expect(converter.convert(sum)).toBe(convert(sum, adc));
          expect(converter.clips(sum)).toBe(clips(sum, adc));
        }
      }),
      { numRuns: 200 },
    );
  });

  it('is the ideal ADC on every tie, also decision by decision with next to no comparator noise', () => {
    for (const type of converterTypes) {
      for (const rounding of roundings) {
        for (const signed of [false, true]) {
          const adc = { bits: 4, rounding, signed };
          const still = buildConverter(adc, { type }, randomStream(1, 'c'));
          const trembling = buildConverter(adc, { type, comparatorNoise: 1e-12 }, randomStream(1, 'c'));
          for (let n = -72; n <= 72; n++) {
            expect(still.convert(n / 4)).toBe(convert(n / 4, adc));
            const off = n / 4 + 0.01;
            expect(trembling.convert(off, randomStream(n, 'n'))).toBe(convert(off, adc));
          }
        }
      }
    }
  });

  it('has a transition level for each code above the lowest, never falling, whatever its errors', () => {
    const errors = fc.record({
      gainSigma: fc.constantFrom(0, 0.1),
      offsetSigma: fc.constantFrom(0, 2),
      inlSigma: fc.constantFrom(0, 1),
      dnlSigma: fc.constantFrom(0, 1),
    });
    fc.assert(
      fc.property(adcs, types, errors, fc.nat(), (adc, type, given, seed) => {
        const own = { sar: { capacitorSigma: 0.3 }, flash: { comparatorSigma: 1 }, ramp: { curvature: 9 } };
        const model = { type, ...given, ...own[type] } as ConverterModel;
        const { levels, lowest, highest, code } = buildConverter(adc, model, randomStream(seed, 'c'));
        expect(levels.length).toBe(highest - lowest);
        for (let i = 1; i < levels.length; i++) expect(levels[i]).toBeGreaterThanOrEqual(levels[i - 1]);
        const step = adc.step ?? 1;
        let last = lowest;
        for (let input = lowest - 5; input < highest + 5; input += 0.37) {
          const now = code(input * step);
          expect(now).toBeGreaterThanOrEqual(last);
          last = now;
        }
      }),
      { numRuns: 60 },
    );
  });

  it('compares like the circuit itself: the noiseless curve is what the decisions one by one give', () => {
    const models: ConverterModel[] = [
      { type: 'sar', capacitorSigma: 0.4, inlSigma: 0.8 },
      { type: 'flash', comparatorSigma: 1.5 },
      { type: 'ramp', curvature: 12, inlSigma: 1 },
    ];
    for (const model of models) {
      for (const signed of [false, true]) {
        const adc = { bits: 5, signed };
        const still = buildConverter(adc, model, randomStream(5, 'c'));
        const trembling = buildConverter(adc, { ...model, comparatorNoise: 1e-13 }, randomStream(5, 'c'));
        for (let n = -400; n <= 400; n++) {
          const sum = n / 10 + 0.0123;
          expect(trembling.code(sum, randomStream(1, 'noise'))).toBe(still.code(sum));
        }
      }
    }
  });

  it('reads more with a positive gain error and offset, by the definition', () => {
    const adc = { bits: 6 };
    const model = { type: 'flash', gainError: 0.1, offset: 2.25 } as const;
    const { code } = buildConverter(adc, model, randomStream(1, 'c'));
    for (let sum = 0; sum < 60; sum++) expect(code(sum)).toBe(convert(1.1 * sum + 2.25, adc));
  });

  it('moves the transition levels by the INL table, and by the DNL table added up', () => {
    const adc = { bits: 3 };
    const inl = [0, 0.25, -0.5, 0.125, 0, 0.375, 0];
    const levels = (model: ConverterModel) => buildConverter(adc, model, randomStream(1, 'c')).levels;
    const expected = inl.map((displacement, i) => i + 0.5 + displacement);
    const dnl = inl.slice(1).map((displacement, i) => displacement - inl[i]);
    for (const type of converterTypes) {
      for (const got of [levels({ type, inl }), levels({ type, dnl })]) {
        got.forEach((level, i) => {
          expect(level).toBeCloseTo(expected[i], 12);
        });
      }
    }
  });

  it('gives a SAR converter the largest step error at the middle of its range, as its capacitors are drawn', () => {
    const adc = { bits: 6 };
    const count = 400;
    const sigma = 0.02;
    const widths = new Float64Array(62);
    for (let seed = 0; seed < count; seed++) {
      const { levels } = buildConverter(adc, { type: 'sar', capacitorSigma: sigma }, randomStream(seed, 'c'));
      for (let i = 0; i < 62; i++) widths[i] += (levels[i + 1] - levels[i] - 1) ** 2 / count;
    }
    // Code 31 to 32 swaps 31 units for 32 others: sigma * sqrt(2^bits - 1) LSB, nearly.
    expect(Math.sqrt(widths[30])).toBeGreaterThan(sigma * Math.sqrt(63) * 0.9);
    expect(Math.sqrt(widths[30])).toBeLessThan(sigma * Math.sqrt(63) * 1.1);
    expect(Math.max(...widths)).toBe(widths[30]);
  });

  it('adds thermal noise of the stated size, and none without a stream', () => {
    const converter = buildConverter({ bits: 8 }, { type: 'flash', noise: 3 }, randomStream(1, 'c'));
    const noise = randomStream(7, 'noise');
    const codes = Array.from({ length: 20000 }, () => converter.code(128, noise));
    const mean = codes.reduce((a, b) => a + b) / codes.length;
    const variance = codes.reduce((a, b) => a + (b - mean) ** 2, 0) / codes.length;
    expect(mean).toBeCloseTo(128, 0);
    expect(Math.sqrt(variance - 1 / 12)).toBeCloseTo(3, 1);
    expect(converter.code(128)).toBe(128);
    expect(converter).toMatchObject({ inputNoise: 3, comparatorNoise: 0 });
  });

  it('spreads gain and offset from one converter to the next, and makes the same one from the same stream', () => {
    const model = { type: 'ramp', offsetSigma: 0.5, gainSigma: 0.01 } as const;
    const first = (seed: number) => buildConverter({ bits: 4 }, model, randomStream(seed, 'c')).levels;
    expect(first(1)).toEqual(first(1));
    const at = Array.from({ length: 2000 }, (_, seed) => first(seed)[0]);
    const mean = at.reduce((a, b) => a + b) / at.length;
    const sigma = Math.sqrt(at.reduce((a, b) => a + (b - mean) ** 2, 0) / at.length);
    expect(sigma).toBeGreaterThan(0.47);
    expect(sigma).toBeLessThan(0.53);
  });

  it('spreads the comparators of a flash converter but counts their ones in order', () => {
    const model = { type: 'flash', comparatorSigma: 2 } as const;
    const { levels, code } = buildConverter({ bits: 4 }, model, randomStream(3, 'c'));
    for (let i = 0; i < levels.length; i++) expect(code(levels[i])).toBeGreaterThanOrEqual(i + 1);
    expect(code(levels[0] - 1e-9)).toBe(0);
  });

  it('refuses a model that its ADC cannot have, naming the field', () => {
    const build = (model: object | null, adc: AdcSettings = { bits: 3 }) =>
      buildConverter(adc, model as ConverterModel, randomStream(1, 'c'));
    expect(() => build({ type: 'pipeline' })).toThrow(/converter\.type: "pipeline"; one of sar, flash, ramp/);
    expect(() => build({ type: 'sar', noise: -1 })).toThrow(
      /converter\.noise: -1 is not a number of at least 0/,
    );
    expect(() => build({ type: 'sar', curvature: 1 })).toThrow(
      /converter\.curvature: a sar converter has none/,
    );
    expect(() => build({ type: 'ramp', inl: [0] })).toThrow(/converter\.inl: 1 values where 7 are needed/);
    expect(() => build({ type: 'ramp', dnl: [0] })).toThrow(/converter\.dnl: 1 values where 6 are needed/);
    expect(() => build({ type: 'ramp', inl: [0] }, { bits: 2, signed: true })).toThrow(/where 2 are needed/);
    expect(() => build({ type: 'flash', gainError: -1 })).toThrow(/converter\.gainError: -1 is not above -1/);
    expect(() => build({ type: 'sar', nois: 1 })).toThrow(/converter\.nois: unknown; allowed are type, /);
    expect(() => build({ type: 'sar', noise: null })).toThrow(/converter\.noise: null is not a number/);
    expect(() => build({ type: 'sar', inl: 'low' })).toThrow(/converter\.inl: "low" values where 7/);
    expect(() => build(null)).toThrow(/converter\.type: missing/);
    expect(() => build({ type: 'flash' }, { bits: 0 })).toThrow(/adc\.bits: 0/);
    expect(adcCodes({ bits: 2, signed: true })).toEqual({ lowest: -1, highest: 1 });
  });
});
