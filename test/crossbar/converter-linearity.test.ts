import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { convert, roundings } from '../../src/crossbar/adc';
import { buildConverter } from '../../src/crossbar/build-converter';
import { converterLinearity, findLevels, transferCurve } from '../../src/crossbar/converter-linearity';
import type { ConverterModel } from '../../src/crossbar/converter-model';
import { randomStream } from '../../src/tensor/random';

const errors = fc.record({
  bits: fc.integer({ min: 2, max: 6 }),
  step: fc.constantFrom(1, 0.5, 3),
  rounding: fc.constantFrom(...roundings),
  signed: fc.boolean(),
  type: fc.constantFrom('sar', 'flash', 'ramp'),
  gainError: fc.double({ min: -0.3, max: 0.3, noNaN: true }),
  offset: fc.double({ min: -3, max: 3, noNaN: true }),
  seed: fc.nat(),
});

describe('converterLinearity', () => {
  it('recovers the gain error, offset and INL that were put in', () => {
    fc.assert(
      fc.property(errors, ({ bits, step, rounding, signed, type, gainError, offset, seed }) => {
        const adc = { bits, step, rounding, signed };
        const random = randomStream(seed, 'inl');
        const count = 2 ** bits - (signed ? 2 : 1);
        const inl = Array.from({ length: count }, (_, i) =>
          i === 0 || i === count - 1 ? 0 : random.uniform() - 0.5,
        );
        const model = { type, gainError, offset, inl } as ConverterModel;
        const converter = buildConverter(adc, model, randomStream(1, 'c'));
        const measured = converterLinearity(findLevels(converter.code, adc), adc);
        expect(measured.gainError).toBeCloseTo(count < 2 ? 0 : gainError, 9);
        if (count >= 2) expect(measured.offset).toBeCloseTo(offset, 9);
        inl.forEach((displacement, i) => {
          expect(measured.inl[i]).toBeCloseTo(displacement, 9);
        });
        for (let i = 1; i < count; i++) {
          expect(measured.dnl[i - 1]).toBeCloseTo(inl[i] - inl[i - 1], 9);
        }
      }),
      { numRuns: 100 },
    );
  });

  it('measures by bisection the very levels that the converter has', () => {
    const adc = { bits: 6, step: 1.5 };
    const models: ConverterModel[] = [
      { type: 'sar', capacitorSigma: 0.1, gainSigma: 0.1 },
      { type: 'flash', comparatorSigma: 1, offsetSigma: 40 },
      { type: 'ramp', curvature: 3, inlSigma: 0.5 },
    ];
    for (const model of models) {
      const { code, levels } = buildConverter(adc, model, randomStream(4, 'c'));
      findLevels(code, adc).forEach((level, i) => {
        expect(level).toBeCloseTo(levels[i], 9);
      });
    }
  });

  it('names the codes that no input gives', () => {
    const inl = [0, 0, -1, 0, 0, 0, 0];
    const { levels } = buildConverter({ bits: 3 }, { type: 'flash', inl }, randomStream(1, 'c'));
    expect(converterLinearity(levels, { bits: 3 }).missingCodes).toEqual([2]);
  });

  it('measures the sag of a ramp in the middle of its range', () => {
    const adc = { bits: 5 };
    const { levels } = buildConverter(adc, { type: 'ramp', curvature: 1.5 }, randomStream(1, 'c'));
    const { inl } = converterLinearity(levels, adc);
    expect(inl[15]).toBeCloseTo(-1.5, 12);
    expect(Math.min(...inl)).toBe(inl[15]);
  });

  it('refuses levels that are not those of the resolution', () => {
    expect(() => converterLinearity(new Float64Array(3), { bits: 3 })).toThrow(
      /levels: 3 where 3 bits have 7 transition levels/,
    );
  });
});

describe('transferCurve', () => {
  it('gives evenly spaced sums and what each converts to', () => {
    const { sums, values } = transferCurve((sum) => convert(sum, { bits: 2 }), -1, 5, 7);
    expect([...sums]).toEqual([-1, 0, 1, 2, 3, 4, 5]);
    expect([...values]).toEqual([0, 0, 1, 2, 3, 3, 3]);
    expect(() => transferCurve(Math.abs, 0, 1, 1)).toThrow(/points: 1/);
    expect(() => transferCurve(Math.abs, 1, 1)).toThrow(/to: 1/);
  });
});
