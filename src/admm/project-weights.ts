import type { BitMask } from '../projections/bit-mask';
import type { LimitOptions } from '../projections/limits';
import { projectOnMask } from '../projections/project-on-mask';
import type { ProjectionMethod } from '../projections/projection-method';
import { tuneScales } from '../projections/tune-scales';

/** A layer's weights and the set that their codes come from. */
export interface CodeSearch extends LimitOptions {
  /** [rows, columns] */
  readonly weights: Float32Array;
  readonly tileRows: number;
  /** How codes are looked for, and with it the set that they come from; default `lagrangian`. */
  readonly projection?: ProjectionMethod;
  /** States that projection `exact` may hold at once. */
  readonly searchLimit?: number;
  /** Codes may use no other bits than these (sign-split); needs `scales`. */
  readonly allowed?: BitMask;
  /** Scale of each output channel that must stay; default: tuned together with the codes. */
  readonly scales?: Float32Array;
}

export interface ProjectWeightsOptions extends CodeSearch {
  readonly rows: number;
  readonly columns: number;
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
