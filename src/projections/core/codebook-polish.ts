import type { CodebookChoice, CodebookColumn } from './codebook-column';
import { nearestOption } from './open-options';
import { type Int, ints, type Real } from './portable';

/** Changes that a choice had had when a resource was last tried in vain. */
const vain = ints(64);

/**
 * Improves a feasible choice in place until no single row (1-opt) and no pair, one row giving what the other needs,
 * can do better. Never makes it worse.
 */
export function codebookPolish(column: CodebookColumn, choice: CodebookChoice): void {
  const short = column.short;
  let changes: Int = 0;
  vain.fill(-1);
  takeRoom(column, choice);
  for (let round: Int = 0; round < 20; round++) {
    const before = changes;
    for (let at: Int = 0; at < column.shortCount; at++) {
      const resource = short[at];
      if (vain[resource] === changes) continue;
      while (handOver(column, choice, resource)) changes++;
      vain[resource] = changes;
    }
    if (changes === before) return;
    if (takeRoom(column, choice)) changes++;
  }
}

/** 1-opt: every row takes the nearest code that there is room for; whether any has changed. */
function takeRoom(column: CodebookColumn, choice: CodebookChoice): boolean {
  let any = false;
  column.room.measure(column.book, column.budgets, choice.usage);
  for (let improved = true; improved; ) {
    improved = false;
    for (let row: Int = 0; row < column.rows; row++) {
      const option = column.better(row, choice.options[row]);
      if (option < 0) continue;
      choice.setOption(column, row, option);
      column.room.measure(column.book, column.budgets, choice.usage);
      improved = true;
      any = true;
    }
  }
  return any;
}

/** The row that loses least gives up some of a scarce resource to the row that gains most by the room, if that pays. */
function handOver(column: CodebookColumn, choice: CodebookChoice, resource: Int): boolean {
  const book = column.book;
  const room = column.room;
  const options = choice.options;
  const usage = choice.usage;
  const budgets = column.budgets;
  if (budgets[resource] - (usage[resource] as Real) >= (book.most[resource] as Real)) return false;
  room.measure(book, budgets, usage);
  let giver: Int = -1;
  let giverOption: Int = 0;
  let loss: Real = Infinity;
  for (let row: Int = 0; row < column.rows; row++) {
    if (book.uses[options[row] * book.resources + resource] === 0) continue;
    const own = column.cost(row, options[row]);
    // Farther options lose more than the best giver so far.
    const within = Math.sqrt((loss + own) / column.curvature[row]);
    const closed = room.closedTo(book, options[row], resource);
    const option = nearestOption(book, column.targets[row], within, closed);
    if (option < 0) continue;
    const change = column.cost(row, option) - own;
    if (change < loss) {
      loss = change;
      giver = row;
      giverOption = option;
    }
  }
  if (giver < 0) return false;
  const before = options[giver];
  const costBefore = choice.cost;
  choice.setOption(column, giver, giverOption);
  room.measure(book, budgets, usage);
  let taker: Int = -1;
  let takerOption: Int = 0;
  let gain = loss + 1e-12 * costBefore;
  for (let row: Int = 0; row < column.rows; row++) {
    const own = column.cost(row, options[row]);
    if (row === giver || own <= gain) continue;
    const option = column.better(row, options[row]);
    if (option < 0) continue;
    const change = own - column.cost(row, option);
    if (change > gain) {
      gain = change;
      taker = row;
      takerOption = option;
    }
  }
  if (taker >= 0) {
    choice.setOption(column, taker, takerOption);
    return true;
  }
  choice.setOption(column, giver, before);
  choice.cost = costBefore;
  return false;
}
