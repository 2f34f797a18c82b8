import { checkShape } from '../bitplanes/code-matrix';
import { InputError } from '../errors';
import { codebookBudgets, codebookOf } from './codebook';
import type { LimitOptions } from './limits';
import type { DigitMasks, NearestCodes } from './nearest-codes';

export interface FillOptions extends LimitOptions {
  /** A feasible projection: [rows * columns], row-major. */
  readonly codes: Int8Array;
  /** The weights it came from, in weight units. */
  readonly targets: Float32Array | Float64Array;
  readonly rows: number;
  readonly columns: number;
  readonly tileRows: number;
  /** Weight = code * scale, by output channel. */
  readonly scales: Float32Array;
  /** Of the same encoding. */
  readonly nearest: NearestCodes;
}

/**
 * The digits of `codes`, and every unused place of each bit column given to the next best row: from the top plane down,
 * the row with the largest rest of the column's polarity after its allowed higher digits. Retraining may use those places
 * for free. Where no word has digits of both polarities a row stays in its own. With a value limit, rows whose code is
 * zero join only while places are left.
 * @throws InputError for encodings that do not hold signs in polarities, and for codes that break the limits already
 */
export function fillDigits(options: FillOptions): DigitMasks {
  const { codes, targets, rows, columns, tileRows, scales, nearest, encoding = 'sign-split' } = options;
  const book = codebookOf(options);
  const budgets = codebookBudgets(options, book);
  const { planes, polarities, count, minCode } = book;
  if (polarities !== 2 || (options.cellBits ?? 1) !== 1)
    throw new InputError(
      `encoding: ${encoding} in these cells; sign-split or csd in 1-bit cells is needed here`,
    );
  checkShape(options, codes.length);
  if (targets.length !== codes.length)
    throw new InputError(`targets: ${targets.length} for ${codes.length} codes`);
  if (scales.length !== columns)
    throw new InputError(`scales: ${scales.length} numbers for ${columns} columns`);
  const lowest = (1 << planes) - 1;
  const mixed = nearest.digits.some((digits) => (digits & lowest) !== 0 && digits >> planes !== 0);
  const masks: DigitMasks = new Uint16Array(codes.length);
  for (let at = 0; at < codes.length; at++) {
    const option = codes[at] - minCode;
    if (option < 0 || option >= count)
      throw new InputError(
        `codes: ${codes[at]} at row ${Math.floor(at / columns)}, column ${at % columns} is outside ${minCode}..${minCode + count - 1}`,
      );
    masks[at] = nearest.digits[option];
  }
  const reach = Math.min(tileRows, rows);
  // Of one column, side by side.
  const own = new Uint16Array(reach);
  const wanted = new Float64Array(reach);
  const rest = new Float64Array(reach);
  const best = new Int32Array(reach);
  /** What is left of every budget. */
  const rooms = new Float64Array(budgets.length);
  const slots = book.resources - 1;

  /** Polarity of a row where words have digits of one only: of its digits, without any of its target. */
  const polarityOf = (row: number) =>
    own[row] === 0 ? (wanted[row] < 0 ? 1 : 0) : own[row] > lowest ? 1 : 0;

  /** Rows of a column that lack the digit, those with the largest rest first, at most so many; their number. */
  const rank = (size: number, plane: number, polarity: number, most: number): number => {
    const slot = polarity * planes + plane;
    const above = lowest & ~((2 << plane) - 1);
    const higher = above | (above << planes);
    let ranked = 0;
    for (let row = 0; row < size; row++) {
      const digits = own[row];
      if ((digits >> slot) & 1 || !(mixed || polarityOf(row) === polarity)) continue;
      const left = wanted[row] - ((digits & higher) === 0 ? 0 : nearest.codeOf(wanted[row], digits & higher));
      rest[row] = polarity === 0 ? left : -left;
      if (ranked === most && !(rest[row] > rest[best[ranked - 1]])) continue;
      let at = ranked < most ? ranked++ : ranked - 1;
      for (; at > 0 && rest[row] > rest[best[at - 1]]; at--) best[at] = best[at - 1];
      best[at] = row;
    }
    return ranked;
  };

  const fillColumn = (start: number, size: number, column: number) => {
    const index = (row: number) => (start + row) * columns + column;
    const scale = scales[column];
    rooms.set(budgets);
    for (let row = 0; row < size; row++) {
      own[row] = masks[index(row)];
      wanted[row] = scale > 0 ? targets[index(row)] / scale : 0;
      if (own[row] === 0) continue;
      rooms[slots]--;
      for (let slot = 0; slot < slots; slot++) rooms[slot] -= (own[row] >> slot) & 1;
    }
    let places = rooms[slots];
    if (places < 0)
      throw new InputError(`codes: column ${column} holds more nonzeros in a row tile than allowed`);
    for (let plane = planes - 1; plane >= 0; plane--) {
      for (let polarity = 0; polarity < 2; polarity++) {
        const slot = polarity * planes + plane;
        let room = rooms[slot];
        if (room < 0)
          throw new InputError(`codes: column ${column} holds more ones in plane ${plane} than allowed`);
        if (room === 0) continue;
        // Where nonzeros are short some of the best may have to stay out: then all are ranked.
        const ranked = rank(size, plane, polarity, places < room ? size : Math.min(room, size));
        for (let at = 0; at < ranked && room > 0; at++) {
          const row = best[at];
          if (own[row] === 0) {
            if (places <= 0) continue;
            places--;
          }
          own[row] |= 1 << slot;
          room--;
        }
      }
    }
    for (let row = 0; row < size; row++) masks[index(row)] = own[row];
  };
  for (let start = 0; start < rows; start += tileRows)
    for (let column = 0; column < columns; column++)
      fillColumn(start, Math.min(tileRows, rows - start), column);
  return masks;
}
