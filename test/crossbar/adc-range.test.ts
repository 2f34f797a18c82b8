import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { adcCodes, clips, convert, roundings } from '../../src/crossbar/adc';
import { chooseStep, chooseSteps, conversionError, type RangePolicy } from '../../src/crossbar/adc-range';
import { mergeHistograms, sumHistogram } from '../../src/crossbar/sum-histogram';

const adcs = fc.record({
  bits: fc.integer({ min: 2, max: 6 }),
  rounding: fc.constantFrom(...roundings),
  signed: fc.boolean(),
});

describe('chooseStep', () => {
  it('keeps the step 1 when lossless, and says so when the bits do not suffice', () => {
    const range = { policy: 'lossless' } as const;
    expect(chooseStep(sumHistogram([0, 3, 7]), { adc: { bits: 3 }, range })).toBe(1);
    expect(() => chooseStep(sumHistogram([8]), { adc: { bits: 3 }, range })).toThrow(
      /range\.policy: lossless, but sums reach 8 where 3 bits hold 7/,
    );
  });

  it('spans the largest possible sum at full scale', () => {
    const range = { policy: 'full-scale', fullScale: 128 } as const;
    const seen = sumHistogram([1]);
    expect(chooseStep(seen, { adc: { bits: 4 }, range, whole: false })).toBe(128 / 15);
    expect(chooseStep(seen, { adc: { bits: 4 }, range })).toBe(9);
  });

  it('clips nothing when it spans the largest sum seen', () => {
    fc.assert(
      fc.property(adcs, fc.array(fc.integer({ min: -90, max: 90 })), fc.boolean(), (adc, sums, whole) => {
        const given = adc.signed ? sums : sums.map(Math.abs);
        const step = chooseStep(sumHistogram(given), { adc, range: { policy: 'maximum' }, whole });
        for (const sum of given) {
          const over = Math.abs(sum) / step - adcCodes(adc).highest;
          // Rounding a negative sum down may pass the lowest code by one.
          expect(over > 1e-9 || (adc.rounding !== 'floor' && clips(sum, { ...adc, step }))).toBe(false);
        }
        if (whole) expect(Number.isInteger(step)).toBe(true);
      }),
    );
  });

  it('lets the stated share of sums clip at a percentile', () => {
    const sums = Array.from({ length: 1000 }, (_, i) => i % 100);
    const step = (share: number) =>
      chooseStep(sumHistogram(sums), {
        adc: { bits: 4 },
        range: { policy: 'percentile', share },
        whole: false,
      });
    expect(step(1)).toBe(99 / 15);
    expect(step(0.9)).toBe(89 / 15);
    expect(step(0.5)).toBe(49 / 15);
  });

  it('asks for no range for sums below zero that an unsigned ADC cannot read anyway', () => {
    const seen = sumHistogram([39, -50]);
    const range = { policy: 'percentile', share: 1 } as const;
    expect(chooseStep(seen, { adc: { bits: 3 }, range })).toBe(6);
    expect(chooseStep(seen, { adc: { bits: 3, signed: true }, range })).toBe(17);
  });

  it('never errs more at minimum mean squared error than any other policy or whole step', () => {
    fc.assert(
      fc.property(adcs, fc.array(fc.integer({ min: -60, max: 120 }), { minLength: 1 }), (adc, sums) => {
        const seen = sumHistogram(sums);
        const error = (step: number) => conversionError(seen, { ...adc, step });
        const least = error(chooseStep(seen, { adc, range: { policy: 'minimum-mse' } }));
        const rivals: RangePolicy[] = [
          { policy: 'maximum' },
          { policy: 'percentile', share: 0.99 },
          { policy: 'percentile', share: 0.9 },
        ];
        for (const range of rivals)
          expect(least).toBeLessThanOrEqual(error(chooseStep(seen, { adc, range })));
        const largest = chooseStep(seen, { adc, range: { policy: 'maximum' } });
        for (let step = 1; step <= largest; step++) expect(least).toBeLessThanOrEqual(error(step));
      }),
    );
  });

  it('tries real steps as finely as asked', () => {
    const seen = sumHistogram([0, 1, 2, 3, 4, 5, 30]);
    const step = (candidates: number) =>
      chooseStep(seen, { adc: { bits: 2 }, range: { policy: 'minimum-mse', candidates }, whole: false });
    const error = (candidates: number) => conversionError(seen, { bits: 2, step: step(candidates) });
    expect(error(1000)).toBeLessThanOrEqual(error(10));
    expect(() => step(1)).toThrow(/range\.candidates: 1/);
  });

  it('is 1 where no sum was seen', () => {
    const seen = sumHistogram([]);
    for (const policy of ['lossless', 'maximum', 'minimum-mse'] as const) {
      expect(chooseStep(seen, { adc: { bits: 3 }, range: { policy }, whole: false })).toBeGreaterThan(0);
    }
    expect(chooseStep(seen, { adc: { bits: 3 }, range: { policy: 'maximum' } })).toBe(1);
  });

  it('names the field that is wrong', () => {
    const step = (range: object) =>
      chooseStep(sumHistogram([1]), { adc: { bits: 3 }, range: range as RangePolicy });
    expect(() => step({ policy: 'wide' })).toThrow(/range\.policy: "wide" is unknown; one of lossless/);
    expect(() => step({ policy: 'percentile', share: 0 })).toThrow(/range\.share: 0/);
    expect(() => step({ policy: 'full-scale', fullScale: 0 })).toThrow(/range\.fullScale: 0/);
  });
});

describe('chooseSteps', () => {
  it('gives a step to the layer, to each array or to each column', () => {
    const columns = [[3], [6], [9], [30]].map(sumHistogram);
    const values = (granularity: 'layer' | 'array' | 'column') => [
      ...chooseSteps(columns, 2, granularity, { adc: { bits: 2 }, range: { policy: 'maximum' } }).values,
    ];
    expect(values('layer')).toEqual([10]);
    expect(values('array')).toEqual([2, 10]);
    expect(values('column')).toEqual([1, 2, 3, 10]);
    expect(() =>
      chooseSteps(columns, 3, 'array', { adc: { bits: 2 }, range: { policy: 'maximum' } }),
    ).toThrow(/arrays: 3 does not divide 4 columns/);
  });
});

describe('mergeHistograms', () => {
  it('counts what all of them counted', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -9, max: 9 })),
        fc.array(fc.integer({ min: -9, max: 9 })),
        (a, b) => {
          expect(mergeHistograms([sumHistogram(a), sumHistogram(b)])).toEqual(sumHistogram([...a, ...b]));
        },
      ),
    );
  });
  it('holds the error of the conversions it stands for', () => {
    const sums = [0, 1, 1, 5, 9, -2];
    const adc = { bits: 3, step: 2 };
    const mean = sums.reduce((error, sum) => error + (convert(sum, adc) - sum) ** 2, 0) / sums.length;
    expect(conversionError(sumHistogram(sums), adc)).toBeCloseTo(mean, 12);
  });
});
