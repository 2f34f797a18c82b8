import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { certifyLayer } from '../../src/bitplanes/certify-layer';
import { countOnes } from '../../src/bitplanes/count-ones';
import { countValues } from '../../src/bitplanes/count-values';
import { digitSumLimit, digitSumLimits } from '../../src/bitplanes/digit-sum-limit';
import { evenTileRows } from '../../src/bitplanes/even-tile-rows';
import { onesHistogram } from '../../src/bitplanes/ones-histogram';
import { encodingNames, planeEncoding } from '../../src/bitplanes/plane-encoding';
import { requiredAdcBits } from '../../src/bitplanes/required-adc-bits';
import { InputError } from '../../src/errors';
import { packPlanes } from './pack-planes';

const layer = fc
  .record({
    rows: fc.integer({ min: 1, max: 20 }),
    columns: fc.integer({ min: 1, max: 4 }),
    tileRows: fc.integer({ min: 1, max: 24 }),
    encoding: fc.constantFrom(...encodingNames),
    weightBits: fc.integer({ min: 2, max: 8 }),
  })
  .chain((shape) => {
    const half = 2 ** (shape.weightBits - 1);
    const length = shape.rows * shape.columns;
    return fc
      .array(fc.integer({ min: 1 - half, max: half - 1 }), { minLength: length, maxLength: length })
      .map((codes) => ({ ...shape, codes: Int8Array.from(codes) }));
  });

describe('planeEncoding', () => {
  it('gives back every code from its cells, in every encoding, width and cell size', () => {
    for (const name of encodingNames) {
      for (let weightBits = 2; weightBits <= 8; weightBits++) {
        for (const cellBits of name === 'csd' ? [1] : [1, 2, 3, 4]) {
          const encoding = planeEncoding(name, weightBits, cellBits);
          const slots = encoding.polarities * encoding.planes;
          for (let code = encoding.minCode; code <= encoding.maxCode; code++) {
            let value = encoding.offset;
            for (let slot = 0; slot < slots; slot++) {
              const digit = encoding.digits[(code + 128) * slots + slot];
              expect(digit).toBeLessThan(2 ** cellBits);
              value += digit * encoding.weights[slot];
            }
            expect(value).toBe(code);
          }
        }
      }
    }
  });

  it('makes 7 planes in 2 polarities of 8-bit sign-split weights', () => {
    const { planes, polarities, minCode, maxCode } = planeEncoding('sign-split', 8);
    expect([planes, polarities, minCode, maxCode]).toEqual([7, 2, -127, 127]);
  });

  it('never sets neighbouring canonical signed digits', () => {
    const { digits, planes } = planeEncoding('csd', 8);
    for (let code = -127; code <= 127; code++) {
      const used = Array.from({ length: planes }, (_, plane) => {
        const base = (code + 128) * 2 * planes + plane;
        return digits[base] | digits[base + planes];
      });
      for (let plane = 1; plane < planes; plane++) expect(used[plane] & used[plane - 1]).toBe(0);
    }
  });
});

describe('countOnes', () => {
  it('counts by hand a small sign-split layer with a short last tile', () => {
    const codes = Int8Array.from([3, -1, 1, 2, -2, 0]);
    const ones = countOnes({ codes, rows: 3, columns: 2, tileRows: 2, weightBits: 3 });
    expect([ones.tiles, ones.polarities, ones.planes]).toEqual([2, 2, 2]);
    // tile 0: column 0 holds 3 and 1, column 1 holds -1 and 2; tile 1: column 0 holds -2, column 1 holds 0.
    expect([...ones.counts]).toEqual([2, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0]);
  });

  it('has column sums that give back the sum of the codes', () => {
    fc.assert(
      fc.property(layer, (given) => {
        const { counts, tiles, polarities, planes } = countOnes(given);
        const { weights, offset } = planeEncoding(given.encoding, given.weightBits);
        const slots = polarities * planes;
        for (let tile = 0; tile < tiles; tile++) {
          const end = Math.min(given.rows, (tile + 1) * given.tileRows);
          for (let column = 0; column < given.columns; column++) {
            let sum = 0;
            for (let row = tile * given.tileRows; row < end; row++) {
              sum += given.codes[row * given.columns + column] - offset;
            }
            let counted = 0;
            for (let slot = 0; slot < slots; slot++) {
              counted += counts[(tile * given.columns + column) * slots + slot] * weights[slot];
            }
            expect(counted).toBe(sum);
          }
        }
      }),
    );
  });

  it('agrees with the bits that packPlanes sets', () => {
    fc.assert(
      fc.property(layer, (given) => {
        const { counts } = countOnes(given);
        const { words, wordsPerColumn } = packPlanes(given);
        counts.forEach((count, at) => {
          let bits = 0;
          for (let word = 0; word < wordsPerColumn; word++) {
            bits += words[at * wordsPerColumn + word].toString(2).replaceAll('0', '').length;
          }
          expect(bits).toBe(count);
        });
      }),
    );
  });

  it('counts the complements of flipped columns, as packPlanes packs them', () => {
    const offset = { rows: 3, columns: 2, tileRows: 2, weightBits: 3, encoding: 'offset' as const };
    const codes = Int8Array.of(3, -4, 2, 0, -1, 1);
    const ones = (flips?: Uint8Array) => [...countOnes({ ...offset, codes, flips }).counts];
    // Words, code + 4: 7 and 6, 0 and 4 in tile 0; 3, 5 in tile 1.
    expect(ones()).toEqual([1, 2, 2, 0, 0, 1, 1, 1, 0, 1, 0, 1]);
    expect(ones(Uint8Array.of(1, 0, 0, 1))).toEqual([1, 0, 0, 0, 0, 1, 1, 1, 0, 0, 1, 0]);
    const { words } = packPlanes({ ...offset, codes, flips: Uint8Array.of(1, 0, 0, 1) });
    expect([...words]).toEqual([2, 0, 0, 0, 0, 2, 1, 1, 0, 0, 1, 0]);
  });

  it('sums the digits of multi-bit cells', () => {
    const codes = Int8Array.from([7, 5]);
    const ones = countOnes({ codes, rows: 2, columns: 1, tileRows: 2, weightBits: 4, cellBits: 2 });
    expect([...ones.counts]).toEqual([4, 2, 0, 0]);
  });

  it.each([
    ['a code beyond the encoding', { codes: Int8Array.of(-128), rows: 1 }, /code -128 at row 0/],
    ['no rows', { codes: new Int8Array(0), rows: 0 }, /rows: 0/],
    ['a wrong length', { codes: new Int8Array(3), rows: 2 }, /holds 3 weights/],
    ['a fractional tile', { codes: new Int8Array(2), rows: 2, tileRows: 1.5 }, /tileRows: 1.5/],
    ['nine bits', { codes: new Int8Array(2), rows: 2, weightBits: 9 }, /weightBits: 9/],
    [
      'flips of sign-split',
      { codes: new Int8Array(2), rows: 2, flips: new Uint8Array(1) },
      /flips: .*offset/,
    ],
    [
      'flips of other tiles',
      { codes: new Int8Array(2), rows: 2, encoding: 'offset' as const, flips: new Uint8Array(2) },
      /flips: 2 for 1 row tiles x 1 columns/,
    ],
    ['an unknown encoding', { codes: new Int8Array(2), rows: 2, encoding: 'gray' as never }, /"gray"/],
  ])('refuses %s in one line', (_, wrong, message) => {
    const call = () => countOnes({ columns: 1, tileRows: 4, weightBits: 8, ...wrong });
    expect(call).toThrow(InputError);
    expect(call).toThrow(message);
  });
});

describe('requiredAdcBits', () => {
  it('is ceil(log2(k + 1))', () => {
    expect([0, 1, 2, 3, 4, 7, 8, 15, 51, 128].map(requiredAdcBits)).toEqual([0, 1, 2, 2, 3, 3, 4, 4, 6, 8]);
  });

  it('refuses what is no count', () => {
    for (const wrong of [-1, 1.5, Number.NaN]) expect(() => requiredAdcBits(wrong)).toThrow(InputError);
  });
});

describe('digitSumLimit', () => {
  it('is the largest digit sum that needs no more than the ADC has', () => {
    for (let adcBits = 1; adcBits <= 8; adcBits++) {
      for (let dacBits = 1; dacBits <= 4; dacBits++) {
        const limit = digitSumLimit(adcBits, dacBits);
        const drive = 2 ** dacBits - 1;
        expect(requiredAdcBits(limit * drive)).toBeLessThanOrEqual(adcBits);
        expect(requiredAdcBits((limit + 1) * drive)).toBeGreaterThan(adcBits);
      }
    }
  });

  it('refuses bits out of range', () => {
    for (const adcBits of [0, 17, 2.5, Number.NaN])
      expect(() => digitSumLimit(adcBits)).toThrow(`adcBits: ${adcBits}`);
    expect(() => digitSumLimit(3, 0)).toThrow(/dacBits: 0/);
  });

  it('is told for every plane, 0 for one without ADC', () => {
    expect(digitSumLimits(3, 4)).toEqual([7, 7, 7, 7]);
    expect(digitSumLimits([0, 1, 2, 4], 4)).toEqual([0, 1, 3, 15]);
    expect(digitSumLimits([0, 2, 4], 3, 2)).toEqual([0, 1, 5]);
    expect(() => digitSumLimits([1, 2], 7)).toThrow(/adcBits: 2 numbers for the 7 planes/);
    expect(() => digitSumLimits([1, 17], 2)).toThrow(/adcBits: 17/);
    expect(() => digitSumLimits(0, 2)).toThrow(/adcBits: 0/);
  });
});

describe('onesHistogram', () => {
  it('counts the columns of each number of ones', () => {
    expect([...onesHistogram(Uint16Array.of(0, 3, 3, 1))]).toEqual([1, 1, 0, 2]);
    expect(onesHistogram(new Uint16Array(0))).toHaveLength(0);
  });
});

describe('certifyLayer', () => {
  const base = { codes: Int8Array.from([3, 1, 3, -2]), rows: 4, columns: 1, tileRows: 4, weightBits: 8 };

  it('measures the fullest column and the ADC it needs', () => {
    const certificate = certifyLayer(base);
    expect(certificate).toMatchObject({
      holds: true,
      maxOnes: 3,
      requiredAdcBits: 2,
      maxValues: 4,
      nonzeros: 4,
    });
    expect([...certificate.maxOnesByPlane]).toEqual([3, 2, 0, 0, 0, 0, 0]);
    expect(certificate.bitColumns - certificate.emptyBitColumns).toBe(3);
  });

  it('names the columns that break a limit', () => {
    const certificate = certifyLayer({ ...base, bitLimit: 2, valueLimit: 3 });
    expect(certificate.holds).toBe(false);
    expect(certificate.offending).toEqual([
      { tile: 0, column: 0, polarity: 0, plane: 0, count: 3, limit: 2 },
      { tile: 0, column: 0, polarity: -1, plane: -1, count: 4, limit: 3 },
    ]);
  });

  it('holds exactly when the ADC has the required bits', () => {
    fc.assert(
      fc.property(
        layer,
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 2 }),
        (given, adcBits, dacBits) => {
          const { holds, requiredAdcBits: needed } = certifyLayer({ ...given, adcBits, dacBits });
          expect(holds).toBe(needed <= adcBits);
        },
      ),
    );
  });

  it('says of a list of equal ADC bits what it says of the number', () => {
    fc.assert(
      fc.property(layer, fc.integer({ min: 1, max: 5 }), (given, adcBits) => {
        const { planes } = planeEncoding(given.encoding, given.weightBits);
        const each = new Array<number>(planes).fill(adcBits);
        expect(certifyLayer({ ...given, adcBits: each })).toEqual(certifyLayer({ ...given, adcBits }));
      }),
    );
  });

  it('holds every plane to its own ADC, and one without ADC to no ones', () => {
    // Plane 0 holds 3 ones, plane 1 two and, of the other sign, one.
    const needed = [2, 2, 0, 0, 0, 0, 0];
    expect(certifyLayer({ ...base, adcBits: needed }).holds).toBe(true);
    const offending = (adcBits: readonly number[]) => certifyLayer({ ...base, adcBits }).offending;
    expect(offending([1, 2, 0, 0, 0, 0, 0])).toMatchObject([{ plane: 0, polarity: 0, limit: 1 }]);
    expect(offending([2, 0, 0, 0, 0, 0, 0])).toMatchObject([
      { plane: 1, polarity: 0, limit: 0 },
      { plane: 1, polarity: 1, limit: 0 },
    ]);
  });

  it('counts nonzeros as countValues does', () => {
    fc.assert(
      fc.property(layer, (given) => {
        const { counts } = countValues(given);
        expect(counts.reduce((a, b) => a + b, 0)).toBe(given.codes.filter((code) => code !== 0).length);
        expect(certifyLayer(given).maxValues).toBe(Math.max(...counts));
      }),
    );
  });

  it('refuses limits that are none', () => {
    expect(() => certifyLayer({ ...base, bitLimit: [1, 2] })).toThrow(/2 numbers for the 7 planes/);
    for (const code of [0.5, Number.NaN]) {
      const codes = Float32Array.from(base.codes).fill(code, 0, 1) as unknown as Int8Array;
      expect(() => certifyLayer({ ...base, codes })).toThrow(`code ${code} at row 0, column 0 is outside`);
    }
    expect(() => certifyLayer({ ...base, bitLimit: -1 })).toThrow(InputError);
    expect(() => certifyLayer({ ...base, adcBits: 0 })).toThrow(InputError);
    expect(() => certifyLayer({ ...base, adcBits: [3, 3] })).toThrow(/adcBits: 2 numbers for the 7 planes/);
    expect(() => certifyLayer({ ...base, dacBits: 9 })).toThrow(InputError);
  });
});

describe('evenTileRows', () => {
  it('deals rows evenly, and refuses what are no whole numbers from 1', () => {
    expect([evenTileRows(144, 128), evenTileRows(128, 128), evenTileRows(5, 2)]).toEqual([72, 128, 2]);
    for (const bad of [0, -1, 1.5, Number.NaN]) {
      expect(() => evenTileRows(144, bad)).toThrow(InputError);
      expect(() => evenTileRows(bad, 128)).toThrow(`rows: ${bad} is not a whole number of at least 1`);
    }
  });
});
