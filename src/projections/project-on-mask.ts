import { checkShape } from '../bitplanes/code-matrix';
import { InputError } from '../errors';
import type { BitMask } from './bit-mask';
import { checkLimits, type LimitOptions } from './limits';
import { nearestWithMask } from './nearest-with-mask';

export interface MaskedLayerOptions extends LimitOptions {
  /** Weights [rows * columns], row-major, in weight units. */
  readonly targets: Float32Array | Float64Array;
  /** The bits that each weight may use at most. */
  readonly allowed: BitMask;
  readonly rows: number;
  /** Output channels. */
  readonly columns: number;
  /** Rows summed in one conversion (R). */
  readonly tileRows: number;
  /** Weight = code * scale, by output channel; above 0. */
  readonly scales: Float32Array;
  /** d of every row, above 0; default 1. */
  readonly curvature?: Float64Array;
}

function checkFactors(field: string, values: ArrayLike<number>, count: number, least: number): void {
  if (values.length !== count)
    throw new InputError(`${field}: ${values.length} numbers, needed are ${count}`);
  const bad = Array.from(values).find((value) => !(value >= least && value < Infinity));
  if (bad !== undefined) throw new InputError(`${field}: ${bad} is not a number of at least ${least}`);
}

/**
 * Bit-only pruning: each weight takes the nearest value that its allowed bits can make; then, from the top plane down,
 * every bit column that holds too many ones keeps those whose loss would cost most. No bit is ever set that was not
 * allowed, and no other bit is rounded again. With a value limit the rows that matter least are cleared first.
 */
export function projectOnMask(options: MaskedLayerOptions): Int8Array {
  const { targets, allowed, rows, columns, tileRows, scales, curvature } = options;
  const limits = checkLimits(options);
  checkShape(options, targets.length);
  checkFactors('scales', scales, columns, Number.MIN_VALUE);
  if (curvature) checkFactors('curvature', curvature, rows, 0);
  const units = Float64Array.from(targets, (target, i) => target / scales[i % columns]);
  const codes = nearestWithMask({ targets: units, ...allowed });
  /** What is added to the weighted squared error when a weight's magnitude falls to `left`. */
  const loss = (at: number, left: number) => {
    const size = units[at] * allowed.sign[at];
    const weight = curvature ? curvature[Math.floor(at / columns)] : 1;
    return weight * ((size - left) ** 2 - (size - Math.abs(codes[at])) ** 2);
  };
  /** Clears all but the `room` entries whose loss costs most. */
  const thin = (entries: readonly number[], room: number, left: (at: number) => number) => {
    if (entries.length <= room) return;
    const costs = new Map(entries.map((at) => [at, loss(at, left(at))]));
    const order = [...entries].sort((a, b) => costs.get(b)! - costs.get(a)!);
    for (const at of order.slice(room)) codes[at] = allowed.sign[at] * left(at);
  };
  for (let start = 0; start < rows; start += tileRows)
    for (let column = 0; column < columns; column++) {
      const end = Math.min(rows, start + tileRows);
      const entries = Array.from({ length: end - start }, (_, row) => (start + row) * columns + column);
      thin(
        entries.filter((at) => codes[at] !== 0),
        limits.values,
        () => 0,
      );
      for (const sign of [1, -1])
        for (let plane = limits.planes - 1; plane >= 0; plane--) {
          const bit = 1 << plane;
          const holders = entries.filter((at) => codes[at] * sign > 0 && (Math.abs(codes[at]) & bit) !== 0);
          thin(holders, limits.bits[plane], (at) => Math.abs(codes[at]) - bit);
        }
    }
  return codes;
}
