import { InputError } from '../errors';
import type { Codebook } from './core/codebook';

/**
 * Which digits of its code a weight may use, codes in 1-bit cells: bit c of an entry stands for bit column c
 * (polarity * planes + plane). Of such digits a weight may use any that together are a word of the encoding.
 */
export type DigitMasks = Uint16Array;

/** The nearest code that some digits can make, looked up. */
export interface NearestCodes {
  /** Digits of each option of the codebook. [count] */
  readonly digits: DigitMasks;
  /** Places of a mask's row of the table: one for every half of a code. */
  readonly width: number;
  /** The place of code 0: halves from the smallest code to it. */
  readonly toZero: number;
  /** The number of a mask's row, made when it is first asked for. */
  rowOf(mask: number): number;
  /** The code nearest to a target (in units of the scale) with the digits of a mask; of two equally near the larger one. */
  codeOf(target: number, mask: number): number;
  /** The rows made so far, one after another. */
  table(): Int8Array;
}

/**
 * Codes change over half way between two of them, at multiples of a half: what a target's halves, rounded down, are
 * decides. They are counted from the smallest code on in float32, as the engine counts them, so that both always agree.
 */
export function createNearestCodes(
  book: Pick<Codebook, 'minCode' | 'count' | 'resources' | 'uses'>,
): NearestCodes {
  const { minCode, count } = book;
  const digits = optionDigits(book);
  const width = 2 * count;
  const toZero = -2 * minCode;
  const rows = new Int32Array(2 ** (book.resources - 1)).fill(-1);
  let table = new Int8Array(64 * width);
  let made = 0;

  const rowOf = (mask: number): number => {
    if (rows[mask] >= 0) return rows[mask];
    if ((made + 1) * width > table.length) {
      const larger = new Int8Array(2 * table.length);
      larger.set(table);
      table = larger;
    }
    fillRow(table.subarray(made * width, (made + 1) * width), mask);
    rows[mask] = made;
    return made++;
  };
  const fillRow = (row: Int8Array, mask: number) => {
    const codes: number[] = [];
    for (let option = 0; option < count; option++)
      if ((digits[option] & ~mask) === 0) codes.push(minCode + option);
    let at = 0;
    for (let place = 0; place < width; place++) {
      while (at + 1 < codes.length && 2 * minCode + place >= codes[at] + codes[at + 1]) at++;
      row[place] = codes[at];
    }
  };
  const placeOf = (target: number): number => {
    const halves = Math.fround(2 * target + toZero);
    return halves <= 0 ? 0 : Math.min(width - 1, Math.floor(halves));
  };
  return {
    digits,
    width,
    toZero,
    rowOf,
    codeOf(target, mask) {
      const row = rowOf(mask);
      return table[row * width + placeOf(target)];
    },
    table: () => table.slice(0, made * width),
  };
}

function optionDigits({
  count,
  resources,
  uses,
}: Pick<Codebook, 'count' | 'resources' | 'uses'>): DigitMasks {
  const digits = new Uint16Array(count);
  for (let option = 0; option < count; option++)
    for (let slot = 0; slot < resources - 1; slot++)
      if (uses[option * resources + slot] > 0) digits[option] |= 1 << slot;
  return digits;
}

/** The nearest code of every weight (in units of its scale) with the digits that it may use. */
export function nearestWithDigits(
  targets: Float32Array | Float64Array,
  masks: DigitMasks,
  nearest: NearestCodes,
): Int8Array {
  if (masks.length !== targets.length)
    throw new InputError(`masks: ${masks.length} for ${targets.length} weights`);
  const codes = new Int8Array(targets.length);
  for (let i = 0; i < targets.length; i++) {
    if (Number.isNaN(targets[i])) throw new InputError(`weight ${i} is not a number`);
    codes[i] = nearest.codeOf(targets[i], masks[i]);
  }
  return codes;
}
