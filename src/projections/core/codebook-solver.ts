import { Codebook } from './codebook';
import { CodebookChoice, CodebookColumn } from './codebook-column';
import { codebookGreedy } from './codebook-greedy';
import { CodebookLagrangian } from './codebook-lagrangian';
import { codebookPolish } from './codebook-polish';
import { codebookTruncate } from './codebook-truncate';
import { ColumnBuffers } from './column-buffers';
import { GREEDY, TRUNCATION } from './methods';
import { roundedOption } from './open-options';
import type { Bytes, Int, Real, Reals } from './portable';

/** Solves columns of at most `capacity` rows in the words of one codebook; multipliers: [resources]. */
export class CodebookSolver extends ColumnBuffers {
  readonly column: CodebookColumn;
  readonly best: CodebookChoice;
  readonly scratch: CodebookChoice;
  readonly lagrangian: CodebookLagrangian;

  constructor(book: Codebook, capacity: Int) {
    super(capacity, book.resources);
    this.column = new CodebookColumn(book, capacity);
    this.best = new CodebookChoice(book.resources, capacity);
    this.scratch = new CodebookChoice(book.resources, capacity);
    this.lagrangian = new CodebookLagrangian(book, capacity);
  }
}

export function createCodebook(minCode: Int, count: Int, planes: Int, polarities: Int): Codebook {
  return new Codebook(minCode, count, planes, polarities);
}
export function createCodebookSolver(book: Codebook, capacity: Int): CodebookSolver {
  return new CodebookSolver(book, capacity);
}

// Access for callers outside the module's memory, who cannot see fields.
export function bookUsesOf(book: Codebook): Bytes {
  return book.uses;
}
export function bookWorthOf(book: Codebook): Reals {
  return book.worth;
}
export function completeBook(book: Codebook): void {
  book.complete();
}
export function bookBudgetsOf(solver: CodebookSolver): Reals {
  return solver.column.budgets;
}

/** A whole column of `length` rows, which must fit (`canHold`). */
export function solveInCodebook(
  solver: CodebookSolver,
  length: Int,
  method: Int,
  previous: boolean,
  warm: boolean,
): void {
  chooseOptions(solver, length, method, previous, warm);
  endOptions(solver);
}

/**
 * Leaves the choice in `best`, measured, and a bound on its cost. True where rounding broke a limit, so that there was
 * something to choose.
 */
export function chooseOptions(
  solver: CodebookSolver,
  length: Int,
  method: Int,
  previous: boolean,
  warm: boolean,
): boolean {
  const column = solver.column;
  const best = solver.best;
  column.gather(solver.targets, solver.curvature, length);
  for (let row: Int = 0; row < length; row++) solver.codes[row] = 0;
  round(solver);
  if (best.isFeasible(column)) {
    solver.multipliers.fill(0);
    return false;
  }
  if (method === TRUNCATION) codebookTruncate(column, best);
  else {
    column.keepLargest();
    if (column.rows < length) round(solver);
    if (method === GREEDY) chooseGreedily(solver, warm);
    else chooseByMultipliers(solver, previous, warm);
  }
  best.measure(column);
  return true;
}

/** Rounds every row: no choice costs less. */
function round(solver: CodebookSolver): void {
  const column = solver.column;
  const best = solver.best;
  for (let row: Int = 0; row < column.rows; row++)
    best.options[row] = roundedOption(column.book, column.targets[row]);
  best.measure(column);
  solver.lowerBound = best.cost;
}

function chooseGreedily(solver: CodebookSolver, warm: boolean): void {
  const column = solver.column;
  codebookGreedy(column, solver.best);
  codebookPolish(column, solver.best);
  if (warm) raiseBound(solver, solver.lagrangian.dual.relax(column, solver.multipliers));
}

function chooseByMultipliers(solver: CodebookSolver, previous: boolean, warm: boolean): void {
  const column = solver.column;
  const best = solver.best;
  const scratch = solver.scratch;
  codebookGreedy(column, best);
  codebookPolish(column, best);
  if (column.book.zero === column.book.empty) {
    codebookTruncate(column, scratch);
    if (scratch.cost < best.cost) best.copyFrom(scratch, column.rows);
  }
  if (previous) offerPrevious(solver);
  raiseBound(solver, solver.lagrangian.solve(column, best, scratch, solver.multipliers, warm));
}

function raiseBound(solver: CodebookSolver, bound: Real): void {
  if (bound > solver.lowerBound) solver.lowerBound = bound;
}

function offerPrevious(solver: CodebookSolver): void {
  const column = solver.column;
  const scratch = solver.scratch;
  const book = column.book;
  const last = book.count - 1;
  for (let row: Int = 0; row < column.rows; row++) {
    const option = solver.previous[column.origin[row]] - book.minCode;
    scratch.options[row] = option < 0 ? 0 : option > last ? last : option;
  }
  scratch.measure(column);
  if (!scratch.isFeasible(column)) return;
  codebookPolish(column, scratch);
  if (scratch.cost < solver.best.cost) solver.best.copyFrom(scratch, column.rows);
}

/** Makes the answer of what `best` holds. */
export function endOptions(solver: CodebookSolver): void {
  const column = solver.column;
  const best = solver.best;
  if (solver.lowerBound > best.cost) solver.lowerBound = best.cost;
  solver.objective = best.cost + column.constant;
  solver.lowerBound += column.constant;
  for (let row: Int = 0; row < column.rows; row++)
    solver.codes[column.origin[row]] = column.book.minCode + best.options[row];
}
