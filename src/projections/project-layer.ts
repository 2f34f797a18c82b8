import { checkShape } from '../bitplanes/code-matrix';
import { InputError } from '../errors';
import type { OnProgress } from '../progress';
import {
  checkCurvature,
  createColumnSolver,
  multiplierCount,
  relativeGap,
  type SolverOptions,
  solveColumn,
} from './project-column';

export interface LayerOptions extends SolverOptions {
  /** Weights [rows * columns], row-major, in weight units. */
  readonly targets: Float32Array | Float64Array;
  readonly rows: number;
  /** Output channels. */
  readonly columns: number;
  /** Weight = code * scale, by output channel. 0 is allowed where a channel is all zero. */
  readonly scales: Float32Array;
  /** d of every row, above 0, the same for every channel (diagonal of the Hessian); default 1. */
  readonly curvature?: Float64Array;
  /** Rows summed in one conversion (R). Row tile t holds rows t*R..t*R+R-1; the last may be shorter. */
  readonly tileRows: number;
  /**
   * Warm start: what an earlier projection of this layer (same rows, columns, tiles) returned. Codes alone serve as a
   * candidate; with the multipliers the search also starts near its end.
   */
  readonly state?: { readonly codes: Int8Array; readonly multipliers?: Float64Array };
  readonly onProgress?: OnProgress;
}

export interface ProjectionState {
  /** [rows * columns] */
  readonly codes: Int8Array;
  /** [tiles][columns][2 * planes + 1]; in squared units of the scale. */
  readonly multipliers: Float64Array;
}

export interface LayerProjection {
  /** [rows * columns], row-major. */
  readonly codes: Int8Array;
  /** sum of d (weight - code * scale)^2 over the layer. */
  readonly objective: number;
  /** No feasible codes at these scales have a smaller objective. */
  readonly lowerBound: number;
  /** (objective - bound) / objective of every column: [tiles][columns]. */
  readonly gaps: Float64Array;
  readonly state: ProjectionState;
}

/** Projects every (row tile, output channel) of a layer on its constraint set. */
export function projectLayer(options: LayerOptions): LayerProjection {
  const { targets, rows, columns, scales, curvature, tileRows, state, method, onProgress } = options;
  checkShape(options, targets.length);
  if (scales.length !== columns)
    throw new InputError(`scales: ${scales.length} numbers for ${columns} columns`);
  if (curvature) checkCurvature(curvature, rows);
  const reach = Math.min(tileRows, rows);
  const solver = createColumnSolver(options, reach);
  const tiles = Math.ceil(rows / tileRows);
  const stride = multiplierCount(solver.limits.planes);
  const warm = state?.multipliers;
  const stored = tiles * columns * stride;
  if (state && (state.codes.length !== rows * columns || (warm ?? { length: stored }).length !== stored)) {
    throw new InputError('state: it belongs to a layer of other rows, columns, tiles or weight bits');
  }
  const codes = new Int8Array(rows * columns);
  const gaps = new Float64Array(tiles * columns);
  const multipliers = warm ? Float64Array.from(warm) : new Float64Array(stored);
  let objective = 0;
  let lowerBound = 0;
  const targetBuffer = new Float64Array(reach);
  const previousBuffer = new Int8Array(reach);
  const codeBuffer = new Int8Array(reach);
  for (let tile = 0; tile < tiles; tile++) {
    const start = tile * tileRows;
    const count = Math.min(tileRows, rows - start);
    const target = targetBuffer.subarray(0, count);
    const previous = previousBuffer.subarray(0, count);
    const answer = codeBuffer.subarray(0, count);
    const weight = curvature?.subarray(start, start + count);
    for (let column = 0; column < columns; column++) {
      const scale = checkedScale(scales, column);
      for (let row = 0; row < count; row++) {
        const from = (start + row) * columns + column;
        target[row] = inUnits(targets[from], scale, start + row, column);
        if (state) previous[row] = state.codes[from];
      }
      const at = tile * columns + column;
      const part = solveColumn(solver, {
        targets: target,
        curvature: weight,
        method,
        previous: state && previous,
        multipliers: multipliers.subarray(at * stride, (at + 1) * stride),
        warm: warm !== undefined,
        codes: answer,
      });
      for (let row = 0; row < count; row++) codes[(start + row) * columns + column] = answer[row];
      gaps[at] = relativeGap(part.objective, part.lowerBound);
      objective += part.objective * scale * scale;
      lowerBound += part.lowerBound * scale * scale;
    }
    onProgress?.({ done: tile + 1, total: tiles, note: 'row tiles projected' });
  }
  return { codes, objective, lowerBound, gaps, state: { codes, multipliers } };
}

function checkedScale(scales: Float32Array, column: number): number {
  const scale = scales[column];
  if (!(scale >= 0 && scale < Infinity)) {
    throw new InputError(`scale of column ${column} is ${scale}; a finite number of at least 0 is needed`);
  }
  return scale;
}

function inUnits(weight: number, scale: number, row: number, column: number): number {
  if (!Number.isFinite(weight)) {
    throw new InputError(`weight at row ${row}, column ${column} is ${weight}, not a finite number`);
  }
  if (weight === 0) return 0;
  if (scale === 0) throw new InputError(`scale of column ${column} is 0 but row ${row} holds ${weight}`);
  return weight / scale;
}
