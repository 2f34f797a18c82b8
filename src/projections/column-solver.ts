import type { CompiledModule } from '../tensor/compiled-module';
import { createCodebookColumnSolver } from './codebook-column-solver';
import { compiledCore } from './column-core';
import type { ColumnSolver } from './column-task';
import { isPlainSignSplit } from './limits';
import type { SolverOptions } from './projection-method';
import { createSignSplitSolver } from './sign-split-solver';

/**
 * A solver of columns of at most `capacity` rows. Checks the limits, and that codes exist which keep them.
 * @param compiled the core to use, by default the one in use here
 */
export function createColumnSolver(
  options: SolverOptions,
  capacity: number,
  compiled: CompiledModule | undefined = compiledCore(),
): ColumnSolver {
  const create = isPlainSignSplit(options) ? createSignSplitSolver : createCodebookColumnSolver;
  return create(options, capacity, compiled);
}
