import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { adcCodes, clips, convert, roundings } from '../../src/crossbar/adc';
import { chooseStep, chooseSteps, conversionError, type RangePolicy } from '../../src/crossbar/adc-range';
import { type StepGranularity, stepGranularities } from '../../src/crossbar/adc-steps';
import { mergeHistograms, sumCounter, sumHistogram } from '../../src/crossbar/sum-histogram';

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
    const settings = { adc: { bits: 4 }, range: { policy: 'full-scale' }, fullScales: [128, 16] } as const;
    const seen = sumHistogram([1]);
    expect(chooseStep(seen, { ...settings, whole: false })).toBe(128 / 15);
    expect(chooseStep(seen, settings)).toBe(9);
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
        for (let step = 1; step <= 150; step++) expect(least).toBeLessThanOrEqual(error(step));
      }),
    );
  });

  it('keeps the head room of the largest sum seen where a wider step errs no less', () => {
    const range = { policy: 'minimum-mse' } as const;
    expect(chooseStep(sumHistogram([0, 2, 6]), { adc: { bits: 2 }, range })).toBe(2);
    expect(chooseStep(sumHistogram([0, 3]), { adc: { bits: 3 }, range })).toBe(1);
    // Five steps of one, clipped, or one of five.
    expect(chooseStep(sumHistogram([0, 5]), { adc: { bits: 2 }, range })).toBe(5);
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
    expect(() => step({ policy: 'full-scale' })).toThrow(/fullScales: none; a number above 0/);
  });
});

/** Histograms of the sums of columns, merged by what shares a step. */
function seenBy(granularity: StepGranularity, arrays: number, columns: readonly number[][]) {
  const count = { layer: 1, array: arrays, column: columns.length }[granularity];
  const share = columns.length / count;
  return Array.from({ length: count }, (_, i) =>
    mergeHistograms(columns.slice(i * share, (i + 1) * share).map(sumHistogram)),
  );
}

describe('chooseSteps', () => {
  it('gives a step to the layer, to each array or to each column', () => {
    const values = (granularity: StepGranularity, policy: 'maximum' | 'full-scale') => [
      ...chooseSteps(seenBy(granularity, 2, [[3], [6], [9], [30]]), granularity, {
        adc: { bits: 2 },
        range: { policy },
        fullScales: [90, 60],
      }).values,
    ];
    expect(values('layer', 'maximum')).toEqual([10]);
    expect(values('array', 'maximum')).toEqual([2, 10]);
    expect(values('column', 'maximum')).toEqual([1, 2, 3, 10]);
    expect(values('layer', 'full-scale')).toEqual([30]);
    expect(values('array', 'full-scale')).toEqual([30, 20]);
    expect(values('column', 'full-scale')).toEqual([30, 30, 20, 20]);
    expect(() => values('row' as StepGranularity, 'maximum')).toThrow(
      /granularity: "row" is unknown; one of layer, array, column/,
    );
  });

  it('never errs more in columns than in arrays, nor in those than in the layer, at minimum mean squared error', () => {
    const columns = fc
      .tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 4 }))
      .chain(([arrays, width]) => {
        const some = fc.array(fc.integer({ min: -60, max: 120 }), { maxLength: 12 });
        const size = arrays * width;
        return fc.record({
          arrays: fc.constant(arrays),
          sums: fc.array(some, { minLength: size, maxLength: size }),
        });
      });
    fc.assert(
      fc.property(adcs, columns, (adc, { arrays, sums }) => {
        const errorOf = (granularity: StepGranularity) => {
          const settings = { adc, range: { policy: 'minimum-mse' } } as const;
          const { values } = chooseSteps(seenBy(granularity, arrays, sums), granularity, settings);
          return sums.reduce((error, own, column) => {
            const step = values[Math.floor((column * values.length) / sums.length)];
            return error + own.length * conversionError(sumHistogram(own), { ...adc, step });
          }, 0);
        };
        const [layer, array, column] = stepGranularities.map(errorOf);
        expect(array).toBeLessThanOrEqual(layer + 1e-6);
        expect(column).toBeLessThanOrEqual(array + 1e-6);
      }),
      { numRuns: 300 },
    );
  });

  it('leaves a lossless ADC lossless, whatever shares a range', () => {
    const sums = fc.array(fc.array(fc.integer({ min: 0, max: 7 })), { minLength: 4, maxLength: 4 });
    fc.assert(
      fc.property(sums, fc.constantFrom(...stepGranularities), (columns, granularity) => {
        for (const policy of ['lossless', 'maximum', 'minimum-mse'] as const) {
          const settings = { adc: { bits: 3 }, range: { policy } } as const;
          const { values } = chooseSteps(seenBy(granularity, 2, columns), granularity, settings);
          expect([...new Set(values)]).toEqual([1]);
        }
      }),
    );
  });
});

describe('sumCounter', () => {
  it('counts what comes bit by bit, rounded, as a histogram counts it at once', () => {
    const parts = fc.array(fc.array(fc.integer({ min: -400, max: 400 })));
    fc.assert(
      fc.property(parts, fc.double({ min: -0.49, max: 0.49, noNaN: true }), (sums, off) => {
        const counter = sumCounter();
        for (const part of sums) counter.add(Float64Array.from(part, (sum) => sum + off));
        expect(counter.histogram()).toEqual(sumHistogram(sums.flat()));
      }),
    );
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
