import { InputError } from '../errors';
import type { CompiledModule } from '../tensor/compiled-module';
import {
  borrowCore,
  type ColumnCore,
  compiledCore,
  plainCore,
  type SignSplitCore,
  setLimits,
} from './column-core';
import { GREEDY, LAGRANGIAN, TRUNCATION } from './core/methods';
import { beginColumn, endSides, type Solver, solveSides, UNLIMITED } from './core/solver';
import { checkLimits, isPlainSignSplit, type LimitOptions, type Limits } from './limits';
import { createCodebookColumnSolver } from './project-codebook-column';
import { searchLabels } from './search-labels';

/**
 * - `truncation`: the rows that matter most, rounded, as many a polarity as a plane allows; the rest zero.
 * - `value-only` (TinyADC-like): at most min(k_b) nonzero weights in the whole column, rounded.
 * - `greedy`: MSB-first, then polished by single-row and exchange moves.
 * - `lagrangian`: the best of those and of repaired relaxations, with a certified bound.
 * - `exact`: optimal, unless its search outgrows `searchLimit`; the gap says.
 */
export type ProjectionMethod = 'truncation' | 'value-only' | 'greedy' | 'lagrangian' | 'exact';

export const projectionMethods: readonly ProjectionMethod[] = [
  'truncation',
  'value-only',
  'greedy',
  'lagrangian',
  'exact',
];

export interface SolverOptions extends LimitOptions {
  readonly method: ProjectionMethod;
  /** States the search of `exact` may hold at once; default 32,000 (other encodings than sign-split: 4,000). */
  readonly searchLimit?: number;
}

export interface ColumnOptions extends SolverOptions {
  /** Weights of one row tile and output channel, in units of the scale. */
  readonly targets: Float64Array;
  /** d_i > 0; default 1. */
  readonly curvature?: Float64Array;
  /** Codes of an earlier solution: a candidate if it keeps the limits. */
  readonly previous?: Int8Array;
  /** Multipliers of an earlier solution, to start from; see ColumnProjection. */
  readonly multipliers?: Float64Array;
}

export interface ColumnProjection {
  /** In the range of the encoding; sign-split codes never have the sign opposite to the target. */
  readonly codes: Int8Array;
  /** sum_i d_i (a_i - code_i)^2. */
  readonly objective: number;
  /** No feasible codes have a smaller objective. For the first three methods: the error of plain rounding, or the dual
   * value of the multipliers given, whichever is larger. */
  readonly lowerBound: number;
  /** (objective - lowerBound) / objective; 0 for objective 0. */
  readonly gap: number;
  /**
   * [polarities * planes + 1]: positive polarity's planes (lowest first), negative polarity's, value limit; with `flip`
   * the same again for the complemented column.
   */
  readonly multipliers: Float64Array;
  /** With `flip`: whether the column is stored complemented. */
  readonly flipped?: boolean;
}

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

/**
 * Checks the limits, and that codes exist which keep them.
 * @param compiled the core to use, by default the one in use here
 */
export function createColumnSolver(
  options: SolverOptions,
  capacity: number,
  compiled: CompiledModule | undefined = compiledCore(),
): ColumnSolver {
  if (isPlainSignSplit(options)) {
    const solver = createSignSplitSolver(options, capacity, compiled);
    // 2 polarities x planes, and the value limit's.
    return {
      multipliers: 2 * solver.limits.planes + 1,
      solve: (task) => solveSignSplitColumn(solver, task),
    };
  }
  return createCodebookColumnSolver(options, capacity, compiled);
}

/** Buffers and checked limits for many columns; only one solver is in use at a time. */
interface SignSplitSolver {
  readonly method: ProjectionMethod;
  readonly limits: Limits;
  readonly core: SignSplitCore;
  /** For `exact`: the plain core from the inside. */
  readonly inside?: Solver;
  readonly searchLimit: number;
}

function createSignSplitSolver(
  options: SolverOptions,
  capacity: number,
  compiled: CompiledModule | undefined,
): SignSplitSolver {
  const { method } = options;
  const searchLimit = checkedSearchLimit(options);
  const asked = checkLimits(options);
  // With no more nonzeros than the tightest plane allows every bit column is kept: TinyADC's set.
  const values = method === 'value-only' ? Math.min(asked.values, ...asked.bits) : asked.values;
  const limits = { ...asked, values };
  if (method !== 'exact')
    return { method, limits, core: borrowCore(capacity, limits, compiled), searchLimit };
  const { core, solver } = plainCore(capacity);
  setLimits(core, limits);
  return { method, limits, core, inside: solver, searchLimit };
}

/** The method's search limit; throws an InputError for an unknown method too. */
export function checkedSearchLimit({ method, searchLimit = 32_000 }: SolverOptions): number {
  if (!projectionMethods.includes(method)) {
    throw new InputError(`method: "${method}" is unknown; one of ${projectionMethods.join(', ')} is needed`);
  }
  if (!Number.isInteger(searchLimit) || searchLimit < 1) {
    throw new InputError(`searchLimit: ${searchLimit} is not a whole number of at least 1`);
  }
  return searchLimit;
}

/** Projects one column on its constraint set. An empty column gives empty codes and objective 0. */
export function projectColumn(options: ColumnOptions): ColumnProjection {
  const { targets, curvature, previous } = options;
  checkNumbers(targets, curvature);
  const solver = createColumnSolver(options, targets.length);
  const multipliers = new Float64Array(solver.multipliers);
  if (options.multipliers) {
    if (options.multipliers.length !== multipliers.length) {
      throw new InputError(
        `multipliers: ${options.multipliers.length} numbers where ${multipliers.length} are needed`,
      );
    }
    options.multipliers.forEach((multiplier, i) => {
      if (!(multiplier >= 0 && multiplier < Infinity)) {
        throw new InputError(`multiplier ${i} is ${multiplier}; a finite number of at least 0 is needed`);
      }
    });
    multipliers.set(options.multipliers);
  }
  if (previous && previous.length !== targets.length) {
    throw new InputError(`previous: ${previous.length} codes for ${targets.length} weights`);
  }
  const codes = new Int8Array(targets.length);
  const warm = options.multipliers !== undefined;
  const answer = solver.solve({ targets, curvature, previous, multipliers, warm, codes });
  return {
    codes,
    objective: answer.objective,
    lowerBound: answer.lowerBound,
    gap: relativeGap(answer.objective, answer.lowerBound),
    multipliers,
    ...(options.flip && { flipped: answer.flipped }),
  };
}

export function relativeGap(objective: number, lowerBound: number): number {
  return objective > 0 ? (objective - lowerBound) / objective : 0;
}

export function checkNumbers(targets: Float64Array, curvature: Float64Array | undefined): void {
  for (let i = 0; i < targets.length; i++) {
    if (!Number.isFinite(targets[i]))
      throw new InputError(`weight ${i} is ${targets[i]}, not a finite number`);
  }
  if (curvature) checkCurvature(curvature, targets.length);
}

export function checkCurvature(curvature: Float64Array, length: number): void {
  if (curvature.length !== length)
    throw new InputError(`curvature: ${curvature.length} numbers for ${length} rows`);
  for (let i = 0; i < length; i++) {
    if (!(curvature[i] > 0 && curvature[i] < Infinity)) {
      throw new InputError(`curvature of row ${i} is ${curvature[i]}; a finite number above 0 is needed`);
    }
  }
}

/** The core's methods; the search of `exact` comes after its Lagrangian. */
export const METHODS = {
  truncation: TRUNCATION,
  'value-only': TRUNCATION,
  greedy: GREEDY,
  lagrangian: LAGRANGIAN,
  exact: LAGRANGIAN,
} as const;

function solveSignSplitColumn(solver: SignSplitSolver, task: ColumnTask): ColumnAnswer {
  const { method, core, inside } = solver;
  const { warm } = task;
  const { length } = task.targets;
  const previous = task.previous !== undefined;
  loadColumn(core, task);
  if (inside) searchColumn(solver, inside, length, previous, warm);
  else core.solve(length, METHODS[method], previous, warm);
  for (let row = 0; row < length; row++) task.codes[row] = core.codes[row];
  for (let at = 0; at < task.multipliers.length; at++) task.multipliers[at] = core.multipliers[at];
  return { objective: core.objective(), lowerBound: core.lowerBound() };
}

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
    if (solveSides(inside, length, sign, LAGRANGIAN, previous, warm))
      inside.bound = Math.max(inside.bound, searchLabels(inside, searchLimit));
    endSides(inside, sign);
  }
}
