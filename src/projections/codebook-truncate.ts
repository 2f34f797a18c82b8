import type { Codebook } from './codebook';
import {
  type CodebookChoice,
  type CodebookColumn,
  measureOptions,
  optionCost,
  roundedOption,
  rowsByFalling,
} from './codebook-column';

/**
 * Truncation for any codebook whose zero has no ones: keeps the rows that matter most, rounded, as many as every bit
 * column of the polarities they use allows even with the largest digits; the rest is zero.
 */
export function codebookTruncate(column: CodebookColumn, choice: CodebookChoice): void {
  const { book, rows, targets } = column;
  const { resources, most, budgets, zero, planes, polarities } = book;
  const { options } = choice;
  const room = Array.from({ length: polarities }, (_, polarity) => {
    const first = polarity * planes;
    const each = Array.from({ length: planes }, (_, plane) => {
      const largest = most[first + plane];
      return largest > 0 ? Math.floor(budgets[first + plane] / largest) : Infinity;
    });
    return Math.min(...each);
  });
  for (let row = 0; row < rows; row++) options[row] = roundedOption(book, targets[row]);
  const benefit = (row: number) => optionCost(column, row, zero) - optionCost(column, row, options[row]);
  let places = budgets[resources - 1];
  for (const row of rowsByFalling(column, rows, benefit)) {
    const touched = polaritiesOf(book, options[row]);
    const fits = room.every((left, polarity) => left > 0 || ((touched >> polarity) & 1) === 0);
    if (options[row] === zero || places <= 0 || !fits) {
      options[row] = zero;
      continue;
    }
    places--;
    for (let polarity = 0; polarity < polarities; polarity++) room[polarity] -= (touched >> polarity) & 1;
  }
  measureOptions(column, choice);
}

/** The polarities in which an option has ones, a bit each. */
function polaritiesOf({ used, resources, planes }: Codebook, option: number): number {
  let polarities = 0;
  for (let at = used.starts[option]; at < used.starts[option + 1]; at++) {
    const slot = used.resources[at];
    if (slot < resources - 1) polarities |= 1 << Math.floor(slot / planes);
  }
  return polarities;
}
