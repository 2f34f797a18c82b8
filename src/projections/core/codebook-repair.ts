import { type Codebook, canHold } from './codebook';
import type { CodebookChoice, CodebookColumn } from './codebook-column';
import type { CodebookDual } from './codebook-dual';
import { floorOption } from './open-options';
import type { Int, Real, Reals } from './portable';

/**
 * Turns the relaxed options that `relax` left in `dual` into a feasible choice: rows in order of regret (what leaving the
 * relaxed option costs at least) take the cheapest option, penalties included, that fits and leaves room for the rows
 * still to come. Rows must fit (`canHold`).
 */
export function codebookRepair(column: CodebookColumn, dual: CodebookDual, choice: CodebookChoice): void {
  const book = column.book;
  const rows = column.rows;
  const order = column.order;
  const left = column.room.left;
  for (let at: Int = 0; at < book.resources; at++) left[at] = column.budgets[at];
  for (let row: Int = 0; row < rows; row++) order.keys[row] = regret(column, dual, row);
  column.sortAll(rows);
  for (let at: Int = 0; at < rows; at++) {
    const row = order.rows[at];
    const still = rows - 1 - at;
    let option = dual.options[row];
    if (!fits(book, left, option, still)) option = cheapest(column, dual, row, -1, still);
    choice.options[row] = option;
    for (let own = book.starts[option]; own < book.starts[option + 1]; own++) {
      const resource = book.used[own];
      left[resource] = left[resource] - (book.amounts[own] as Real);
    }
  }
  choice.measure(column);
}

/** Whether there is room for an option and, after it, for so many rows still to come. */
function fits(book: Codebook, room: Reals, option: Int, still: Int): boolean {
  for (let at = book.starts[option]; at < book.starts[option + 1]; at++)
    if ((book.amounts[at] as Real) > room[book.used[at]]) return false;
  return book.zero === book.empty || canHold(book, room, still, option);
}

/**
 * The least d (a - c)^2 + L(c) of the options other than `skipped`; with none skipped (-1) of those that fit and leave
 * room for the rows still to come.
 */
function cheapest(column: CodebookColumn, dual: CodebookDual, row: Int, skipped: Int, still: Int): Int {
  const book = column.book;
  const penalty = dual.penalty;
  const place = column.targets[row] - (book.minCode as Real);
  const weight = column.curvature[row];
  const middle = floorOption(book, place);
  let best: Real = Infinity;
  let bestOption: Int = -1;
  // From the nearest outward, each direction until distance alone costs more.
  for (let step: Int = -1; step <= 1; step += 2) {
    for (let option = step < 0 ? middle : middle + 1; option >= 0 && option < book.count; option += step) {
      const error = place - (option as Real);
      const distance = weight * error * error;
      if (distance >= best) break;
      const cost = distance + penalty[option];
      if (cost >= best || option === skipped) continue;
      if (skipped < 0 && !fits(book, column.room.left, option, still)) continue;
      best = cost;
      bestOption = option;
    }
  }
  return bestOption;
}

/** How much dearer a row's second best option is. */
function regret(column: CodebookColumn, dual: CodebookDual, row: Int): Real {
  const second = cheapest(column, dual, row, dual.options[row], 0);
  return column.cost(row, second) + dual.penalty[second] - dual.costs[row];
}
