import { type Codebook, isScarce, mostOfSign } from './codebook';
import { nearestOption } from './open-options';
import { type Int, type Ints, ints, type Real, type Reals, reals } from './portable';
import { Room } from './room';
import { RowOrder } from './row-order';

/** One column's rows laid out for the solvers of any codebook, smallest target first. */
export class CodebookColumn {
  readonly book: Codebook;
  /** How much of each resource there is; Infinity where there is no limit. [resources] */
  readonly budgets: Reals;
  rows: Int = 0;
  readonly targets: Reals;
  readonly curvature: Reals;
  /** All curvatures are equal, so one lower envelope serves every row. */
  uniform: boolean = true;
  maxCurvature: Real = 1;
  /** Position of each row in what was given. */
  readonly origin: Ints;
  /** Error of the rows left out, which are zero. */
  constant: Real = 0;
  /** Resources that can run short, `shortCount` of them, ascending. */
  readonly short: Ints;
  shortCount: Int = 0;

  // For the solvers: to sort rows by, what is left of resources, and an option or a mark by row.
  readonly order: RowOrder;
  readonly room: Room;
  readonly next: Ints;
  readonly marks: Ints;

  constructor(book: Codebook, capacity: Int) {
    this.book = book;
    this.budgets = reals(book.resources);
    this.targets = reals(capacity);
    this.curvature = reals(capacity);
    this.origin = ints(capacity);
    this.short = ints(book.resources);
    this.order = new RowOrder(capacity);
    this.room = new Room(book.resources);
    this.next = ints(capacity);
    this.marks = ints(capacity);
  }

  /** Takes rows: targets in units of the scale. */
  gather(targets: Reals, curvature: Reals, length: Int): void {
    const order = this.order;
    for (let row: Int = 0; row < length; row++) order.keys[row] = -targets[row];
    this.sortAll(length);
    this.rows = length;
    this.constant = 0;
    this.uniform = true;
    this.maxCurvature = 0;
    for (let row: Int = 0; row < length; row++) {
      const from = order.rows[row];
      this.origin[row] = from;
      this.targets[row] = targets[from];
      const weight = curvature[from];
      this.curvature[row] = weight;
      if (weight !== this.curvature[0]) this.uniform = false;
      if (weight > this.maxCurvature) this.maxCurvature = weight;
    }
    this.shortCount = 0;
    for (let at: Int = 0; at < this.book.resources; at++)
      if (isScarce(this.book, this.budgets, length, at)) this.short[this.shortCount++] = at;
  }

  /**
   * Where all curvatures are equal, leaves out the rows between the smallest and the largest, as many of these as can be
   * nonzero: a row between would only have given its code to one of none farther out, which takes more from the error.
   */
  keepLargest(): void {
    const negative = mostOfSign(this.book, this.budgets, 1);
    const positive = mostOfSign(this.book, this.budgets, 0);
    if (!this.uniform || negative + positive >= (this.rows as Real)) return;
    let end = negative as Int;
    const next = this.rows - (positive as Int);
    for (let row = end; row < next; row++) this.constant += this.cost(row, this.book.zero);
    for (let row = next; row < this.rows; row++) {
      this.targets[end] = this.targets[row];
      this.origin[end] = this.origin[row];
      end++;
    }
    this.rows = end;
  }

  /** Puts the first `count` rows into `order.rows` by falling `order.keys`; equal keys keep their order. */
  sortAll(count: Int): void {
    const order = this.order;
    for (let row: Int = 0; row < count; row++) order.rows[row] = row;
    order.sort(count);
  }

  cost(row: Int, option: Int): Real {
    const error = this.targets[row] - (this.book.minCode as Real) - (option as Real);
    return this.curvature[row] * error * error;
  }

  /** The best option within the room left that costs less than the row's own; -1 if there is none. */
  better(row: Int, option: Int): Int {
    const book = this.book;
    const within = Math.abs(this.targets[row] - (book.minCode as Real) - (option as Real));
    if (within <= 0.5) return -1;
    return nearestOption(book, this.targets[row], within, this.room.closedTo(book, option, -1));
  }
}

/** An option for every row, and what they use together. */
export class CodebookChoice {
  readonly options: Ints;
  /** [resources] */
  readonly usage: Ints;
  /** Sum of curvature * error^2. */
  cost: Real = 0;

  constructor(resources: Int, capacity: Int) {
    this.options = ints(capacity);
    this.usage = ints(resources);
  }

  /** Recomputes usage and cost from the options. */
  measure(column: CodebookColumn): void {
    this.usage.fill(0);
    let cost: Real = 0;
    for (let row: Int = 0; row < column.rows; row++) {
      const option = this.options[row];
      cost += column.cost(row, option);
      column.book.addUses(option, 1, this.usage);
    }
    this.cost = cost;
  }

  /** Whether the measured choice keeps every limit. */
  isFeasible(column: CodebookColumn): boolean {
    for (let at: Int = 0; at < this.usage.length; at++)
      if ((this.usage[at] as Real) > column.budgets[at]) return false;
    return true;
  }

  copyFrom(other: CodebookChoice, rows: Int): void {
    for (let row: Int = 0; row < rows; row++) this.options[row] = other.options[row];
    for (let at: Int = 0; at < this.usage.length; at++) this.usage[at] = other.usage[at];
    this.cost = other.cost;
  }

  /** Changes one row's option and keeps the books. */
  setOption(column: CodebookColumn, row: Int, option: Int): void {
    const before = this.options[row];
    column.book.addUses(option, 1, this.usage);
    column.book.addUses(before, -1, this.usage);
    this.cost += column.cost(row, option) - column.cost(row, before);
    this.options[row] = option;
  }
}
