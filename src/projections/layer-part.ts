import type { CompiledModule } from '../tensor/compiled-module';
import { createColumnSolver } from './column-solver';
import type { ColumnSolver } from './column-task';
import type { SolverOptions } from './projection-method';

/** Columns of a part of the work: enough that taking it costs nothing. */
const BLOCK = 8;

/** A layer to be projected, as plain data that threads can share. */
export interface LayerWork {
  readonly compiled: CompiledModule | undefined;
  readonly solver: SolverOptions;
  /** [rows * columns], finite, in weight units. */
  readonly targets: Float32Array | Float64Array;
  readonly rows: number;
  readonly columns: number;
  readonly tileRows: number;
  /** By column, 0 only where all is zero. */
  readonly scales: Float32Array;
  readonly curvature?: Float64Array;
  /** Codes of an earlier solution, [rows * columns]. */
  readonly previous?: Int8Array;
  /** Whether `multipliers` are those of an earlier solution. */
  readonly warm: boolean;
  /** Filled in: [rows * columns], [tiles][columns][multipliers], and by tile and column in squared units of the scale. */
  readonly codes: Int8Array;
  readonly multipliers: Float64Array;
  readonly objectives: Float64Array;
  readonly bounds: Float64Array;
  /** With `flip`: 1 where stored complemented, by tile and column. */
  readonly flips?: Uint8Array;
}

/** Parts of a layer: blocks of columns of one row tile. */
export function partCount({ rows, columns, tileRows }: LayerWork): number {
  return Math.ceil(rows / tileRows) * Math.ceil(columns / BLOCK);
}

/** Projects the parts that it can take; results are the same whoever takes which. */
export function projectParts(work: LayerWork, take: () => number): void {
  const { rows, columns, tileRows } = work;
  const reach = Math.min(tileRows, rows);
  const solver = createColumnSolver(work.solver, reach, work.compiled);
  const buffers = {
    targets: new Float64Array(reach),
    previous: new Int8Array(reach),
    codes: new Int8Array(reach),
  };
  const blocks = Math.ceil(columns / BLOCK);
  for (let part = take(); part >= 0; part = take()) {
    const tile = Math.floor(part / blocks);
    const first = (part % blocks) * BLOCK;
    const last = Math.min(columns, first + BLOCK);
    for (let column = first; column < last; column++) projectOne(work, solver, buffers, tile, column);
  }
}

function projectOne(
  work: LayerWork,
  solver: ColumnSolver,
  buffers: { targets: Float64Array; previous: Int8Array; codes: Int8Array },
  tile: number,
  column: number,
): void {
  const { rows, columns, tileRows, targets, previous, curvature, codes, multipliers } = work;
  const start = tile * tileRows;
  const count = Math.min(tileRows, rows - start);
  const target = buffers.targets.subarray(0, count);
  const before = buffers.previous.subarray(0, count);
  const answer = buffers.codes.subarray(0, count);
  const scale = work.scales[column];
  for (let row = 0; row < count; row++) {
    const from = (start + row) * columns + column;
    target[row] = targets[from] === 0 ? 0 : targets[from] / scale;
    if (previous) before[row] = previous[from];
  }
  const at = tile * columns + column;
  const { objective, lowerBound, flipped } = solver.solve({
    targets: target,
    curvature: curvature?.subarray(start, start + count),
    previous: previous && before,
    multipliers: multipliers.subarray(at * solver.multipliers, (at + 1) * solver.multipliers),
    warm: work.warm,
    codes: answer,
  });
  for (let row = 0; row < count; row++) codes[(start + row) * columns + column] = answer[row];
  work.objectives[at] = objective;
  work.bounds[at] = lowerBound;
  if (work.flips) work.flips[at] = flipped ? 1 : 0;
}
