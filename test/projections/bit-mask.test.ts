import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../src/errors';
import { maskOf } from '../../src/projections/bit-mask';
import { nearestWithMask } from '../../src/projections/nearest-with-mask';

describe('nearestWithMask', () => {
  it('is as near as the best of all values that the allowed bits can make', () => {
    const weight = fc.oneof(
      fc.double({ min: -200, max: 200, noNaN: true }),
      fc.integer({ min: -260, max: 260 }).map((twice) => twice / 2),
    );
    fc.assert(
      fc.property(
        weight,
        fc.integer({ min: 0, max: 127 }),
        fc.constantFrom(1, -1, 0),
        (target, mask, sign) => {
          const one = {
            targets: Float64Array.of(target),
            mask: Uint8Array.of(mask),
            sign: Int8Array.of(sign),
          };
          const [code] = nearestWithMask(one);
          let best = Math.abs(target);
          for (let sub = mask; sub > 0; sub = (sub - 1) & mask)
            best = Math.min(best, Math.abs(target - sign * sub));
          expect(Math.abs(code) & ~mask).toBe(0);
          expect(code * sign).toBeGreaterThanOrEqual(0);
          expect(Math.abs(target - code)).toBe(sign === 0 ? Math.abs(target) : best);
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('gives 0 to a weight that changed its sign', () => {
    const codes = nearestWithMask({
      targets: Float32Array.of(-5, 5),
      mask: Uint8Array.of(7, 7),
      sign: Int8Array.of(1, 1),
    });
    expect([...codes]).toEqual([0, 5]);
  });

  it('refuses masks of another length and NaN', () => {
    const base = { mask: Uint8Array.of(1), sign: Int8Array.of(1) };
    expect(() => nearestWithMask({ ...base, targets: Float32Array.of(1, 2) })).toThrow(InputError);
    expect(() => nearestWithMask({ ...base, targets: Float32Array.of(Number.NaN) })).toThrow(/weight 0/);
  });
});

describe('maskOf', () => {
  it('holds the magnitudes and signs of the codes', () => {
    const { mask, sign } = maskOf(Int8Array.of(5, -127, 0));
    expect([[...mask], [...sign]]).toEqual([
      [5, 127, 0],
      [1, -1, 0],
    ]);
  });
});
