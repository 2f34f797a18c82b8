import type { LevelMask } from './codebook';
import {
  type CodebookChoice,
  type CodebookColumn,
  nearestOption,
  optionCost,
  setOption,
} from './codebook-column';
import { closedTo, createRoom, measureRoom, type Room } from './codebook-room';
import { scarce } from './relax-codebook';

/**
 * Improves a feasible choice in place until no single row (1-opt) and no pair, one row giving what the other needs,
 * can do better. Never makes it worse.
 */
export function codebookPolish(column: CodebookColumn, choice: CodebookChoice): void {
  const short = scarce(column.book, column.rows);
  const room = createRoom(column.book);
  // Changes so far, and how many there were when a resource was last tried in vain.
  let changes = 0;
  const vain = new Int32Array(column.book.resources).fill(-1);
  takeRoom(column, choice, room);
  for (let round = 0; round < 20; round++) {
    const before = changes;
    for (const resource of short) {
      if (vain[resource] === changes) continue;
      while (handOver(column, choice, room, resource)) changes++;
      vain[resource] = changes;
    }
    if (changes === before) return;
    if (takeRoom(column, choice, room)) changes++;
  }
}

const words: LevelMask = new Int32Array(2);

/** The best option within the room left that costs less than the row's own; -1 if there is none. */
function betterOption(
  { book, targets }: CodebookColumn,
  { options }: CodebookChoice,
  room: Room,
  row: number,
) {
  const within = Math.abs(targets[row] - book.minCode - options[row]);
  if (within <= 0.5) return -1;
  return nearestOption(book, targets[row], within, closedTo(book, room, options[row], words));
}

/** 1-opt: every row takes the nearest code that there is room for; whether any has changed. */
function takeRoom(column: CodebookColumn, choice: CodebookChoice, room: Room): boolean {
  let any = false;
  measureRoom(column.book, choice.usage, room);
  for (let improved = true; improved; ) {
    improved = false;
    for (let row = 0; row < column.rows; row++) {
      const option = betterOption(column, choice, room, row);
      if (option < 0) continue;
      setOption(column, choice, row, option);
      measureRoom(column.book, choice.usage, room);
      improved = true;
      any = true;
    }
  }
  return any;
}

/** The row that loses least gives up some of a scarce resource to the row that gains most by the room, if that pays. */
function handOver(column: CodebookColumn, choice: CodebookChoice, room: Room, resource: number): boolean {
  const { book, targets, curvature } = column;
  const { resources, uses, most, budgets } = book;
  const { options, usage } = choice;
  if (budgets[resource] - usage[resource] >= most[resource]) return false;
  measureRoom(book, usage, room);
  let giver = -1;
  let giverOption = 0;
  let loss = Infinity;
  for (let row = 0; row < column.rows; row++) {
    if (uses[options[row] * resources + resource] === 0) continue;
    const own = optionCost(column, row, options[row]);
    const closed = closedTo(book, room, options[row], words, resource);
    // Farther options lose more than the best giver so far.
    const within = Math.sqrt((loss + own) / curvature[row]);
    const option = nearestOption(book, targets[row], within, closed);
    if (option < 0) continue;
    const change = optionCost(column, row, option) - own;
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
  measureRoom(book, usage, room);
  let taker = -1;
  let takerOption = 0;
  let gain = loss + 1e-12 * costBefore;
  for (let row = 0; row < column.rows; row++) {
    const own = optionCost(column, row, options[row]);
    if (row === giver || own <= gain) continue;
    const option = betterOption(column, choice, room, row);
    if (option < 0) continue;
    const change = own - optionCost(column, row, option);
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
