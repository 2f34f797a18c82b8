import { checkShape } from '../bitplanes/code-matrix';
import { InputError } from '../errors';
import type { OnProgress } from '../progress';
import { jobBuffer, runParts, shareArray } from '../tensor/parallel';
import { compiledCore } from './column-core';
import { createColumnSolver } from './column-solver';
import { type LayerWork, partCount, projectParts } from './layer-part';
import { isPlainSignSplit } from './limits';
import { checkCurvature, relativeGap } from './project-column';
import type { SolverOptions } from './projection-method';

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
  /** [tiles][columns][multipliers of a column]; in squared units of the scale. */
  readonly multipliers: Float64Array;
  /** As in LayerProjection. */
  readonly flips?: Uint8Array;
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
  /** With `flip`: 1 where a (row tile, output channel) is stored complemented, [tiles][columns]. */
  readonly flips?: Uint8Array;
  readonly state: ProjectionState;
}

/** Projects every (row tile, output channel) of a layer on its constraint set. */
export function projectLayer(options: LayerOptions): LayerProjection {
  const { targets, rows, columns, scales, curvature, tileRows, state, method, onProgress } = options;
  checkShape(options, targets.length);
  if (scales.length !== columns)
    throw new InputError(`scales: ${scales.length} numbers for ${columns} columns`);
  if (curvature) checkCurvature(curvature, rows);
  const { multipliers } = createColumnSolver(options, Math.min(tileRows, rows));
  const tiles = Math.ceil(rows / tileRows);
  const warm = state?.multipliers;
  const stored = tiles * columns * multipliers;
  if (state && (state.codes.length !== rows * columns || (warm ?? { length: stored }).length !== stored)) {
    throw new InputError(
      'state: it belongs to a layer of other rows, columns, tiles, weight bits or encoding',
    );
  }
  checkWeights(targets, scales);
  const { encoding, cellBits, flip, weightBits, bitLimit, valueLimit, searchLimit } = options;
  const work: LayerWork = {
    compiled: compiledCore(),
    solver: { encoding, cellBits, flip, weightBits, bitLimit, valueLimit, method, searchLimit },
    targets: shareArray(targets),
    rows,
    columns,
    tileRows,
    scales,
    curvature,
    previous: state && shareArray(state.codes),
    warm: warm !== undefined,
    codes: new Int8Array(jobBuffer(rows * columns)),
    multipliers: new Float64Array(jobBuffer(8 * stored)),
    objectives: new Float64Array(jobBuffer(8 * tiles * columns)),
    bounds: new Float64Array(jobBuffer(8 * tiles * columns)),
    ...(flip && { flips: new Uint8Array(jobBuffer(tiles * columns)) }),
  };
  if (warm) work.multipliers.set(warm);
  const parts = partCount(work);
  const blocks = parts / tiles;
  let done = 0;
  const reporting = (argument: LayerWork, take: () => number) =>
    projectParts(argument, () => {
      const part = take();
      const reached = part < 0 ? tiles : Math.floor(part / blocks);
      if (reached > done) onProgress?.({ done: reached, total: tiles, note: 'row tiles projected' });
      done = reached;
      return part;
    });
  runParts(reporting, {
    module: 'projections/layer-part',
    name: 'projectParts',
    argument: work,
    parts,
    milliseconds: rows * columns * millisecondsOf(options),
  });
  const gaps = work.objectives.map((objective, at) => relativeGap(objective, work.bounds[at]));
  let objective = 0;
  let lowerBound = 0;
  for (let at = 0; at < gaps.length; at++) {
    const unit = scales[at % columns] * scales[at % columns];
    objective += work.objectives[at] * unit;
    lowerBound += work.bounds[at] * unit;
  }
  const codes = work.codes.slice();
  const flips = work.flips && { flips: work.flips.slice() };
  const kept = { codes, multipliers: work.multipliers.slice(), ...flips };
  return { codes, objective, lowerBound, gaps, state: kept, ...flips };
}

/** A guess of what a weight takes on one thread. */
function millisecondsOf({ method, ...coding }: LayerOptions): number {
  const each = method === 'lagrangian' || method === 'exact' ? 2e-3 : 3e-4;
  return isPlainSignSplit(coding) ? each : 4 * each;
}

/** Weights must be finite, and scales must make them finite codes. */
export function checkWeights(targets: Float32Array | Float64Array, scales: Float32Array): void {
  const columns = scales.length;
  for (let column = 0; column < columns; column++) checkScale(scales, column);
  for (let at = 0, column = 0; at < targets.length; at++) {
    const weight = targets[at];
    const row = () => Math.floor(at / columns);
    if (!Number.isFinite(weight)) {
      throw new InputError(`weight at row ${row()}, column ${column} is ${weight}, not a finite number`);
    }
    if (weight !== 0 && scales[column] === 0)
      throw new InputError(`scale of column ${column} is 0 but row ${row()} holds ${weight}`);
    column = column + 1 === columns ? 0 : column + 1;
  }
}

function checkScale(scales: Float32Array, column: number): void {
  const scale = scales[column];
  if (!(scale >= 0 && scale < Infinity)) {
    throw new InputError(`scale of column ${column} is ${scale}; a finite number of at least 0 is needed`);
  }
}
