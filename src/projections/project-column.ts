import { InputError } from '../errors';
import { createColumnSolver } from './column-solver';
import type { SolverOptions } from './projection-method';

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
