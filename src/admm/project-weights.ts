import type { EncodingName } from '../bitplanes/plane-encoding';
import type { BitMask } from '../projections/bit-mask';
import type { ProjectionMethod } from '../projections/project-column';
import { projectOnMask } from '../projections/project-on-mask';
import { tuneScales } from '../projections/tune-scales';

export interface ProjectWeightsOptions {
  /** [rows, columns] */
  readonly weights: Float32Array;
  readonly rows: number;
  readonly columns: number;
  readonly tileRows: number;
  readonly weightBits: number;
  /** Default `sign-split`. */
  readonly encoding?: EncodingName;
  /** Default 1. */
  readonly cellBits?: number;
  /** ISAAC's flip, offset encoding only; default false. */
  readonly flip?: boolean;
  readonly bitLimit: number | readonly number[];
  readonly valueLimit?: number;
  /** Default `lagrangian`. */
  readonly projection?: ProjectionMethod;
  /** States that projection `exact` may hold at once. */
  readonly searchLimit?: number;
  /** Codes may use no other bits than these; needs `scales`. */
  readonly allowed?: BitMask;
  /** Scale of each output channel that must stay; default: tuned together with the codes. */
  readonly scales?: Float32Array;
}

/** Pruning without compensation: one projection of a layer's weights, every weight counting alike. */
export function projectWeights(options: ProjectWeightsOptions): {
  codes: Int8Array;
  flips?: Uint8Array;
  scales: Float32Array;
  gaps?: Float64Array;
} {
  const { weights, allowed, scales, projection = 'lagrangian' } = options;
  if (allowed && scales)
    return { codes: projectOnMask({ ...options, targets: weights, allowed, scales }), scales };
  const isRowChoice = projection === 'truncation' || projection === 'value-only';
  return tuneScales({ ...options, method: projection, searchMethod: isRowChoice ? projection : 'greedy' });
}
