import { InputError } from '../errors';
import { type Codebook, canHold, codebookOf, zerosAllowed } from './codebook';
import {
  type CodebookChoice,
  type CodebookColumn,
  copyOptions,
  createCodebookChoice,
  createCodebookColumn,
  gatherRows,
  keepsBudgets,
  measureOptions,
  roundedOption,
} from './codebook-column';
import { codebookGreedy } from './codebook-greedy';
import { codebookLagrangian } from './codebook-lagrangian';
import { codebookPolish } from './codebook-polish';
import { codebookSearch } from './codebook-search';
import { codebookTruncate } from './codebook-truncate';
import {
  type ColumnAnswer,
  type ColumnTask,
  checkedSearchLimit,
  type ProjectionMethod,
  type SolverOptions,
} from './project-column';
import { type CodebookDual, createCodebookDual, relaxCodebook } from './relax-codebook';

/** One way of storing a column's words: buffers and limits for columns of at most some rows. */
interface Orientation {
  readonly column: CodebookColumn;
  readonly dual: CodebookDual;
  readonly best: CodebookChoice;
  readonly scratch: CodebookChoice;
}

/** Solves many columns of one encoding. */
export interface CodebookSolver {
  readonly method: ProjectionMethod;
  readonly searchLimit: number;
  /** Plain, and complemented where flips are allowed. */
  readonly orientations: readonly Orientation[];
  /** Multipliers of a column: one for each resource of each orientation. */
  readonly multipliers: number;
}

/** A solver for columns of at most `capacity` rows. Checks the limits, and that codes exist which keep them. */
export function createCodebookSolver(options: SolverOptions, capacity: number): CodebookSolver {
  const { method, flip, encoding } = options;
  const searchLimit = checkedSearchLimit({ ...options, searchLimit: options.searchLimit ?? 4_000 });
  const books = (flip ? [false, true] : [false]).map((flipped) => {
    const book = codebookOf(options, flipped);
    if (method !== 'truncation' && method !== 'value-only') return book;
    if (book.zero !== book.empty) {
      throw new InputError(
        `method: ${method} sets weights to zero to save ones, but in ${encoding} encoding zero has ones itself`,
      );
    }
    return method === 'value-only' ? valuesOnly(book) : book;
  });
  if (!books.some((book) => canHold(book, book.budgets, capacity))) {
    const zeros = Math.max(...books.map((book) => zerosAllowed(book, book.budgets)));
    throw new InputError(
      `valueLimit: ${options.valueLimit} nonzero weights of ${capacity} rows; in ${encoding} encoding zero has ones, so bitLimit lets only ${zeros} be zero`,
    );
  }
  const orientations = books.map((book) => {
    const column = createCodebookColumn(book, capacity);
    return {
      column,
      dual: createCodebookDual(column),
      best: createCodebookChoice(book, capacity),
      scratch: createCodebookChoice(book, capacity),
    };
  });
  return { method, searchLimit, orientations, multipliers: books.length * books[0].resources };
}

/** With so few nonzeros that even the largest digits fit, every bit limit is kept: TinyADC's set. */
function valuesOnly(book: Codebook): Codebook {
  const budgets = book.budgets.slice();
  const last = book.resources - 1;
  for (let at = 0; at < last; at++) {
    if (book.most[at] > 0) budgets[last] = Math.min(budgets[last], Math.floor(budgets[at] / book.most[at]));
  }
  return { ...book, budgets };
}

/** Projects one column, in each orientation that can hold it; the better one wins, the plain one if equal. */
export function solveCodebookColumn(solver: CodebookSolver, task: ColumnTask): ColumnAnswer {
  if (!task.warm) task.multipliers.fill(0);
  let objective = Infinity;
  let lowerBound = Infinity;
  let flipped = false;
  solver.orientations.forEach((orientation, turn) => {
    const { column, best } = orientation;
    const { book } = column;
    if (objective === 0 || !canHold(book, book.budgets, task.targets.length)) return;
    const own = task.multipliers.subarray(turn * book.resources, (turn + 1) * book.resources);
    const bound = solveOrientation(solver, orientation, task, own);
    lowerBound = Math.min(lowerBound, bound);
    if (best.cost >= objective) return;
    objective = best.cost;
    flipped = turn === 1;
    for (let row = 0; row < column.rows; row++) {
      task.codes[column.origin[row]] = book.minCode + best.options[row];
    }
  });
  return { objective, lowerBound: Math.min(objective, lowerBound), flipped };
}

/** Leaves the solution in the orientation's `best`; returns a bound on its cost. */
function solveOrientation(
  { method, searchLimit }: CodebookSolver,
  { column, dual, best, scratch }: Orientation,
  task: ColumnTask,
  multipliers: Float64Array,
): number {
  gatherRows(column, task.targets, task.curvature);
  const { book } = column;
  for (let row = 0; row < column.rows; row++) best.options[row] = roundedOption(book, column.targets[row]);
  measureOptions(column, best);
  const rounding = best.cost;
  if (keepsBudgets(column, best)) {
    multipliers.fill(0);
    return rounding;
  }
  if (method === 'truncation' || method === 'value-only') {
    codebookTruncate(column, best);
    return rounding;
  }
  const offer = () => {
    if (scratch.cost < best.cost) copyOptions(column, scratch, best);
  };
  codebookGreedy(column, best);
  codebookPolish(column, best);
  if (method === 'greedy') {
    measureOptions(column, best);
    return Math.max(rounding, task.warm ? relaxCodebook(dual, multipliers) : 0);
  }
  if (book.zero === book.empty) {
    codebookTruncate(column, scratch);
    offer();
  }
  if (task.previous) {
    const { minCode, count } = book;
    for (let row = 0; row < column.rows; row++) {
      scratch.options[row] = Math.max(0, Math.min(count - 1, task.previous[column.origin[row]] - minCode));
    }
    measureOptions(column, scratch);
    if (keepsBudgets(column, scratch)) {
      codebookPolish(column, scratch);
      offer();
    }
  }
  let bound = Math.max(rounding, codebookLagrangian(column, dual, best, scratch, multipliers, task.warm));
  if (method === 'exact') {
    bound = Math.max(bound, codebookSearch(column, dual, best, multipliers, searchLimit));
  }
  measureOptions(column, best);
  return Math.min(best.cost, bound);
}
