import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { certifyLayer } from '../../src/bitplanes/certify-layer';
import { countOnes } from '../../src/bitplanes/count-ones';
import { InputError } from '../../src/errors';
import { fillMask, maskOf } from '../../src/projections/bit-mask';
import { nearestWithMask } from '../../src/projections/nearest-with-mask';
import { projectLayer } from '../../src/projections/project-layer';
import { randomStream } from '../../src/tensor/random';

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

describe('fillMask', () => {
  const shape = { rows: 100, columns: 5, tileRows: 64, weightBits: 8, bitLimit: 5 };
  const stream = randomStream(2, 'mask');
  const targets = Float32Array.from({ length: 500 }, () => stream.normal());
  const scales = new Float32Array(5).fill(0.03);

  it('keeps the bits of the codes and fills every slot that a row of that polarity can take', () => {
    const { codes } = projectLayer({ ...shape, targets, scales, method: 'greedy' });
    const { mask, sign } = fillMask({ ...shape, codes, targets, scales });
    const full = Int8Array.from(mask, (bits, i) => bits * sign[i]);
    expect(certifyLayer({ ...shape, codes: full }).holds).toBe(true);
    codes.forEach((code, i) => {
      expect(mask[i] & Math.abs(code)).toBe(Math.abs(code));
    });
    expect(new Set(countOnes({ ...shape, codes: full }).counts)).toEqual(new Set([5]));
  });

  it('never lets a masked weight be further off than the projection it came from', () => {
    const { codes } = projectLayer({ ...shape, targets, scales, method: 'lagrangian' });
    const filled = fillMask({ ...shape, codes, targets, scales });
    const inUnits = Float64Array.from(targets, (target, i) => target / scales[i % 5]);
    const nearest = nearestWithMask({ targets: inUnits, ...filled });
    inUnits.forEach((target, i) => {
      expect(Math.abs(target - nearest[i])).toBeLessThanOrEqual(Math.abs(target - codes[i]));
    });
  });

  it('keeps the value limit', () => {
    const { codes } = projectLayer({ ...shape, targets, scales, method: 'greedy', valueLimit: 9 });
    const { mask, sign } = fillMask({ ...shape, codes, targets, scales, valueLimit: 9 });
    const full = Int8Array.from(mask, (bits, i) => bits * sign[i]);
    expect(certifyLayer({ ...shape, codes: full, valueLimit: 9 }).holds).toBe(true);
  });

  it('refuses encodings whose bits are no magnitudes', () => {
    const base = { ...shape, codes: new Int8Array(500), targets, scales };
    expect(() => fillMask({ ...base, encoding: 'csd' })).toThrow(/encoding: "csd".* sign-split .*is needed/);
    expect(() => fillMask({ ...base, cellBits: 2 })).toThrow(/1-bit cells/);
  });

  it('refuses codes that break the limits already', () => {
    const codes = new Int8Array(500).fill(1);
    expect(() => fillMask({ ...shape, codes, targets: targets.map(Math.abs), scales })).toThrow(InputError);
    const five = { rows: 5, columns: 1, tileRows: 5, bitLimit: 5, scales: Float32Array.of(1) };
    const own = { ...five, codes: Int8Array.of(1, 2, 4, 0, 9), targets: Float32Array.of(1, 2, 4, 0, 9) };
    expect(() => fillMask({ ...own, weightBits: 8, valueLimit: 3 })).toThrow(/column 0 .*nonzeros .* 3/);
    expect(() => fillMask({ ...own, weightBits: 4 })).toThrow('9 at row 4, column 0 is outside -7..7');
    expect(() => fillMask({ ...own, weightBits: 5, valueLimit: 4 })).not.toThrow();
  });
});
