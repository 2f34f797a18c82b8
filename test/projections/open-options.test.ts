import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodingNames } from '../../src/bitplanes/plane-encoding';
import { codebookOf } from '../../src/projections/codebook';
import { nearestOption, openAtLeast, openAtMost } from '../../src/projections/core/open-options';

const anyBook = fc
  .record({
    encoding: fc.constantFrom(...encodingNames),
    weightBits: fc.integer({ min: 2, max: 8 }),
    cellBits: fc.integer({ min: 1, max: 4 }),
    flipped: fc.boolean(),
  })
  .map(({ encoding, weightBits, cellBits, flipped }) =>
    codebookOf(
      { encoding, weightBits, cellBits: encoding === 'csd' ? 1 : cellBits, bitLimit: Infinity },
      flipped && encoding === 'offset',
    ),
  );

const anyMask = fc.array(fc.nat({ max: 63 }), { maxLength: 12 }).map((closed) => {
  const mask = new Int32Array(2);
  for (const level of closed) mask[level >> 5] |= 1 << (level & 31);
  return mask;
});

/** Levels that a codebook has. */
const levelsOf = ({ most }: { most: Int32Array }) => most.reduce((sum, level) => sum + level, 0);

describe('openAtMost and openAtLeast', () => {
  it('find the next option that uses no closed level, on either side', () => {
    fc.assert(
      fc.property(anyBook, anyMask, fc.nat({ max: 255 }), (book, closed, at) => {
        const last = levelsOf(book);
        const mask = closed.map((word, half) =>
          last >= 32 * (half + 1) ? word : word & ((1 << Math.max(0, last - 32 * half)) - 1),
        );
        const from = at % book.count;
        const open = Array.from({ length: book.count }, (_, option) => option).filter(
          (option) =>
            (book.levels[2 * option] & mask[0]) === 0 && (book.levels[2 * option + 1] & mask[1]) === 0,
        );
        expect(openAtMost(book, from, mask)).toBe(open.filter((option) => option <= from).pop() ?? -1);
        expect(openAtLeast(book, from, mask)).toBe(open.find((option) => option >= from) ?? -1);
      }),
      { numRuns: 2000 },
    );
  });

  it('find nothing beyond the ends', () => {
    const book = codebookOf({ encoding: 'csd', weightBits: 7, bitLimit: Infinity });
    expect(openAtMost(book, -1, new Int32Array(2))).toBe(-1);
    expect(openAtLeast(book, book.count, new Int32Array(2))).toBe(-1);
  });
});

describe('nearestOption', () => {
  it('takes the smaller of two equally near codes, and none as far away as asked or farther', () => {
    const book = codebookOf({ encoding: 'sign-split', weightBits: 4, bitLimit: Infinity });
    const none = new Int32Array(2);
    expect(nearestOption(book, 2.5, Infinity, none)).toBe(book.zero + 2);
    expect(nearestOption(book, 2.5, 0.5, none)).toBe(-1);
    // Without ones: 2, 4 and 6 are left of the positive codes.
    expect(nearestOption(book, 3, Infinity, Int32Array.of(1, 0))).toBe(book.zero + 2);
    expect(nearestOption(book, 30, Infinity, none)).toBe(book.count - 1);
  });
});
