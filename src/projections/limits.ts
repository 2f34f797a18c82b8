import { type PerPlane, planeList } from '../bitplanes/per-plane';
import type { EncodingName } from '../bitplanes/plane-encoding';
import { checkWhole } from '../check-number';
import { InputError } from '../errors';

/** What a projection must keep, in every (row tile, output channel). */
export interface LimitOptions {
  /** Weight bits, 2..8. */
  readonly weightBits: number;
  /** Default `sign-split`: codes of magnitude up to 2^(weightBits-1) - 1, so weightBits - 1 planes a polarity. */
  readonly encoding?: EncodingName;
  /** Bits of a cell, 1..4. Default 1. */
  readonly cellBits?: number;
  /**
   * ISAAC's flip (offset encoding only; default false): a (row tile, output channel) may be stored complemented, every
   * word w as 2^weightBits - 1 - w, which the digital side undoes. The projection takes the better of the two.
   */
  readonly flip?: boolean;
  /**
   * k_b: ones allowed in a bit column (with multi-bit cells the sum of its digits), or one number a plane (lowest first).
   * 0 empties a plane; at or above the rows of a tile times the largest digit it is no limit.
   */
  readonly bitLimit: PerPlane;
  /**
   * k_v: nonzero weights allowed over both polarities; absent: no limit, 0 empties the column. In offset encoding zero
   * weights hold ones too, so with small k_b many weights must not be zero: then a small k_v is refused.
   */
  readonly valueLimit?: number;
}

/** Limits in the form the sign-split solvers use. */
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

/** Whether codes are sign-split in 1-bit cells, which has solvers of its own; any other encoding goes by its codebook. */
export function isPlainSignSplit(options: Pick<LimitOptions, 'encoding' | 'cellBits' | 'flip'>): boolean {
  return (
    (options.encoding ?? 'sign-split') === 'sign-split' && (options.cellBits ?? 1) === 1 && !options.flip
  );
}

/**
 * Checks limits of sign-split codes in 1-bit cells once at the door; throws an InputError that names the field, its
 * value and what is allowed.
 */
export function checkLimits(options: LimitOptions): Limits {
  const { weightBits } = options;
  if (!isPlainSignSplit(options)) {
    throw new InputError(
      `encoding: "${options.encoding ?? 'sign-split'}" in these cells; sign-split in 1-bit cells is needed here`,
    );
  }
  checkWhole('weightBits', weightBits, 2, 8);
  const planes = weightBits - 1;
  return {
    planes,
    maxMagnitude: 2 ** planes - 1,
    bits: Int32Array.from(planeBudgets(options, planes), (limit) => Math.min(limit, unlimited)),
    values: valueBudget(options),
  };
}

/** k_b of every plane, lowest first, checked. */
export function planeBudgets({ bitLimit }: LimitOptions, planes: number): readonly number[] {
  const perPlane = planeList('bitLimit', bitLimit, planes);
  for (const limit of perPlane) checkLimit('bitLimit', limit);
  return perPlane;
}

/** k_v, checked; Infinity where there is none. */
export function valueBudget({ valueLimit }: LimitOptions): number {
  if (valueLimit !== undefined) checkLimit('valueLimit', valueLimit);
  return valueLimit ?? Infinity;
}

function checkLimit(field: string, value: number): void {
  if (value !== Infinity) checkWhole(field, value, 0);
}
