import type { Choice } from './choice';
import type { Column } from './column';
import { type Int, type Ints, ints, type Real, type Reals, reals } from './portable';

/** Planes at most, and rows that can then be nonzero. */
const MOST: Int = 8;

/** Whether every plane of a polarity of one curvature has at most one one: the limits of a 1-bit ADC. */
export function hasSingleOnes(column: Column): boolean {
  if (!column.uniform || column.sides > 1) return false;
  for (let plane: Int = 0; plane < column.planes; plane++) if (column.bits[plane] > 1) return false;
  return true;
}

/**
 * Exact choice for such a polarity, by branch and bound. From the top plane down its one goes to a row or to none; a bit b
 * takes b (2 rest - b) from the error of a row of which its higher bits left `rest`. Rows of no bits yet are taken largest
 * first (see Column.keepLargest), so that one of them at most is tried, and at most 4140 ways of seven planes are left (the
 * Bell number of 8).
 */
export class SingleOnes {
  private readonly rest: Reals;
  private readonly codes: Ints;
  private gain: Real = 0;
  private improved: boolean = false;

  constructor() {
    this.rest = reals(MOST);
    this.codes = ints(MOST);
  }

  /** Replaces `best` (feasible, measured), from which the search prunes, by a better choice if there is one. */
  solve(column: Column, best: Choice): void {
    let gain: Real = 0;
    for (let row: Int = 0; row < column.rows; row++) {
      const size = column.magnitude[row];
      const code = best.codes[row] as Real;
      gain += code * (2 * size - code);
      this.rest[row] = size;
      this.codes[row] = 0;
    }
    this.gain = gain;
    this.improved = false;
    this.place(column, best, column.planes - 1, 0, 0);
    if (this.improved) best.measure(column);
  }

  /** Tries every home for the ones of this plane and those below, with `gain` from the planes above in `used` rows. */
  private place(column: Column, best: Choice, plane: Int, used: Int, gain: Real): void {
    if (plane < 0) {
      // By more than rounding may promise.
      if (gain <= this.gain * (1 + 1e-12)) return;
      this.gain = gain;
      this.improved = true;
      for (let row: Int = 0; row < column.rows; row++) best.codes[row] = this.codes[row];
      return;
    }
    const reach = used < column.rows ? used + 1 : used;
    if (gain + this.mostGain(column, plane, reach) <= this.gain) return;
    const bit: Int = 1 << plane;
    const step = bit as Real;
    if (column.bits[plane] > 0) {
      for (let row: Int = 0; row < reach; row++) {
        const rest = this.rest[row];
        const more = step * (2 * rest - step);
        if (more <= 0) continue;
        this.rest[row] = rest - step;
        this.codes[row] = this.codes[row] | bit;
        this.place(column, best, plane - 1, row === used ? reach : used, gain + more);
        this.rest[row] = rest;
        this.codes[row] = this.codes[row] & ~bit;
      }
    }
    this.place(column, best, plane - 1, used, gain);
  }

  /** No less than what the ones of this plane and those below can gain: each as if the largest rest were its own. */
  private mostGain(column: Column, plane: Int, reach: Int): Real {
    let largest: Real = 0;
    for (let row: Int = 0; row < reach; row++) if (this.rest[row] > largest) largest = this.rest[row];
    let most: Real = 0;
    for (let each = plane; each >= 0; each--) {
      const step = (1 << each) as Real;
      if (column.bits[each] > 0 && 2 * largest > step) most += step * (2 * largest - step);
    }
    return most;
  }
}
