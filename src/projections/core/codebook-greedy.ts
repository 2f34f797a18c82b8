import type { CodebookChoice, CodebookColumn } from './codebook-column';
import { nearestOption, roundedOption } from './open-options';
import type { Int, Real } from './portable';

/**
 * MSB-first greedy for any codebook. All rows start at their nearest codes; with a value limit the rows that lose least
 * are set to zero for good. Then, from the bit column worth most down, the rows that lose least by it give up their
 * ones, without taking any of the columns above, until the limit holds. Rows must fit (`canHold`).
 */
export function codebookGreedy(column: CodebookColumn, choice: CodebookChoice): void {
  const book = column.book;
  const room = column.room;
  for (let row: Int = 0; row < column.rows; row++)
    choice.options[row] = roundedOption(book, column.targets[row]);
  lockZeros(column, choice);
  choice.measure(column);
  // Columns that are done give no more ones, the others as many as anybody likes.
  room.open(book);
  for (let at: Int = 0; at < book.falling.length; at++) {
    const slot = book.falling[at];
    while ((choice.usage[slot] as Real) > column.budgets[slot]) giveUp(column, choice, slot);
    room.close(book, slot);
  }
  choice.measure(column);
}

/** Rows with ones of a bit column give up some, those that lose least first, until its limit holds or all have given once. */
function giveUp(column: CodebookColumn, choice: CodebookChoice, slot: Int): void {
  const book = column.book;
  const order = column.order;
  const options = choice.options;
  const resources = book.resources;
  let count: Int = 0;
  for (let row: Int = 0; row < column.rows; row++) {
    const used = book.uses[options[row] * resources + slot] as Int;
    if (used === 0 || column.marks[row] !== 0) continue;
    const closed = column.room.closedTo(book, options[row], slot);
    const option = nearestOption(book, column.targets[row], Infinity, closed);
    const change = column.cost(row, option) - column.cost(row, options[row]);
    const given = used - (book.uses[option * resources + slot] as Int);
    order.keys[row] = -change / (given as Real);
    order.rows[count++] = row;
    column.next[row] = option;
  }
  order.sort(count);
  for (let at: Int = 0; at < count && (choice.usage[slot] as Real) > column.budgets[slot]; at++) {
    const row = order.rows[at];
    choice.setOption(column, row, column.next[row]);
  }
}

/** Sets as many rows to zero as the value limit asks for, those that lose least; marks them. */
function lockZeros(column: CodebookColumn, choice: CodebookChoice): void {
  const book = column.book;
  const order = column.order;
  column.marks.fill(0);
  const zeros = (column.rows as Real) - column.budgets[book.resources - 1];
  if (!(zeros > 0)) return;
  for (let row: Int = 0; row < column.rows; row++)
    order.keys[row] = column.cost(row, choice.options[row]) - column.cost(row, book.zero);
  column.sortAll(column.rows);
  for (let at: Int = 0; (at as Real) < zeros; at++) {
    const row = order.rows[at];
    choice.options[row] = book.zero;
    column.marks[row] = 1;
  }
}
