import { levelsAbove } from './codebook';
import {
  type CodebookChoice,
  type CodebookColumn,
  nearestOption,
  optionCost,
  setOption,
} from './codebook-column';
import { scarce } from './relax-codebook';

/**
 * Improves a feasible choice in place until no single row (1-opt) and no pair, one row giving what the other needs,
 * can do better. Never makes it worse.
 */
export function codebookPolish(column: CodebookColumn, choice: CodebookChoice): void {
  const short = scarce(column.book, column.rows);
  takeRoom(column, choice);
  for (let round = 0; round < 20; round++) {
    let improved = false;
    for (const resource of short) while (handOver(column, choice, resource)) improved = true;
    if (!improved) return;
    takeRoom(column, choice);
  }
}

/** What a row may use of each resource, what is left and what it holds; the same array each time. */
function ceilingsOf({ book }: CodebookColumn, { usage, options }: CodebookChoice, row: number): Float64Array {
  const { resources, budgets, uses } = book;
  const own = options[row] * resources;
  for (let at = 0; at < resources; at++) ceilings[at] = budgets[at] - usage[at] + uses[own + at];
  return ceilings;
}

/** A codebook has at most 2 x 8 bit columns and the value limit. */
const ceilings = new Float64Array(17);
const mask = new Int32Array(2);

/** The best option within the room left that costs less than the row's own; -1 if there is none. */
function betterOption(column: CodebookColumn, choice: CodebookChoice, row: number): number {
  const { book, targets } = column;
  const within = Math.abs(targets[row] - book.minCode - choice.options[row]);
  if (within <= 0.5) return -1;
  return nearestOption(
    book,
    targets[row],
    within,
    levelsAbove(book.most, ceilingsOf(column, choice, row), mask),
  );
}

/** 1-opt: every row takes the nearest code that there is room for. */
function takeRoom(column: CodebookColumn, choice: CodebookChoice): void {
  for (let improved = true; improved; ) {
    improved = false;
    for (let row = 0; row < column.rows; row++) {
      const option = betterOption(column, choice, row);
      if (option < 0) continue;
      setOption(column, choice, row, option);
      improved = true;
    }
  }
}

/** The row that loses least gives up some of a scarce resource to the row that gains most by the room, if that pays. */
function handOver(column: CodebookColumn, choice: CodebookChoice, resource: number): boolean {
  const { book, targets } = column;
  const { resources, uses, most, budgets } = book;
  const { options, usage } = choice;
  if (budgets[resource] - usage[resource] >= most[resource]) return false;
  let giver = -1;
  let giverOption = 0;
  let loss = Infinity;
  for (let row = 0; row < column.rows; row++) {
    const held = uses[options[row] * resources + resource];
    if (held === 0) continue;
    const room = ceilingsOf(column, choice, row);
    room[resource] = Math.min(room[resource], held - 1);
    const option = nearestOption(book, targets[row], Infinity, levelsAbove(most, room, mask));
    if (option < 0) continue;
    const change = optionCost(column, row, option) - optionCost(column, row, options[row]);
    if (change < loss) {
      loss = change;
      giver = row;
      giverOption = option;
    }
  }
  if (giver < 0) return false;
  const before = options[giver];
  const costBefore = choice.cost;
  setOption(column, choice, giver, giverOption);
  let taker = -1;
  let takerOption = 0;
  let gain = loss + 1e-12 * costBefore;
  for (let row = 0; row < column.rows; row++) {
    if (row === giver) continue;
    const option = betterOption(column, choice, row);
    if (option < 0) continue;
    const change = optionCost(column, row, options[row]) - optionCost(column, row, option);
    if (change > gain) {
      gain = change;
      taker = row;
      takerOption = option;
    }
  }
  if (taker >= 0) {
    setOption(column, choice, taker, takerOption);
    return true;
  }
  setOption(column, choice, giver, before);
  choice.cost = costBefore;
  return false;
}
