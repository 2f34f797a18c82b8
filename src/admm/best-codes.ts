import { scope, upload } from '../tensor/engine';
import * as k from '../tensor/kernels';
import type { Aim, Quadratic } from './layer-quadratic';

/** What the iterations hand from one projection to the next. */
export interface Projected {
  readonly codes: Int8Array;
  readonly flips?: Uint8Array;
  readonly gaps?: Float64Array;
  readonly multipliers?: Float64Array;
}

export interface BestOptions {
  /** ISAAC's flip: keep track of which columns are stored complemented. */
  readonly flip?: boolean;
  readonly tileRows: number;
  /** Scales that must stay; absent: each column takes the best. */
  readonly scales?: Float32Array;
}

/** For each column the best codes met so far, with the scale that suits them best. */
export interface Best {
  readonly codes: Int8Array;
  readonly flips?: Uint8Array;
  readonly scales: Float32Array;
  /** Takes the columns in which the codes are better; returns their error relative to the wanted outputs. */
  offer(projected: Projected): number;
  /** Turns to other wanted weights. */
  aim(target: Aim): void;
  /** Fits the scales anew after `codes` were changed. */
  refit(): void;
}

/** @param start scale of each column before any codes are offered */
export function createBest(
  { rows, columns, hessian, wanted, ...target }: Quadratic,
  start: Float32Array,
  { flip, tileRows, scales: fixed }: BestOptions,
): Best {
  let { right } = target;
  const best = new Int8Array(rows * columns);
  const tiles = Math.ceil(rows / tileRows);
  const flips = flip ? new Uint8Array(tiles * columns) : undefined;
  const scales = start.slice();
  /** w' H w - error: what a column's codes explain. */
  const explained = new Float64Array(columns).fill(-1);
  let total = 0;
  for (let at = 0; at < right.length; at++) total += wanted[at] * right[at];

  /** Column by column w' H v and v' H v. */
  function products(codes: Int8Array): { cross: Float64Array; own: Float64Array } {
    const values = Float32Array.from(codes);
    const curved = scope(() =>
      k.floats(k.matMul(upload(hessian, [rows, rows]), upload(values, [rows, columns]))),
    );
    const cross = new Float64Array(columns);
    const own = new Float64Array(columns);
    for (let at = 0; at < codes.length; at += columns)
      for (let n = 0; n < columns; n++) {
        const code = codes[at + n];
        if (code === 0) continue;
        cross[n] += right[at + n] * code;
        own[n] += curved[at + n] * code;
      }
    return { cross, own };
  }

  /** What a column explains with its best scale, or with the one that must stay. */
  const gainOf = (cross: number, own: number, scale: number) => {
    if (fixed) return 2 * scale * cross - scale * scale * own;
    return cross > 0 && own > 0 ? cross ** 2 / own : 0;
  };
  if (fixed) explained.fill(-Infinity);

  return {
    codes: best,
    flips,
    scales,
    offer({ codes, flips: own }) {
      const sums = products(codes);
      let sum = 0;
      for (let n = 0; n < columns; n++) {
        const gain = gainOf(sums.cross[n], sums.own[n], scales[n]);
        sum += gain;
        if (gain <= explained[n]) continue;
        explained[n] = gain;
        if (!fixed && gain > 0) scales[n] = sums.cross[n] / sums.own[n];
        for (let at = n; at < codes.length; at += columns) best[at] = codes[at];
        if (flips && own) for (let at = n; at < flips.length; at += columns) flips[at] = own[at];
      }
      return Math.max(0, 1 - sum / Math.max(total, Number.MIN_VALUE));
    },
    aim(other) {
      right = other.right;
    },
    refit() {
      if (fixed) return;
      const { cross, own } = products(best);
      for (let n = 0; n < columns; n++) if (cross[n] > 0 && own[n] > 0) scales[n] = cross[n] / own[n];
    },
  };
}
