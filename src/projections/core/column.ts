import { type Bytes, bytes, type Int, type Ints, ints, type Real, type Reals, reals } from './portable';

/** Stands for no value limit. */
export const UNLIMITED: Int = 0x7fffffff;

/** Resources at most: seven planes in two polarities, and the value limit. */
export const MULTIPLIERS: Int = 15;

/**
 * One column's rows as magnitudes, laid out for the solvers. Rows that cannot be nonzero (magnitude up to 1/2) are
 * left out and their error is in `constant`. Rows of side s lie in starts[s]..starts[s+1]-1, largest magnitude first:
 * a side is one polarity. Resource s * planes + p is the bit column of side s and plane p; the last one is the value limit.
 */
export class Column {
  planes: Int = 0;
  /** 2^planes - 1. */
  maxMagnitude: Int = 0;
  /** Ones allowed by plane, lowest first. */
  readonly bits: Ints;
  /** Nonzeros allowed. */
  values: Int = UNLIMITED;

  /** Sides treated together: 2 when the value limit couples the polarities, else 1. */
  sides: Int = 1;
  rows: Int = 0;
  readonly starts: Ints;
  readonly magnitude: Reals;
  /** Twice the magnitude, floored, at most 255: index into the table of nearest magnitudes. */
  readonly twice: Ints;
  readonly curvature: Reals;
  /** All curvatures are equal, so one lower envelope serves every row. */
  uniform: boolean = true;
  maxCurvature: Real = 1;
  /** Position of each row in what was given. */
  readonly origin: Ints;
  constant: Real = 0;
  /** `nearestTable`. */
  readonly nearest: Bytes;

  private readonly bucketStarts: Ints;
  private readonly bucketEnds: Ints;

  constructor(capacity: Int) {
    this.bits = ints(8);
    this.starts = ints(3);
    this.magnitude = reals(capacity);
    this.twice = ints(capacity);
    this.curvature = reals(capacity);
    this.origin = ints(capacity);
    this.nearest = bytes(128 * 256);
    this.bucketStarts = ints(256);
    this.bucketEnds = ints(256);
  }

  /** Takes the rows of one sign (1 or -1) as the only side, or of both (0), the positive first. */
  gather(targets: Reals, curvature: Reals, length: Int, sign: Int): void {
    this.constant = 0;
    this.sides = sign === 0 ? 2 : 1;
    this.starts[0] = 0;
    let end = this.gatherSide(targets, curvature, length, sign < 0 ? -1 : 1, 0);
    this.starts[1] = end;
    if (sign === 0) end = this.gatherSide(targets, curvature, length, -1, end);
    this.starts[2] = end;
    this.rows = end;
    this.uniform = true;
    this.maxCurvature = 0;
    for (let i: Int = 0; i < end; i++) {
      const weight = curvature[this.origin[i]];
      this.curvature[i] = weight;
      if (weight !== this.curvature[0]) this.uniform = false;
      if (weight > this.maxCurvature) this.maxCurvature = weight;
    }
  }

  /** Adds the rows of one sign, largest first: a counting sort on twice the magnitude, then insertion within. */
  private gatherSide(targets: Reals, curvature: Reals, length: Int, sign: Int, start: Int): Int {
    const magnitude = this.magnitude;
    const origin = this.origin;
    const twice = this.twice;
    const bucketStarts = this.bucketStarts;
    const bucketEnds = this.bucketEnds;
    bucketEnds.fill(0);
    let constant: Real = 0;
    for (let i: Int = 0; i < length; i++) {
      const size = targets[i] * (sign as Real);
      if (size > 0.5) {
        const bucket = halves(size);
        bucketEnds[bucket] = bucketEnds[bucket] + 1;
      } else if (size > 0) constant += curvature[i] * size * size;
    }
    this.constant += constant;
    // Place of each bucket's first row, larger magnitudes before.
    let end = start;
    for (let bucket: Int = 255; bucket > 0; bucket--) {
      const count = bucketEnds[bucket];
      bucketStarts[bucket] = end;
      bucketEnds[bucket] = end;
      end += count;
    }
    for (let i: Int = 0; i < length; i++) {
      const size = targets[i] * (sign as Real);
      if (size <= 0.5) continue;
      const bucket = halves(size);
      let slot = bucketEnds[bucket];
      bucketEnds[bucket] = slot + 1;
      twice[slot] = bucket;
      const first = bucketStarts[bucket];
      while (slot > first && magnitude[slot - 1] < size) {
        magnitude[slot] = magnitude[slot - 1];
        origin[slot] = origin[slot - 1];
        slot--;
      }
      magnitude[slot] = size;
      origin[slot] = i;
    }
    return end;
  }

  /**
   * Where all curvatures are equal, leaves out all but the `most` largest rows of each side, which no choice can make more
   * of nonzero: a smaller row would only have given its code to a larger one of none, which takes more from the error.
   */
  keepLargest(most: Int): void {
    if (!this.uniform) return;
    let end: Int = 0;
    let from: Int = 0;
    for (let side: Int = 0; side < this.sides; side++) {
      const next = this.starts[side + 1];
      for (let row = from; row < next; row++) {
        if (row - from >= most) {
          this.constant += this.rowCost(row, 0);
          continue;
        }
        this.magnitude[end] = this.magnitude[row];
        this.twice[end] = this.twice[row];
        this.origin[end] = this.origin[row];
        end++;
      }
      this.starts[side + 1] = end;
      from = next;
    }
    if (this.sides === 1) this.starts[2] = end;
    this.rows = end;
  }

  /** Side of a row. */
  sideOf(row: Int): Int {
    return this.sides > 1 && row >= this.starts[1] ? 1 : 0;
  }

  /** Nearest magnitude to a row's that the bits of `mask` can make. */
  nearestCode(row: Int, mask: Int): Int {
    return this.nearest[(mask << 8) + this.twice[row]];
  }

  rowCost(row: Int, code: Int): Real {
    const error = this.magnitude[row] - (code as Real);
    return this.curvature[row] * error * error;
  }
}

/** Floor of twice a magnitude, at most 255. */
function halves(size: Real): Int {
  return size >= 127.5 ? 255 : (Math.floor(2 * size) as Int);
}
