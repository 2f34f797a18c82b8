import { InputError } from '../errors';
import {
  type Choice,
  type Column,
  copyChoice,
  createChoice,
  createColumn,
  gatherColumn,
  isFeasible,
  measureChoice,
} from './column';
import { createDual, type Dual, multiplierCount, relax } from './dual';

import { greedy } from './greedy';
import { solveLagrangian } from './lagrangian';
import { checkLimits, isPlainSignSplit, type LimitOptions, type Limits } from './limits';
import { polish } from './polish';
import { createCodebookSolver, solveCodebookColumn } from './project-codebook-column';
import { searchLabels } from './search-labels';
import { truncate } from './truncate';

/**
 * What each method gives, in every encoding; offset encoding, where zero weights hold ones, has no first two.
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

/** Buffers and checked limits for many columns of at most `capacity` rows. */
export interface ColumnSolver {
  readonly limits: Limits;
  readonly column: Column;
  readonly dual: Dual;
  readonly best: Choice;
  readonly scratch: Choice;
  readonly searchLimit: number;
}

export function createColumnSolver(options: SolverOptions, capacity: number): ColumnSolver {
  const { method } = options;
  const searchLimit = checkedSearchLimit(options);
  const asked = checkLimits(options);
  // With no more nonzeros than the tightest plane allows every bit column is kept: TinyADC's set.
  const values = method === 'value-only' ? Math.min(asked.values, ...asked.bits) : asked.values;
  const limits = { ...asked, values };
  const column = createColumn(capacity, limits);
  return {
    limits,
    column,
    dual: createDual(column),
    best: createChoice(capacity, limits),
    scratch: createChoice(capacity, limits),
    searchLimit,
  };
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
  const { targets, curvature, method, previous } = options;
  checkNumbers(targets, curvature);
  const plain = isPlainSignSplit(options) ? createColumnSolver(options, targets.length) : undefined;
  const coded = plain
    ? undefined
    : createCodebookSolver({ ...options, searchLimit: checkedSearchLimit(options) }, targets.length);
  const multipliers = new Float64Array(coded?.multipliers ?? multiplierCount(plain!.limits.planes));
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
  const task = { targets, curvature, method, previous, multipliers, warm, codes };
  const answer = coded ? solveCodebookColumn(coded, task) : solveColumn(plain!, task);
  return {
    codes,
    objective: answer.objective,
    lowerBound: answer.lowerBound,
    gap: relativeGap(answer.objective, answer.lowerBound),
    multipliers,
    ...(options.flip && { flipped: 'flipped' in answer && answer.flipped }),
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

export interface ColumnTask {
  readonly targets: Float64Array;
  readonly curvature: Float64Array | undefined;
  readonly method: ProjectionMethod;
  readonly previous: Int8Array | undefined;
  /** Read if `warm`; left as the best found. */
  readonly multipliers: Float64Array;
  readonly warm: boolean;
  /** Filled with the answer. */
  readonly codes: Int8Array;
}

/** `projectColumn` without checks and allocations, for many columns. */
export function solveColumn(
  solver: ColumnSolver,
  task: ColumnTask,
): { objective: number; lowerBound: number } {
  const { planes, values } = solver.limits;
  const { targets, curvature } = task;
  task.codes.fill(0);
  if (!task.warm) task.multipliers.fill(0);
  if (values < targets.length) {
    gatherColumn(solver.column, targets, curvature, [1, -1]);
    return solveSides(solver, task, [1, -1], task.multipliers);
  }
  // Polarities share nothing, so each is a problem of its own.
  task.multipliers[2 * planes] = 0;
  let objective = 0;
  let lowerBound = 0;
  for (const sign of [1, -1]) {
    gatherColumn(solver.column, targets, curvature, [sign]);
    const own = new Float64Array(task.multipliers.length);
    const at = sign > 0 ? 0 : planes;
    for (let plane = 0; plane < planes; plane++) own[plane] = task.multipliers[at + plane];
    const part = solveSides(solver, task, [sign], own);
    for (let plane = 0; plane < planes; plane++) task.multipliers[at + plane] = own[plane];
    objective += part.objective;
    lowerBound += part.lowerBound;
  }
  return { objective, lowerBound };
}

function solveSides(
  solver: ColumnSolver,
  task: ColumnTask,
  signs: readonly number[],
  multipliers: Float64Array,
) {
  const { column, best, limits } = solver;
  const full = limits.maxMagnitude << 8;
  for (let row = 0; row < column.rows; row++) best.codes[row] = column.nearest[full + column.twice[row]];
  measureChoice(column, best);
  let bound = best.cost;
  if (isFeasible(column, best)) multipliers.fill(0);
  else bound = choose(solver, task, multipliers, bound, signs);

  measureChoice(column, best);
  for (let side = 0; side < column.sides; side++) {
    for (let row = column.starts[side]; row < column.starts[side + 1]; row++) {
      task.codes[column.origin[row]] = signs[side] * best.codes[row];
    }
  }
  const objective = best.cost + column.constant;
  return { objective, lowerBound: Math.min(objective, bound + column.constant) };
}

/** Runs the method, leaves its choice in solver.best and returns a bound on the rows' cost. */
function choose(
  solver: ColumnSolver,
  task: ColumnTask,
  multipliers: Float64Array,
  roundingBound: number,
  signs: readonly number[],
): number {
  const { column, best, scratch, dual } = solver;
  const { method } = task;
  const offer = () => {
    if (scratch.cost < best.cost) copyChoice(column, scratch, best);
  };
  if (method === 'truncation' || method === 'value-only') {
    truncate(column, best);
    return roundingBound;
  }
  greedy(column, best);
  polish(column, best);
  if (method === 'greedy') return Math.max(roundingBound, task.warm ? relax(dual, multipliers) : 0);

  truncate(column, scratch);
  offer();
  if (task.previous) {
    takePrevious(column, task.previous, signs, scratch);
    if (isFeasible(column, scratch)) {
      polish(column, scratch);
      offer();
    }
  }
  const bound = Math.max(roundingBound, solveLagrangian(column, dual, best, scratch, multipliers, task.warm));
  if (method !== 'exact') return bound;
  return Math.max(bound, searchLabels(column, dual, best, multipliers, solver.searchLimit));
}

function takePrevious(column: Column, previous: Int8Array, signs: readonly number[], choice: Choice): void {
  for (let side = 0; side < column.sides; side++) {
    for (let row = column.starts[side]; row < column.starts[side + 1]; row++) {
      choice.codes[row] = Math.max(0, previous[column.origin[row]] * signs[side]);
    }
  }
  measureChoice(column, choice);
}
