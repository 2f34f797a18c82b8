import type { ColumnCore } from './column-core';
import { GREEDY, LAGRANGIAN, TRUNCATION } from './core/methods';

/** One column to be solved. */
export interface ColumnTask {
  /** In units of the scale. */
  readonly targets: Float64Array;
  readonly curvature: Float64Array | undefined;
  readonly previous: Int8Array | undefined;
  /** Read if `warm`; left as the best found. */
  readonly multipliers: Float64Array;
  readonly warm: boolean;
  /** Filled with the answer. */
  readonly codes: Int8Array;
}

export interface ColumnAnswer {
  readonly objective: number;
  readonly lowerBound: number;
  /** With `flip`: whether the column is stored complemented. */
  readonly flipped?: boolean;
}

/** Solves column after column of at most some rows, without further checks. */
export interface ColumnSolver {
  /** Multipliers a column has. */
  readonly multipliers: number;
  solve(task: ColumnTask): ColumnAnswer;
}

/** The core's methods; the search of `exact` comes after its Lagrangian. */
export const METHODS = {
  truncation: TRUNCATION,
  'value-only': TRUNCATION,
  greedy: GREEDY,
  lagrangian: LAGRANGIAN,
  exact: LAGRANGIAN,
} as const;

/** Fills in a task's numbers. */
export function loadColumn(
  core: ColumnCore,
  { targets, curvature, previous, multipliers, warm }: ColumnTask,
): void {
  core.targets.set(targets);
  if (curvature) core.curvature.set(curvature);
  else core.curvature.fill(1, 0, targets.length);
  if (previous) core.previous.set(previous);
  if (warm) core.multipliers.set(multipliers);
}
