import { InputError } from '../errors';

/** What a projection must keep, in every (row tile, output channel). */
export interface LimitOptions {
  /** Weight bits, 2..8: sign-split codes of magnitude up to 2^(weightBits-1) - 1, so weightBits - 1 planes. */
  readonly weightBits: number;
  /**
   * k_b: ones allowed in a bit column, or one number a plane (lowest first). 0 empties a plane; at or above the rows
   * of a tile it is no limit.
   */
  readonly bitLimit: number | readonly number[];
  /** k_v: nonzero weights allowed over both polarities; absent: no limit, 0 empties the column. */
  readonly valueLimit?: number;
}

/** Limits in the form the solvers use. */
export interface Limits {
  readonly planes: number;
  /** 2^planes - 1. */
  readonly maxMagnitude: number;
  /** Ones allowed by plane, lowest first. */
  readonly bits: Int32Array;
  /** Infinity where there is none. */
  readonly values: number;
}

const unlimited = 0x7fffffff;

/** Checks limits once at the door; throws an InputError that names the field, its value and what is allowed. */
export function checkLimits(options: LimitOptions): Limits {
  const { weightBits, bitLimit, valueLimit } = options;
  if (!Number.isInteger(weightBits) || weightBits < 2 || weightBits > 8) {
    throw new InputError(`weightBits: ${weightBits} is not an integer from 2 to 8`);
  }
  const planes = weightBits - 1;
  const perPlane = typeof bitLimit === 'object' ? [...bitLimit] : new Array<number>(planes).fill(bitLimit);
  if (perPlane.length !== planes) {
    throw new InputError(
      `bitLimit: ${perPlane.length} numbers for the ${planes} planes of ${weightBits}-bit weights`,
    );
  }
  for (const limit of perPlane) checkCount('bitLimit', limit);
  if (valueLimit !== undefined) checkCount('valueLimit', valueLimit);
  return {
    planes,
    maxMagnitude: 2 ** planes - 1,
    bits: Int32Array.from(perPlane, (limit) => Math.min(limit, unlimited)),
    values: valueLimit ?? Infinity,
  };
}

function checkCount(field: string, value: number): void {
  if (value === Infinity) return;
  if (!Number.isInteger(value) || value < 0) {
    throw new InputError(`${field}: ${value} is not a whole number of at least 0`);
  }
}
