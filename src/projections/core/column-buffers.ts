import { type Int, type Ints, ints, type Real, type Reals, reals } from './portable';

/** What a caller fills in for a column of at most `capacity` rows, and the answer. */
export class ColumnBuffers {
  /** By row as given: weights in units of the scale, d, codes of an earlier solution. */
  readonly targets: Reals;
  readonly curvature: Reals;
  readonly previous: Ints;
  /** Read if warm, left as the best found. */
  readonly multipliers: Reals;
  /** The answer: signed codes. */
  readonly codes: Ints;
  objective: Real = 0;
  lowerBound: Real = 0;

  constructor(capacity: Int, multipliers: Int) {
    this.targets = reals(capacity);
    this.curvature = reals(capacity);
    this.previous = ints(capacity);
    this.multipliers = reals(multipliers);
    this.codes = ints(capacity);
  }
}

// Access for callers outside the module's memory, who cannot see fields.
export function targetsOf(buffers: ColumnBuffers): Reals {
  return buffers.targets;
}
export function curvatureOf(buffers: ColumnBuffers): Reals {
  return buffers.curvature;
}
export function previousOf(buffers: ColumnBuffers): Ints {
  return buffers.previous;
}
export function multipliersOf(buffers: ColumnBuffers): Reals {
  return buffers.multipliers;
}
export function codesOf(buffers: ColumnBuffers): Ints {
  return buffers.codes;
}
export function objectiveOf(buffers: ColumnBuffers): Real {
  return buffers.objective;
}
export function lowerBoundOf(buffers: ColumnBuffers): Real {
  return buffers.lowerBound;
}
