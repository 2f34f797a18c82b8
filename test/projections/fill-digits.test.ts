import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { certifyLayer } from '../../src/bitplanes/certify-layer';
import { planeEncoding } from '../../src/bitplanes/plane-encoding';
import { InputError } from '../../src/errors';
import { codebookOf } from '../../src/projections/codebook';
import { fillDigits } from '../../src/projections/fill-digits';
import { createNearestCodes, nearestWithDigits } from '../../src/projections/nearest-codes';
import { projectLayer } from '../../src/projections/project-layer';
import { randomStream } from '../../src/tensor/random';

const codings = [
  { encoding: 'sign-split', weightBits: 8 },
  { encoding: 'sign-split', weightBits: 4 },
  { encoding: 'csd', weightBits: 8 },
  { encoding: 'csd', weightBits: 5 },
] as const;

type Coding = (typeof codings)[number];

const nearestOf = (coding: Coding) => createNearestCodes(codebookOf({ ...coding, bitLimit: Infinity }));

/** Bit columns that a code has ones in, read from the encoding itself. */
function digitsOf({ encoding, weightBits }: Coding, code: number): number {
  const { polarities, planes, digits } = planeEncoding(encoding, weightBits);
  let found = 0;
  for (let slot = 0; slot < polarities * planes; slot++)
    if (digits[(code + 128) * polarities * planes + slot] > 0) found |= 1 << slot;
  return found;
}

describe('nearestWithDigits', () => {
  it.each(codings)(
    'is as near as the best of all $encoding codes of $weightBits bits that the digits can make',
    (coding) => {
      const { planes, minCode, maxCode } = planeEncoding(coding.encoding, coding.weightBits);
      const nearest = nearestOf(coding);
      const weight = fc.oneof(
        fc.double({ min: -200, max: 200, noNaN: true }).map(Math.fround),
        fc.integer({ min: -260, max: 260 }).map((twice) => twice / 2),
      );
      fc.assert(
        fc.property(weight, fc.integer({ min: 0, max: 2 ** (2 * planes) - 1 }), (target, mask) => {
          const [code] = nearestWithDigits(Float64Array.of(target), Uint16Array.of(mask), nearest);
          let best = Infinity;
          for (let other = minCode; other <= maxCode; other++)
            if ((digitsOf(coding, other) & ~mask) === 0) best = Math.min(best, Math.abs(target - other));
          expect(digitsOf(coding, code) & ~mask).toBe(0);
          // Halves are counted in float32.
          expect(Math.abs(target - code)).toBeLessThanOrEqual(best + 5e-5);
        }),
        { numRuns: 1000 },
      );
    },
  );

  it('gives a sign-split weight that changed its sign 0, and one in signed digits what its digits make', () => {
    const seven = digitsOf({ encoding: 'sign-split', weightBits: 8 }, 7);
    const split = nearestOf({ encoding: 'sign-split', weightBits: 8 });
    expect([...nearestWithDigits(Float32Array.of(-5, 5), Uint16Array.of(seven, seven), split)]).toEqual([
      0, 5,
    ]);
    // 7 = 8 - 1: the digits +8 and -1 make -1, 0, 7 and 8.
    const digits = digitsOf({ encoding: 'csd', weightBits: 8 }, 7);
    const targets = Float32Array.of(-5, 3, 5, 7.4, 90);
    const masks = new Uint16Array(5).fill(digits);
    expect([...nearestWithDigits(targets, masks, nearestOf({ encoding: 'csd', weightBits: 8 }))]).toEqual([
      -1, 0, 7, 7, 8,
    ]);
  });

  it('refuses masks of another length and NaN', () => {
    const nearest = nearestOf(codings[0]);
    expect(() => nearestWithDigits(Float32Array.of(1, 2), Uint16Array.of(1), nearest)).toThrow(InputError);
    expect(() => nearestWithDigits(Float32Array.of(Number.NaN), Uint16Array.of(1), nearest)).toThrow(
      /weight 0/,
    );
  });
});

describe('fillDigits', () => {
  const stream = randomStream(2, 'mask');
  const targets = Float32Array.from({ length: 500 }, () => stream.normal());
  const shape = { rows: 100, columns: 5, tileRows: 64, bitLimit: 5 };

  describe.each([
    { encoding: 'sign-split', weightBits: 8 },
    { encoding: 'csd', weightBits: 7 },
  ] as const)('$encoding', (coding) => {
    const { planes } = planeEncoding(coding.encoding, coding.weightBits);
    const nearest = nearestOf(coding as Coding);
    const scales = new Float32Array(5).fill(0.03 * 2 ** (7 - planes));
    const given = { ...shape, ...coding, targets, scales };

    it('keeps the digits of the codes and fills every place that a row can take', () => {
      const { codes } = projectLayer({ ...given, method: 'greedy' });
      const masks = fillDigits({ ...given, codes, nearest });
      codes.forEach((code, i) => {
        const own = digitsOf(coding as Coding, code);
        expect(masks[i] & own).toBe(own);
      });
      for (const first of [0, 64])
        for (let column = 0; column < 5; column++)
          for (let slot = 0; slot < 2 * planes; slot++) {
            let ones = 0;
            for (let row = first; row < Math.min(100, first + 64); row++)
              ones += (masks[row * 5 + column] >> slot) & 1;
            expect(ones).toBe(5);
          }
    });

    it('never lets a weight be further off than the projection it came from', () => {
      const { codes } = projectLayer({ ...given, method: 'lagrangian' });
      const masks = fillDigits({ ...given, codes, nearest });
      const inUnits = Float64Array.from(targets, (target, i) => target / scales[i % 5]);
      const found = nearestWithDigits(inUnits, masks, nearest);
      inUnits.forEach((target, i) => {
        expect(Math.abs(target - found[i])).toBeLessThanOrEqual(Math.abs(target - codes[i]) + 5e-5);
      });
      expect(certifyLayer({ ...given, codes: found }).holds).toBe(true);
    });

    it('keeps every limit whatever the weights become', () => {
      const { codes } = projectLayer({ ...given, method: 'greedy', valueLimit: 9 });
      const masks = fillDigits({ ...given, codes, nearest, valueLimit: 9 });
      const moving = randomStream(3, 'moved');
      for (let turn = 0; turn < 20; turn++) {
        const moved = Float64Array.from(targets, () => 60 * moving.normal());
        const own = { ...given, codes: nearestWithDigits(moved, masks, nearest), valueLimit: 9 };
        expect(certifyLayer(own).holds).toBe(true);
      }
    });
  });

  it('gives a row of signed digits places of both polarities', () => {
    // Of 11 = 16 - 4 - 1 one row has the sixteen; what is over is negative.
    const one = { rows: 1, columns: 1, tileRows: 1, encoding: 'csd', weightBits: 7, bitLimit: 1 } as const;
    const nearest = createNearestCodes(codebookOf(one));
    const codes = Int8Array.of(16);
    const targets = Float32Array.of(11);
    const masks = fillDigits({ ...one, codes, targets, scales: Float32Array.of(1), nearest });
    expect([...nearestWithDigits(targets, masks, nearest)]).toEqual([11]);
  });

  it('refuses encodings without polarities, and cells of several bits', () => {
    const nearest = nearestOf(codings[0]);
    const scales = new Float32Array(5).fill(1);
    const base = { ...shape, weightBits: 8, codes: new Int8Array(500), targets, scales, nearest };
    expect(() => fillDigits({ ...base, encoding: 'offset' })).toThrow(/encoding: offset .* csd .*is needed/);
    expect(() => fillDigits({ ...base, cellBits: 2 })).toThrow(/1-bit cells/);
  });

  it('refuses codes that break the limits already', () => {
    const nearest = nearestOf(codings[0]);
    const codes = new Int8Array(500).fill(1);
    const all = { ...shape, weightBits: 8, scales: new Float32Array(5).fill(0.03), nearest };
    expect(() => fillDigits({ ...all, codes, targets: targets.map(Math.abs) })).toThrow(InputError);
    const five = { rows: 5, columns: 1, tileRows: 5, bitLimit: 5, scales: Float32Array.of(1) };
    const own = { ...five, codes: Int8Array.of(1, 2, 4, 0, 9), targets: Float32Array.of(1, 2, 4, 0, 9) };
    expect(() => fillDigits({ ...own, nearest, weightBits: 8, valueLimit: 3 })).toThrow(
      /column 0 .*nonzeros/,
    );
    expect(() => fillDigits({ ...own, nearest: nearestOf(codings[1]), weightBits: 4 })).toThrow(
      '9 at row 4, column 0 is outside -7..7',
    );
    expect(() => fillDigits({ ...own, nearest, weightBits: 8, valueLimit: 4 })).not.toThrow();
  });
});
