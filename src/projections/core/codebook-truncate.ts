import type { CodebookChoice, CodebookColumn } from './codebook-column';
import { roundedOption } from './open-options';
import { type Int, type Real, reals } from './portable';

/** Of one polarity and of the other. */
const room = reals(2);

/**
 * Truncation for any codebook whose zero has no ones: keeps the rows that matter most, rounded, as many as every bit
 * column of the polarities they use allows even with the largest digits; the rest is zero.
 */
export function codebookTruncate(column: CodebookColumn, choice: CodebookChoice): void {
  const book = column.book;
  const options = choice.options;
  const zero = book.zero;
  const order = column.order;
  for (let polarity: Int = 0; polarity < 2; polarity++) room[polarity] = placesOf(column, polarity);
  for (let row: Int = 0; row < column.rows; row++) {
    options[row] = roundedOption(book, column.targets[row]);
    order.keys[row] = column.cost(row, zero) - column.cost(row, options[row]);
  }
  column.sortAll(column.rows);
  let places = column.budgets[book.resources - 1];
  for (let at: Int = 0; at < column.rows; at++) {
    const row = order.rows[at];
    const touched = polaritiesOf(column, options[row]);
    const full = (room[0] <= 0 && (touched & 1) !== 0) || (room[1] <= 0 && (touched & 2) !== 0);
    if (options[row] === zero || places <= 0 || full) {
      options[row] = zero;
      continue;
    }
    places--;
    for (let polarity: Int = 0; polarity < 2; polarity++)
      room[polarity] = room[polarity] - (((touched >> polarity) & 1) as Real);
  }
  choice.measure(column);
}

/** Rows that every bit column of a polarity has room for, even with the largest digits. */
function placesOf(column: CodebookColumn, polarity: Int): Real {
  const book = column.book;
  let least: Real = Infinity;
  if (polarity >= book.polarities) return least;
  for (let plane: Int = 0; plane < book.planes; plane++) {
    const at = polarity * book.planes + plane;
    if (book.most[at] > 0) least = Math.min(least, Math.floor(column.budgets[at] / (book.most[at] as Real)));
  }
  return least;
}

/** The polarities in which an option has ones, a bit each. */
function polaritiesOf(column: CodebookColumn, option: Int): Int {
  const book = column.book;
  let polarities: Int = 0;
  for (let at = book.starts[option]; at < book.starts[option + 1]; at++) {
    const slot = book.used[at];
    if (slot < book.resources - 1) polarities |= slot < book.planes ? 1 : 2;
  }
  return polarities;
}
