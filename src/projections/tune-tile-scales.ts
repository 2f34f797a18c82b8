import { projectLayer } from './project-layer';
import { type TuneOptions, tuneScales } from './tune-scales';

export interface TunedTileScales {
  /** [rows * columns], row-major. */
  readonly codes: Int8Array;
  /** Weight = code * scales[tile * columns + column]: [tiles, columns]. */
  readonly scales: Float32Array;
  /** sum of d (weight - code * scale)^2 over the layer; never above that of one scale a channel. */
  readonly objective: number;
  /** No feasible codes at these scales have a smaller objective. */
  readonly lowerBound: number;
  /** (objective - bound) / objective of every column: [tiles][columns]. */
  readonly gaps: Float64Array;
}

/**
 * `tuneScales` with a scale of its own for every (row tile, output channel), which costs the digital side a product for
 * each tile's sum instead of one for each channel's. A tile keeps the channel's scale where tuning finds none better.
 */
export function tuneTileScales(options: TuneOptions): TunedTileScales {
  const { weights, rows, columns, tileRows, curvature, method = 'lagrangian' } = options;
  const { onProgress, ...common } = options;
  const channel = tuneScales(common);
  const tiles = Math.ceil(rows / tileRows);
  const codes = new Int8Array(rows * columns);
  const scales = new Float32Array(tiles * columns);
  const gaps = new Float64Array(tiles * columns);
  let objective = 0;
  let lowerBound = 0;
  for (let tile = 0; tile < tiles; tile++) {
    const start = tile * tileRows;
    const end = Math.min(rows, start + tileRows);
    const part = {
      ...common,
      weights: weights.slice(start * columns, end * columns),
      rows: end - start,
      curvature: curvature?.subarray(start, end),
    };
    const own = tuneScales(part);
    const before = projectLayer({ ...part, targets: part.weights, scales: channel.scales, method });
    const [ownErrors, beforeErrors] = [
      columnErrors(part, own.codes, own.scales),
      columnErrors(part, before.codes, channel.scales),
    ];
    for (let column = 0; column < columns; column++) {
      const better = ownErrors[column] < beforeErrors[column];
      const chosen = better ? own : before;
      const at = tile * columns + column;
      scales[at] = better ? own.scales[column] : channel.scales[column];
      gaps[at] = chosen.gaps[column];
      for (let row = 0; row < part.rows; row++)
        codes[(start + row) * columns + column] = chosen.codes[row * columns + column];
      const error = Math.min(ownErrors[column], beforeErrors[column]);
      objective += error;
      lowerBound += error * (1 - gaps[at]);
    }
    onProgress?.({ done: tile + 1, total: tiles, note: 'row tiles' });
  }
  return { codes, scales, objective, lowerBound, gaps };
}

/** d (weight - code * scale)^2 of every column. */
function columnErrors(
  { weights, rows, columns, curvature }: Pick<TuneOptions, 'weights' | 'rows' | 'columns' | 'curvature'>,
  codes: Int8Array,
  scales: Float32Array,
): Float64Array {
  const errors = new Float64Array(columns);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) {
      const at = row * columns + column;
      errors[column] += (curvature?.[row] ?? 1) * (weights[at] - codes[at] * scales[column]) ** 2;
    }
  return errors;
}
