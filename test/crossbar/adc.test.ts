import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { adcCodes, checkAdc, clips, convert, roundings } from '../../src/crossbar/adc';

describe('convert', () => {
  it('clips an unsigned sum to 0..2^bits-1 steps', () => {
    expect([-1, 0, 6, 7, 8, 100].map((sum) => convert(sum, { bits: 3 }))).toEqual([0, 0, 6, 7, 7, 7]);
  });
  it('clips a signed sum to as many codes below zero as above', () => {
    expect([-9, -4, -3, 0, 3, 4].map((sum) => convert(sum, { bits: 3, signed: true }))).toEqual([
      -3, -3, -3, 0, 3, 3,
    ]);
  });
  it('rounds ties to even, up or down as asked', () => {
    const at = (rounding: (typeof roundings)[number]) =>
      [0, 1, 2, 3, 4, 5, 7].map((sum) => convert(sum, { bits: 4, step: 2, rounding }));
    expect(at('half-even')).toEqual([0, 0, 2, 4, 4, 4, 8]);
    expect(at('half-up')).toEqual([0, 2, 2, 4, 4, 6, 8]);
    expect(at('floor')).toEqual([0, 0, 2, 2, 4, 4, 6]);
  });
  it('returns the sum itself when lossless', () => {
    fc.assert(
      fc.property(fc.integer(), (sum) => convert(sum, 'lossless') === sum && !clips(sum, 'lossless')),
    );
  });
  it('is monotonic, lands on a code, and is off by at most half a step unless it clips', () => {
    const adc = fc.record({
      bits: fc.integer({ min: 2, max: 10 }),
      step: fc.constantFrom(1, 2, 3, 1.5, 0.25),
      rounding: fc.constantFrom(...roundings),
      signed: fc.boolean(),
    });
    fc.assert(
      fc.property(adc, fc.integer({ min: -4000, max: 4000 }), (settings, sum) => {
        const value = convert(sum, settings);
        const { lowest, highest } = adcCodes(settings);
        const code = value / settings.step;
        const reach = settings.rounding === 'floor' ? 1 : 0.5;
        expect(Number.isInteger(code) && code >= lowest && code <= highest).toBe(true);
        expect(convert(sum + 1, settings)).toBeGreaterThanOrEqual(value);
        if (!clips(sum, settings)) expect(Math.abs(sum - value)).toBeLessThanOrEqual(reach * settings.step);
      }),
    );
  });
});

describe('checkAdc', () => {
  it('names the field that is out of range', () => {
    expect(() => checkAdc({ bits: 0 })).toThrow(/adc\.bits: 0 is not a whole number from 1 to 16/);
    expect(() => checkAdc({ bits: 1, signed: true })).toThrow(/adc\.bits: 1/);
    expect(() => checkAdc({ bits: 3, step: Number.NaN })).toThrow(/adc\.step: NaN/);
    expect(() => checkAdc({ bits: 3, rounding: 'up' as 'floor' })).toThrow(/adc\.rounding: "up"/);
    expect(() => checkAdc(0 as unknown as 'lossless')).toThrow(/neither "lossless" nor/);
  });
});
