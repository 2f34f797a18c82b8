import { describe, expect, it } from 'vitest';
import { inputForms, inputSlices } from '../../src/crossbar/input-slices';

describe('inputSlices', () => {
  it('makes pulses that add up to every code of every form, width and DAC', () => {
    for (const form of inputForms) {
      for (let bits = form === 'unsigned' ? 1 : 2; bits <= 8; bits++) {
        for (let dacBits = 1; dacBits <= (form === 'twos-complement' ? 1 : 8); dacBits++) {
          const slices = inputSlices(bits, dacBits, form);
          for (let code = slices.minCode; code <= slices.maxCode; code++) {
            let sum = 0;
            for (let plane = 0; plane < slices.planes; plane++) {
              const pulse = slices.pulses[(code & 255) * slices.planes + plane];
              expect(Math.abs(pulse)).toBeLessThanOrEqual(slices.maxPulse);
              sum += slices.weights[plane] * pulse;
            }
            expect(sum).toBe(code);
          }
        }
      }
    }
  });
  it('refuses widths beyond 8 bits and wide DACs for two’s complement', () => {
    expect(() => inputSlices(9)).toThrow(/inputBits: 9/);
    expect(() => inputSlices(8, 0)).toThrow(/dacBits: 0/);
    expect(() => inputSlices(8, 2, 'twos-complement')).toThrow(/1-bit DACs/);
    expect(() => inputSlices(8, 1, 'gray' as 'unsigned')).toThrow(/inputForm: "gray"/);
  });
});
