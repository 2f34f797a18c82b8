import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { narrowHalf, widenHalf } from '../../src/networks/half-precision';

const finite = Uint16Array.from({ length: 2 * 0x7c00 }, (_, i) => (i < 0x7c00 ? i : 0x8000 + i - 0x7c00));

describe('narrowHalf', () => {
  it('gives every half back from its float32', () => {
    expect(narrowHalf(widenHalf(finite))).toEqual(finite);
    expect([...narrowHalf(Float32Array.of(Infinity, -Infinity))]).toEqual([0x7c00, 0xfc00]);
    expect(widenHalf(narrowHalf(Float32Array.of(Number.NaN)))).toEqual(Float32Array.of(Number.NaN));
  });

  it('takes the nearest half, and of two as near the even one', () => {
    // Halves from 0 up are as many as their bits say, so neighbours are one bit apart.
    const values = widenHalf(finite.subarray(0, 0x7c00));
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 0x7bfe }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (at, share) => {
          const [low, high] = [values[at], values[at + 1]];
          const value = Math.fround(low + share * (high - low));
          const [below, above] = [value - low, high - value];
          const expected = below < above || (below === above && at % 2 === 0) ? at : at + 1;
          expect([...narrowHalf(Float32Array.of(value, -value))]).toEqual([expected, 0x8000 + expected]);
        },
      ),
      { numRuns: 2000 },
    );
    for (let at = 0; at < 0x7bff; at += 7) {
      const middle = (values[at] + values[at + 1]) / 2;
      expect(narrowHalf(Float32Array.of(middle))[0]).toBe(at % 2 === 0 ? at : at + 1);
    }
  });

  it('rounds to infinity from half a step above the largest half', () => {
    expect([...narrowHalf(Float32Array.of(65519.996, 65520, 1e30))]).toEqual([0x7bff, 0x7c00, 0x7c00]);
    expect([...narrowHalf(Float32Array.of(2 ** -25, -(2 ** -25) * 1.001, 1e-30))]).toEqual([0, 0x8001, 0]);
  });
});
