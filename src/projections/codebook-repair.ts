import { type Codebook, canHold } from './codebook';
import { type CodebookChoice, type CodebookColumn, measureOptions, rowsByFalling } from './codebook-column';
import type { CodebookDual } from './relax-codebook';

/**
 * Turns the relaxed options that `relaxCodebook` left in `dual` into a feasible choice: rows in order of regret (what
 * leaving the relaxed option costs at least) take the cheapest option, penalties included, that fits and leaves room
 * for the rows still to come. Rows must fit (`canHold`).
 */
export function codebookRepair(column: CodebookColumn, dual: CodebookDual, choice: CodebookChoice): void {
  const { book, rows } = column;
  const room = book.budgets.slice();
  const order = regretOrder(column, dual);
  order.forEach((row, i) => {
    const left = rows - 1 - i;
    const option = fits(book, room, dual.options[row], left)
      ? dual.options[row]
      : cheapestOption(column, dual, row, (other) => fits(book, room, other, left));
    choice.options[row] = option;
    for (let at = 0; at < book.resources; at++) room[at] -= book.uses[option * book.resources + at];
  });
  measureOptions(column, choice);
}

/** Whether there is room for an option and, after it, for `left` more rows. */
function fits(book: Codebook, room: Float64Array, option: number, left: number): boolean {
  const { resources, uses, used, zero, empty } = book;
  const from = option * resources;
  for (let at = used.starts[option]; at < used.starts[option + 1]; at++)
    if (used.amounts[at] > room[used.resources[at]]) return false;
  if (zero === empty) return true;
  return canHold(
    book,
    room.map((count, at) => count - uses[from + at]),
    left,
  );
}

/** The least d (a - c)^2 + L(c) of the accepted options. */
function cheapestOption(
  { book, targets, curvature }: CodebookColumn,
  { penalty }: CodebookDual,
  row: number,
  accept: (option: number) => boolean,
): number {
  const place = targets[row] - book.minCode;
  const weight = curvature[row];
  const middle = Math.max(-1, Math.min(book.count - 1, Math.floor(place)));
  let best = Infinity;
  let bestOption = -1;
  // From the nearest outward, each direction until distance alone costs more.
  for (const step of OUTWARD) {
    for (let option = step < 0 ? middle : middle + 1; option >= 0 && option < book.count; option += step) {
      const error = place - option;
      const distance = weight * error * error;
      if (distance >= best) break;
      const cost = distance + penalty[option];
      if (cost >= best || !accept(option)) continue;
      best = cost;
      bestOption = option;
    }
  }
  return bestOption;
}

const OUTWARD = [-1, 1] as const;

/** Rows by how much dearer their second best option is, dearest first. */
function regretOrder(column: CodebookColumn, dual: CodebookDual): Int32Array {
  const regret = (row: number) => {
    const best = dual.options[row];
    const second = cheapestOption(column, dual, row, (option) => option !== best);
    const error = column.targets[row] - column.book.minCode - second;
    return column.curvature[row] * error * error + dual.penalty[second] - dual.costs[row];
  };
  return rowsByFalling(column, column.rows, regret);
}
