import type { CompiledModule } from '../tensor/compiled-module';
import { borrowCore, plainCore, type SignSplitCore, setLimits } from './column-core';
import { type ColumnAnswer, type ColumnSolver, type ColumnTask, loadColumn, METHODS } from './column-task';
import { LAGRANGIAN } from './core/methods';
import { beginColumn, endSides, type Solver, solveSides, UNLIMITED } from './core/solver';
import { checkLimits, type Limits } from './limits';
import { checkedSearchLimit, type ProjectionMethod, type SolverOptions } from './projection-method';
import { searchLabels } from './search-labels';

/** What the columns of one set of limits are solved with. The core is lent: others set limits of their own there. */
interface SignSplitSolver {
  readonly method: ProjectionMethod;
  readonly limits: Limits;
  readonly core: SignSplitCore;
  /** For `exact`: the plain core from the inside. */
  readonly inside?: Solver;
  readonly searchLimit: number;
}

/** Solves columns of at most `capacity` rows of sign-split codes in 1-bit cells. Checks the limits. */
export function createSignSplitSolver(
  options: SolverOptions,
  capacity: number,
  compiled: CompiledModule | undefined,
): ColumnSolver {
  const { method } = options;
  const searchLimit = checkedSearchLimit(options);
  const asked = checkLimits(options);
  // With no more nonzeros than the tightest plane allows every bit column is kept: TinyADC's set.
  const values = method === 'value-only' ? Math.min(asked.values, ...asked.bits) : asked.values;
  const limits = { ...asked, values };
  const { core, inside } =
    method === 'exact' ? plainCore(capacity) : { core: borrowCore(capacity, compiled), inside: undefined };
  const solver = { method, limits, core, inside, searchLimit };
  // 2 polarities x planes, and the value limit's.
  return { multipliers: 2 * limits.planes + 1, solve: (task) => solveColumn(solver, task) };
}

function solveColumn(solver: SignSplitSolver, task: ColumnTask): ColumnAnswer {
  const { method, limits, core, inside } = solver;
  const { warm } = task;
  const { length } = task.targets;
  const previous = task.previous !== undefined;
  setLimits(core, limits);
  loadColumn(core, task);
  if (inside) searchColumn(solver, inside, length, previous, warm);
  else core.solve(length, METHODS[method], previous, warm);
  for (let row = 0; row < length; row++) task.codes[row] = core.codes[row];
  for (let at = 0; at < task.multipliers.length; at++) task.multipliers[at] = core.multipliers[at];
  return { objective: core.objective(), lowerBound: core.lowerBound() };
}

/** The core's `solveColumn`, with the search after the Lagrangian. */
function searchColumn(
  { limits, searchLimit }: SignSplitSolver,
  inside: Solver,
  length: number,
  previous: boolean,
  warm: boolean,
): void {
  beginColumn(inside, length, warm);
  const coupled = limits.values < length;
  inside.column.values = coupled ? limits.values : UNLIMITED;
  for (const sign of coupled ? [0] : [1, -1]) {
    if (solveSides(inside, length, sign, LAGRANGIAN, previous, warm) && inside.bound < inside.best.cost)
      inside.bound = Math.max(inside.bound, searchLabels(inside, searchLimit));
    endSides(inside, sign);
  }
}
