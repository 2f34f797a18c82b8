import { addUses, type Codebook, type LevelMask } from './codebook';
import { RowOrder } from './core/row-order';
import { openAtLeast, openAtMost } from './open-options';

/** One column's rows laid out for the solvers of any codebook, smallest target first. */
export interface CodebookColumn {
  readonly book: Codebook;
  rows: number;
  readonly targets: Float64Array;
  readonly curvature: Float64Array;
  /** All curvatures are equal, so one lower envelope serves every row. */
  uniform: boolean;
  maxCurvature: number;
  /** Position of each row in what was given. */
  readonly origin: Int32Array;
  /** For the solvers, to sort rows by. */
  readonly order: RowOrder;
}

/** An option for every row, and what they use together. */
export interface CodebookChoice {
  readonly options: Int16Array;
  /** [resources] */
  readonly usage: Int32Array;
  /** Sum of curvature * error^2. */
  cost: number;
}

/** An empty column with room for `capacity` rows. */
export function createCodebookColumn(book: Codebook, capacity: number): CodebookColumn {
  return {
    book,
    rows: 0,
    targets: new Float64Array(capacity),
    curvature: new Float64Array(capacity),
    uniform: true,
    maxCurvature: 1,
    origin: new Int32Array(capacity),
    order: new RowOrder(capacity),
  };
}

export function createCodebookChoice(book: Codebook, capacity: number): CodebookChoice {
  return { options: new Int16Array(capacity), usage: new Int32Array(book.resources), cost: 0 };
}

/** Fills `column` with targets in units of the scale. */
export function gatherRows(
  column: CodebookColumn,
  targets: Float64Array,
  curvature: Float64Array | undefined,
): void {
  const rows = targets.length;
  const { origin } = column;
  origin.set(rowsByFalling(column, rows, (row) => -targets[row]));
  column.rows = rows;
  column.uniform = true;
  column.maxCurvature = 0;
  for (let row = 0; row < rows; row++) {
    column.targets[row] = targets[origin[row]];
    const weight = curvature ? curvature[origin[row]] : 1;
    column.curvature[row] = weight;
    if (weight !== column.curvature[0]) column.uniform = false;
    if (weight > column.maxCurvature) column.maxCurvature = weight;
  }
}

/** The first `count` rows in the order of falling keys; equal keys keep their order. Valid until rows are sorted again. */
export function rowsByFalling(
  { order }: Pick<CodebookColumn, 'order'>,
  count: number,
  keyOf: (row: number) => number,
): Int32Array {
  for (let row = 0; row < count; row++) {
    order.rows[row] = row;
    order.keys[row] = keyOf(row);
  }
  order.sort(count);
  return order.rows.subarray(0, count);
}

export function optionCost(
  { book, targets, curvature }: CodebookColumn,
  row: number,
  option: number,
): number {
  const error = targets[row] - book.minCode - option;
  return curvature[row] * error * error;
}

/** Recomputes usage and cost of a choice from its options. */
export function measureOptions(column: CodebookColumn, choice: CodebookChoice): void {
  const { used } = column.book;
  choice.usage.fill(0);
  choice.cost = 0;
  for (let row = 0; row < column.rows; row++) {
    const option = choice.options[row];
    choice.cost += optionCost(column, row, option);
    addUses(used, option, 1, choice.usage);
  }
}

/** Whether a measured choice keeps every limit. */
export function keepsBudgets({ book }: CodebookColumn, { usage }: CodebookChoice): boolean {
  for (let at = 0; at < book.resources; at++) if (usage[at] > book.budgets[at]) return false;
  return true;
}

export function copyOptions(column: CodebookColumn, from: CodebookChoice, to: CodebookChoice): void {
  for (let row = 0; row < column.rows; row++) to.options[row] = from.options[row];
  to.usage.set(from.usage);
  to.cost = from.cost;
}

/** Changes one row's option and keeps the books. */
export function setOption(column: CodebookColumn, choice: CodebookChoice, row: number, option: number): void {
  const { used } = column.book;
  const before = choice.options[row];
  addUses(used, option, 1, choice.usage);
  addUses(used, before, -1, choice.usage);
  choice.cost += optionCost(column, row, option) - optionCost(column, row, before);
  choice.options[row] = option;
}

/**
 * The option nearest to `target` (in code units) that uses no level of `mask`, of those nearer than `within`; -1 if
 * there is none. Of two equally near the smaller code.
 */
export function nearestOption(book: Codebook, target: number, within: number, mask: LevelMask): number {
  const place = target - book.minCode;
  const floor = Math.max(-1, Math.min(book.count - 1, Math.floor(place)));
  const low = openAtMost(book, floor, mask);
  const high = openAtLeast(book, floor + 1, mask);
  const below = low >= 0 ? Math.abs(place - low) : Infinity;
  const above = high >= 0 ? Math.abs(high - place) : Infinity;
  if (Math.min(below, above) >= within) return -1;
  return below <= above ? low : high;
}

/** The nearest option of all. */
export function roundedOption({ minCode, count }: Codebook, target: number): number {
  const place = Math.ceil(target - minCode - 0.5);
  return Math.max(0, Math.min(count - 1, place));
}
