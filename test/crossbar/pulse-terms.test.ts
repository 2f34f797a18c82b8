import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inputForms, inputSlices } from '../../src/crossbar/input-slices';
import { pulseTerms } from '../../src/crossbar/pulse-terms';

const cases = fc
  .record({
    bits: fc.integer({ min: 2, max: 8 }),
    dacBits: fc.integer({ min: 1, max: 4 }),
    form: fc.constantFrom(...inputForms),
  })
  .map(({ bits, dacBits, form }) => inputSlices(bits, form === 'twos-complement' ? 1 : dacBits, form));

describe('pulseTerms', () => {
  it('adds up to each pulse of each code, bit by bit or size by size', () => {
    fc.assert(
      fc.property(cases, fc.boolean(), (slices, alone) => {
        const { terms, coefficients, squares, members, starts } = pulseTerms(slices, { alone });
        for (let code = slices.minCode; code <= slices.maxCode; code++) {
          const sums = new Float64Array(slices.planes);
          const squared = new Float64Array(slices.planes);
          for (let i = starts[code & 255]; i < starts[(code & 255) + 1]; i++) {
            sums[Math.floor(members[i] / terms)] += coefficients[members[i] % terms];
            squared[Math.floor(members[i] / terms)] += squares[members[i] % terms];
          }
          for (let plane = 0; plane < slices.planes; plane++) {
            const pulse = slices.pulses[(code & 255) * slices.planes + plane];
            expect(sums[plane]).toBe(pulse);
            if (alone) expect(squared[plane]).toBe(pulse ** 2);
          }
        }
      }),
    );
  });

  it('is the pulse itself where pulses are of one bit', () => {
    expect(pulseTerms(inputSlices(8))).toMatchObject({ terms: 1, coefficients: Float64Array.of(1) });
  });

  it('takes the size of each pulse from the DAC', () => {
    const { coefficients, squares } = pulseTerms(inputSlices(4, 2), { levels: [0, 1, 1.8, 2.5] });
    expect([...coefficients]).toEqual([1, 1.8, 2.5]);
    expect([...squares]).toEqual([1, 1.8 ** 2, 2.5 ** 2]);
  });
});
