import { checkShape } from '../bitplanes/code-matrix';
import { InputError } from '../errors';
import { createCodebookSolver, solveCodebookColumn } from './project-codebook-column';
import { checkCurvature, relativeGap } from './project-column';
import { checkWeights, type LayerOptions, type LayerProjection } from './project-layer';

/** `projectLayer` for every encoding but sign-split in 1-bit cells. */
export function projectCodebookLayer(options: LayerOptions): LayerProjection {
  const { targets, rows, columns, scales, curvature, tileRows, state, onProgress } = options;
  checkShape(options, targets.length);
  if (scales.length !== columns)
    throw new InputError(`scales: ${scales.length} numbers for ${columns} columns`);
  if (curvature) checkCurvature(curvature, rows);
  const reach = Math.min(tileRows, rows);
  const solver = createCodebookSolver(options, reach);
  checkWeights(targets, scales);
  const tiles = Math.ceil(rows / tileRows);
  const stride = solver.multipliers;
  const warm = state?.multipliers;
  if (
    state &&
    (state.codes.length !== rows * columns || (warm && warm.length !== tiles * columns * stride))
  ) {
    throw new InputError(
      'state: it belongs to a layer of other rows, columns, tiles, weight bits or encoding',
    );
  }
  const codes = new Int8Array(rows * columns);
  const gaps = new Float64Array(tiles * columns);
  const flips = options.flip ? new Uint8Array(tiles * columns) : undefined;
  const multipliers = warm ? Float64Array.from(warm) : new Float64Array(tiles * columns * stride);
  let objective = 0;
  let lowerBound = 0;
  for (let tile = 0; tile < tiles; tile++) {
    const start = tile * tileRows;
    const count = Math.min(tileRows, rows - start);
    const target = new Float64Array(count);
    const previous = new Int8Array(count);
    const answer = new Int8Array(count);
    const weight = curvature?.subarray(start, start + count);
    for (let column = 0; column < columns; column++) {
      const scale = scales[column];
      for (let row = 0; row < count; row++) {
        const from = (start + row) * columns + column;
        target[row] = targets[from] === 0 ? 0 : targets[from] / scale;
        if (state) previous[row] = state.codes[from];
      }
      const at = tile * columns + column;
      const part = solveCodebookColumn(solver, {
        targets: target,
        curvature: weight,
        previous: state && previous,
        multipliers: multipliers.subarray(at * stride, (at + 1) * stride),
        warm: warm !== undefined,
        codes: answer,
      });
      for (let row = 0; row < count; row++) codes[(start + row) * columns + column] = answer[row];
      gaps[at] = relativeGap(part.objective, part.lowerBound);
      if (flips) flips[at] = part.flipped ? 1 : 0;
      objective += part.objective * scale * scale;
      lowerBound += part.lowerBound * scale * scale;
    }
    onProgress?.({ done: tile + 1, total: tiles, note: 'row tiles projected' });
  }
  const kept = { codes, multipliers, ...(flips && { flips }) };
  return { codes, objective, lowerBound, gaps, state: kept, ...(flips && { flips }) };
}
