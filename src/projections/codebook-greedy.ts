import { levelsAbove } from './codebook';
import {
  type CodebookChoice,
  type CodebookColumn,
  measureOptions,
  nearestOption,
  optionCost,
  roundedOption,
  setOption,
} from './codebook-column';

/**
 * MSB-first greedy for any codebook. All rows start at their nearest codes; with a value limit the rows that lose least
 * are set to zero for good. Then, from the bit column worth most down, the rows that lose least by it give up their
 * ones, without taking any of the columns above, until the limit holds. Rows must fit (`canHold`).
 */
export function codebookGreedy(column: CodebookColumn, choice: CodebookChoice): void {
  const { book, rows, targets } = column;
  const { resources, uses, most, budgets, worth } = book;
  const { options, usage } = choice;
  for (let row = 0; row < rows; row++) options[row] = roundedOption(book, targets[row]);
  const locked = lockZeros(column, choice);
  measureOptions(column, choice);
  const settled: number[] = [];
  const slots = Array.from(worth.keys()).sort((a, b) => worth[b] - worth[a]);
  for (const slot of slots) {
    while (usage[slot] > budgets[slot]) {
      const leaving: { row: number; option: number; loss: number }[] = [];
      for (let row = 0; row < rows; row++) {
        const own = options[row] * resources;
        if (locked[row] || uses[own + slot] === 0) continue;
        const ceilings = most.slice();
        for (const above of settled) ceilings[above] = uses[own + above];
        ceilings[slot] = uses[own + slot] - 1;
        const option = nearestOption(book, targets[row], Infinity, levelsAbove(most, ceilings));
        const freed = uses[own + slot] - uses[option * resources + slot];
        const change = optionCost(column, row, option) - optionCost(column, row, options[row]);
        leaving.push({ row, option, loss: change / freed });
      }
      leaving.sort((a, b) => a.loss - b.loss);
      for (const { row, option } of leaving) {
        if (usage[slot] <= budgets[slot]) break;
        setOption(column, choice, row, option);
      }
    }
    settled.push(slot);
  }
  measureOptions(column, choice);
}

/** Sets as many rows to zero as the value limit asks for, those that lose least; marks them. */
function lockZeros(column: CodebookColumn, { options }: CodebookChoice): Uint8Array {
  const { book, rows } = column;
  const locked = new Uint8Array(rows);
  const zeros = rows - book.budgets[book.resources - 1];
  if (zeros <= 0) return locked;
  const loss = Float64Array.from(
    { length: rows },
    (_, row) => optionCost(column, row, book.zero) - optionCost(column, row, options[row]),
  );
  const order = Int32Array.from({ length: rows }, (_, row) => row).sort((a, b) => loss[a] - loss[b]);
  for (const row of order.subarray(0, zeros)) {
    options[row] = book.zero;
    locked[row] = 1;
  }
  return locked;
}
