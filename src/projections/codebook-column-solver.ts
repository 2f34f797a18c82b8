import { InputError } from '../errors';
import type { CompiledModule } from '../tensor/compiled-module';
import { codebookBudgets, codebookKey, codebookOf } from './codebook';
import { borrowCodebookCore, type CodebookCore, plainCodebookCore } from './codebook-core';
import { codebookSearch } from './codebook-search';
import { type ColumnAnswer, type ColumnSolver, type ColumnTask, loadColumn, METHODS } from './column-task';
import { type Codebook, canHold, zerosAllowed } from './core/codebook';
import { type CodebookSolver, chooseOptions, endOptions } from './core/codebook-solver';
import { LAGRANGIAN } from './core/methods';
import { checkedSearchLimit, type SolverOptions } from './projection-method';

/** One way of storing a column's words. The core is lent: others set budgets of their own there. */
interface Orientation {
  readonly book: Codebook;
  readonly budgets: Float64Array;
  readonly core: CodebookCore;
  /** For `exact`: the plain core from the inside. */
  readonly inside?: CodebookSolver;
}

/** Solves columns of at most `capacity` rows in any encoding. Checks the limits, and that codes exist which keep them. */
export function createCodebookColumnSolver(
  options: SolverOptions,
  capacity: number,
  compiled: CompiledModule | undefined,
): ColumnSolver {
  const { method, flip, encoding } = options;
  const searchLimit = checkedSearchLimit({ ...options, searchLimit: options.searchLimit ?? 4_000 });
  const orientations = (flip ? [false, true] : [false]).map((flipped): Orientation => {
    const book = codebookOf(options, flipped);
    const budgets = codebookBudgets(options, book);
    if ((method === 'truncation' || method === 'value-only') && book.zero !== book.empty)
      throw new InputError(
        `method: ${method} sets weights to zero to save ones, but in ${encoding} encoding zero has ones itself`,
      );
    if (method === 'value-only') limitValues(book, budgets);
    if (method === 'exact') return { book, budgets, ...plainCodebookCore(book, capacity) };
    const core = borrowCodebookCore(codebookKey(options, flipped), book, capacity, compiled);
    return { book, budgets, core };
  });
  if (!orientations.some(({ book, budgets }) => canHold(book, budgets, capacity, -1))) {
    const zeros = Math.max(...orientations.map(({ book, budgets }) => zerosAllowed(book, budgets, -1)));
    throw new InputError(
      `valueLimit: ${options.valueLimit} nonzero weights of ${capacity} rows; in ${encoding} encoding zero has ones, so bitLimit lets only ${zeros} be zero`,
    );
  }
  const { resources } = orientations[0].book;
  return {
    multipliers: orientations.length * resources,
    solve: (task) => solveOrientations(orientations, METHODS[method], searchLimit, task),
  };
}

/** With so few nonzeros that even the largest digits fit, every bit limit is kept: TinyADC's set. */
function limitValues({ resources, most }: Codebook, budgets: Float64Array): void {
  const last = resources - 1;
  for (let at = 0; at < last; at++) {
    if (most[at] > 0) budgets[last] = Math.min(budgets[last], Math.floor(budgets[at] / most[at]));
  }
}

/** Projects one column, in each orientation that can hold it; the better one wins, the plain one if equal. */
function solveOrientations(
  orientations: readonly Orientation[],
  method: number,
  searchLimit: number,
  task: ColumnTask,
): ColumnAnswer {
  const { length } = task.targets;
  if (!task.warm) task.multipliers.fill(0);
  let objective = Infinity;
  let lowerBound = Infinity;
  let flipped = false;
  orientations.forEach(({ book, budgets, core, inside }, turn) => {
    if (objective === 0 || !canHold(book, budgets, length, -1)) return;
    const own = task.multipliers.subarray(turn * book.resources, (turn + 1) * book.resources);
    const previous = task.previous !== undefined;
    core.budgets.set(budgets);
    loadColumn(core, { ...task, multipliers: own, warm: true });
    if (inside) searchColumn(inside, length, searchLimit, previous, task.warm);
    else core.solve(length, method, previous, task.warm);
    own.set(core.multipliers);
    lowerBound = Math.min(lowerBound, core.lowerBound());
    if (core.objective() >= objective) return;
    objective = core.objective();
    flipped = turn === 1;
    for (let row = 0; row < length; row++) task.codes[row] = core.codes[row];
  });
  return { objective, lowerBound: Math.min(objective, lowerBound), flipped };
}

/** The core's `solveInCodebook`, with the search after the Lagrangian. */
function searchColumn(
  inside: CodebookSolver,
  length: number,
  searchLimit: number,
  previous: boolean,
  warm: boolean,
): void {
  if (chooseOptions(inside, length, LAGRANGIAN, previous, warm)) codebookSearch(inside, searchLimit);
  endOptions(inside);
}
