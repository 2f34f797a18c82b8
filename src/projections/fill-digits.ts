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
  const masks: DigitMasks = Uint16Array.from(codes, (code, i) => {
    const option = code - minCode;
    if (option < 0 || option >= count)
      throw new InputError(
        `codes: ${code} at row ${Math.floor(i / columns)}, column ${i % columns} is outside ${minCode}..${minCode + count - 1}`,
      );
    return nearest.digits[option];
  });
  const reach = Math.min(tileRows, rows);
  const queue = new Int32Array(reach);
  const rest = new Float64Array(reach);

  /** Polarity of a row where words have digits of one only: of its digits, without any of its target. */
  const polarityOf = (at: number) =>
    masks[at] === 0 ? (targets[at] < 0 ? 1 : 0) : masks[at] > lowest ? 1 : 0;

  const fillColumn = (start: number, size: number, column: number) => {
    const index = (row: number) => (start + row) * columns + column;
    let places = budgets[book.resources - 1];
    for (let row = 0; row < size; row++) if (masks[index(row)] !== 0) places--;
    if (places < 0)
      throw new InputError(`codes: column ${column} holds more nonzeros in a row tile than allowed`);
    for (let plane = planes - 1; plane >= 0; plane--) {
      const above = lowest & ~((2 << plane) - 1);
      for (let polarity = 0; polarity < 2; polarity++) {
        const slot = polarity * planes + plane;
        let room = budgets[slot];
        let waiting = 0;
        for (let row = 0; row < size; row++) {
          const at = index(row);
          if ((masks[at] >> slot) & 1) room--;
          else if (mixed || polarityOf(at) === polarity) queue[waiting++] = row;
        }
        if (room < 0)
          throw new InputError(`codes: column ${column} holds more ones in plane ${plane} than allowed`);
        if (room === 0) continue;
        for (const row of queue.subarray(0, waiting)) {
          const at = index(row);
          const target = scales[column] > 0 ? targets[at] / scales[column] : 0;
          const left = target - nearest.codeOf(target, masks[at] & (above | (above << planes)));
          rest[row] = polarity === 0 ? left : -left;
        }
        for (const row of queue.subarray(0, waiting).sort((a, b) => rest[b] - rest[a])) {
          if (room === 0) break;
          const at = index(row);
          if (masks[at] === 0) {
            if (places <= 0) continue;
            places--;
          }
          masks[at] |= 1 << slot;
          room--;
        }
      }
    }
  };
  for (let start = 0; start < rows; start += tileRows)
    for (let column = 0; column < columns; column++)
      fillColumn(start, Math.min(tileRows, rows - start), column);
  return masks;
}
