import { type LevelMask, levelsAbove } from './codebook';
import {
  type CodebookChoice,
  type CodebookColumn,
  measureOptions,
  nearestOption,
  optionCost,
  roundedOption,
  rowsByFalling,
  setOption,
} from './codebook-column';
import { closedTo, createRoom } from './codebook-room';

/**
 * MSB-first greedy for any codebook. All rows start at their nearest codes; with a value limit the rows that lose least
 * are set to zero for good. Then, from the bit column worth most down, the rows that lose least by it give up their
 * ones, without taking any of the columns above, until the limit holds. Rows must fit (`canHold`).
 */
export function codebookGreedy(column: CodebookColumn, choice: CodebookChoice): void {
  const { book, rows, targets, order } = column;
  const { resources, uses, most, budgets, worth } = book;
  const { options, usage } = choice;
  for (let row = 0; row < rows; row++) options[row] = roundedOption(book, targets[row]);
  const locked = lockZeros(column, choice);
  measureOptions(column, choice);
  // Columns that are done give no more ones, the others as many as anybody likes.
  const room = createRoom(book);
  room.left.fill(Infinity);
  const next = new Int16Array(rows);
  const slots = Array.from(worth.keys()).sort((a, b) => worth[b] - worth[a]);
  for (const slot of slots) {
    while (usage[slot] > budgets[slot]) {
      let count = 0;
      for (let row = 0; row < rows; row++) {
        const used = uses[options[row] * resources + slot];
        if (locked[row] || used === 0) continue;
        const closed = closedTo(book, room, options[row], words, slot);
        const option = nearestOption(book, targets[row], Infinity, closed);
        const change = optionCost(column, row, option) - optionCost(column, row, options[row]);
        order.keys[row] = -change / (used - uses[option * resources + slot]);
        order.rows[count++] = row;
        next[row] = option;
      }
      order.sort(count);
      for (let at = 0; at < count && usage[slot] > budgets[slot]; at++) {
        const row = order.rows[at];
        setOption(column, choice, row, next[row]);
      }
    }
    room.left[slot] = 0;
    levelsAbove(most, room.left, room.closed);
  }
  measureOptions(column, choice);
}

const words: LevelMask = new Int32Array(2);

/** Sets as many rows to zero as the value limit asks for, those that lose least; marks them. */
function lockZeros(column: CodebookColumn, { options }: CodebookChoice): Uint8Array {
  const { book, rows } = column;
  const locked = new Uint8Array(rows);
  const zeros = rows - book.budgets[book.resources - 1];
  if (zeros <= 0) return locked;
  const gain = (row: number) => optionCost(column, row, options[row]) - optionCost(column, row, book.zero);
  for (const row of rowsByFalling(column, rows, gain).subarray(0, zeros)) {
    options[row] = book.zero;
    locked[row] = 1;
  }
  return locked;
}
