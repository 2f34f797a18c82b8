import { checkShape } from '../bitplanes/code-matrix';
import { checkWhole } from '../check-number';
import { InputError } from '../errors';
import type { OnProgress } from '../progress';
import { SMALLEST_SCALE } from '../quantization/weight-codes';
import type { LimitOptions } from './limits';
import { type LayerProjection, projectLayer } from './project-layer';
import type { ProjectionMethod } from './projection-method';

export interface TuneOptions extends LimitOptions {
  /** [rows * columns], row-major. */
  readonly weights: Float32Array | Float64Array;
  readonly rows: number;
  readonly columns: number;
  readonly tileRows: number;
  /** d of every row, above 0; default 1. */
  readonly curvature?: Float64Array;
  /** Projects with the chosen scales; default `lagrangian`. */
  readonly method?: ProjectionMethod;
  /** States that `exact` may hold at once. */
  readonly searchLimit?: number;
  /** Projects with every scale tried; default `greedy`. */
  readonly searchMethod?: ProjectionMethod;
  /** Scales tried for each channel; default 6. */
  readonly candidates?: number;
  readonly onProgress?: OnProgress;
}

export interface TunedScales extends LayerProjection {
  /** Weight = code * scale, by output channel; 1 where a channel is (nearly) all zero. */
  readonly scales: Float32Array;
}

/**
 * Chooses each output channel's scale together with its codes. With few ones a column the best top plane is about two
 * to four standard deviations, far below the largest weight; with many it is the largest weight. So a geometric grid
 * between the two is tried with a cheap projection, each scale followed by the closed-form refit
 * s = (w'Dv)/(v'Dv); then codes and refit alternate with the chosen method while that helps.
 */
export function tuneScales(options: TuneOptions): TunedScales {
  const { weights, columns, onProgress } = options;
  const candidates = options.candidates ?? 6;
  checkWhole('candidates', candidates, 1);
  const method = options.method ?? 'lagrangian';
  const project = (scales: Float32Array, chosen: ProjectionMethod, state?: LayerProjection['state']) =>
    projectLayer({ ...options, targets: weights, scales, method: chosen, state, onProgress: undefined });
  const total = candidates + 2;
  const report = (done: number) => onProgress?.({ done, total, note: 'scales tried' });

  checkShape(options, weights.length);
  const range = scaleRange(options);
  const best = new Float64Array(columns).fill(Infinity);
  const scales = new Float32Array(columns);
  for (let i = 0; i < candidates; i++) {
    const part = candidates === 1 ? 0.5 : i / (candidates - 1);
    const trial = range.low.map((low, column) => low * (range.high[column] / low) ** part);
    const { codes } = project(trial, options.searchMethod ?? 'greedy');
    const fit = refitScales({ ...options, codes, fallback: trial });
    for (let column = 0; column < columns; column++) {
      if (fit.errors[column] >= best[column]) continue;
      best[column] = fit.errors[column];
      scales[column] = fit.scales[column];
    }
    report(i + 1);
  }

  let answer: TunedScales = { ...project(scales, method), scales };
  report(candidates + 1);
  const refit = refitScales({ ...options, codes: answer.codes, fallback: scales }).scales;
  const again = { ...project(refit, method, answer.state), scales: refit };
  if (again.objective < answer.objective) answer = again;
  report(total);
  return answer;
}

export interface RefitOptions {
  readonly weights: Float32Array | Float64Array;
  readonly codes: Int8Array;
  readonly rows: number;
  readonly columns: number;
  readonly curvature?: Float64Array;
  /** Scales kept for channels whose codes are all zero. */
  readonly fallback: Float32Array;
}

/** The best scale of each channel for given codes, s = (w'Dv)/(v'Dv), and the error w'Dw - (w'Dv)^2/(v'Dv) it leaves. */
export function refitScales(options: RefitOptions): { scales: Float32Array; errors: Float64Array } {
  const { weights, codes, rows, columns, curvature, fallback } = options;
  for (const [field, values, count] of [
    ['weights', weights, rows * columns],
    ['codes', codes, rows * columns],
    ['curvature', curvature, rows],
    ['fallback', fallback, columns],
  ] as const)
    if (values && values.length !== count)
      throw new InputError(`${field}: ${values.length} numbers, needed are ${count}`);
  const cross = new Float64Array(columns);
  const power = new Float64Array(columns);
  const errors = new Float64Array(columns);
  for (let row = 0; row < rows; row++) {
    const weight = curvature ? curvature[row] : 1;
    for (let column = 0; column < columns; column++) {
      const value = weights[row * columns + column];
      const code = codes[row * columns + column];
      cross[column] += weight * value * code;
      power[column] += weight * code * code;
      errors[column] += weight * value * value;
    }
  }
  const scales = Float32Array.from(fallback);
  for (let column = 0; column < columns; column++) {
    if (!(cross[column] > 0)) continue;
    scales[column] = cross[column] / power[column];
    errors[column] -= (cross[column] * cross[column]) / power[column];
  }
  return { scales, errors };
}

/** Smallest and largest scale worth trying for each channel; both 1 for a channel of (nearly) zeros. */
function scaleRange(options: TuneOptions): { low: Float32Array; high: Float32Array } {
  const { weights, rows, columns, weightBits } = options;
  const top = 2 ** (weightBits - 2);
  const low = new Float32Array(columns).fill(1);
  const high = new Float32Array(columns).fill(1);
  for (let column = 0; column < columns; column++) {
    let power = 0;
    let largest = 0;
    for (let row = 0; row < rows; row++) {
      const value = weights[row * columns + column];
      power += value * value;
      largest = Math.max(largest, Math.abs(value));
    }
    const most = largest / (2 * top - 1);
    if (!(most >= SMALLEST_SCALE)) continue;
    high[column] = most;
    low[column] = Math.min(high[column], (1.5 * Math.sqrt(power / rows)) / top);
  }
  return { low, high };
}
