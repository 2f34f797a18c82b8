import type { Choice } from './choice';
import { type Column, MULTIPLIERS, UNLIMITED } from './column';
import { DilatedSpace } from './dilated-space';
import { Dual } from './dual';
import { polish } from './polish';
import { type Int, type Ints, ints, type Real, type Reals, reals } from './portable';
import { RaySearch } from './ray-search';
import { repair } from './repair';
import type { RowOrder } from './row-order';

/** Stop when (best - bound) / best is at most this. */
const TOLERANCE: Real = 1e-9;
/** Stop when the bound has risen by less than STALL * best in PATIENCE evaluations. */
const STALL: Real = 1e-5;
const PATIENCE: Int = 7;
/** By how much the top plane's multiplier is below proportion to its bit; a quarter of that for the next, and so on. */
const BEND: Real = 0.8;

/** Raises the Lagrangian bound of one column and repairs relaxed codes to feasible ones near the end. */
export class Lagrangian {
  readonly dual: Dual;
  private readonly space: DilatedSpace;
  private readonly ray: RaySearch;
  private readonly room: Ints;
  private readonly trial: Reals;
  /** Direction in which the start is sought. */
  private readonly shape: Reals;
  /** Variables in use: the bit columns' multipliers, and the value limit's. */
  private count: Int = 0;
  private used: Int = 0;
  private bound: Real = 0;

  constructor(capacity: Int) {
    this.dual = new Dual(capacity);
    this.space = new DilatedSpace(MULTIPLIERS);
    this.ray = new RaySearch();
    this.room = ints(16);
    this.trial = reals(MULTIPLIERS);
    this.shape = reals(MULTIPLIERS);
  }

  /**
   * Starts at `multipliers` if `warm`. `best` (feasible, measured) is replaced by anything better; `multipliers` end as
   * the best found. Returns the bound on the cost of the column's rows.
   */
  solve(
    column: Column,
    best: Choice,
    scratch: Choice,
    order: RowOrder,
    multipliers: Reals,
    warm: boolean,
  ): Real {
    const space = this.space;
    this.used = column.sides * column.planes;
    this.count = this.used + (column.values < UNLIMITED ? 1 : 0);
    const count = this.count;
    // Enough for gaps of hundredths of a percent; the r-algorithm needs evaluations in proportion to the multipliers.
    const most: Int = warm ? 10 + 3 * count : 20 + 8 * count;
    const repairs: Int = warm ? 3 : 5;
    const repairEvery: Int = Math.floor((most as Real) / (2 * repairs)) as Int;
    this.bound = -Infinity;
    // Multipliers not in use stay 0, whatever the column before had.
    this.trial.fill(0);
    this.dual.prepare(column);
    if (warm) for (let at: Int = 0; at < count; at++) space.x[at] = multipliers[this.place(column, at)];
    else this.findStart(column, multipliers);
    this.guessSpread(column, warm);

    let evaluations: Int = 0;
    let going = true;
    let before: Real = -Infinity;
    while (going && evaluations < most) {
      this.evaluate(column, multipliers);
      evaluations++;
      if (2 * evaluations > most && evaluations % repairEvery === 0)
        this.tryRepair(column, best, scratch, order, this.trial);
      if (best.cost - this.bound <= TOLERANCE * best.cost) break;
      if (evaluations % PATIENCE === 0) {
        // With the polarities coupled the bound rises by fits and starts.
        const settled = 2 * evaluations > most && count < 8;
        if (settled && this.bound - before <= STALL * best.cost) break;
        before = this.bound;
      }
      this.findSlope(column);
      going = evaluations === 1 ? space.start(count) : space.advance();
    }
    this.tryRepair(column, best, scratch, order, this.trial);
    this.tryRepair(column, best, scratch, order, multipliers);
    return this.bound;
  }

  /** Index among the multipliers of a variable. */
  private place(column: Column, at: Int): Int {
    return at < this.used ? at : 2 * column.planes;
  }

  /** Relaxes at x, whose negative parts count as 0, and keeps the best bound and its multipliers. */
  private evaluate(column: Column, multipliers: Reals): void {
    const trial = this.trial;
    const x = this.space.x;
    for (let at: Int = 0; at < this.count; at++) {
      const value = x[at];
      trial[this.place(column, at)] = value > 0 ? value : 0;
    }
    const value = this.dual.relax(column, trial);
    if (value > this.bound) {
      this.bound = value;
      for (let at: Int = 0; at < MULTIPLIERS; at++) multipliers[at] = trial[at];
    }
  }

  /** What the relaxed codes use beyond a variable's limit. */
  private excess(column: Column, at: Int): Int {
    return at < this.used
      ? this.dual.usage[at] - column.bits[at % column.planes]
      : this.dual.nonzeros - column.values;
  }

  private findSlope(column: Column): void {
    const x = this.space.x;
    const slope = this.space.slope;
    for (let at: Int = 0; at < this.count; at++) {
      const rise = this.excess(column, at) as Real;
      // Below 0 the multiplier counts as 0; the slope leads back.
      slope[at] = x[at] < 0 && rise < 1 ? 1 : rise;
    }
  }

  private tryRepair(column: Column, best: Choice, scratch: Choice, order: RowOrder, at: Reals): void {
    this.dual.settle(column, at);
    repair(column, this.dual, scratch, order, this.room);
    polish(column, scratch);
    if (scratch.cost < best.cost) best.copyFrom(scratch, column.rows);
  }

  /**
   * A start for the multipliers: with every plane short of room the marginal worth of a bit is about in proportion to it,
   * somewhat less for the top planes, so l = t * shape, and t where the bound is highest on that ray; then the value
   * limit's multiplier alone.
   */
  private findStart(column: Column, multipliers: Reals): void {
    for (let at: Int = 0; at < this.count; at++) this.space.x[at] = 0;
    for (let side: Int = 0; side < column.sides; side++) {
      const first = column.starts[side];
      const largest: Int =
        first < column.starts[side + 1] ? column.nearestCode(first, column.maxMagnitude) : 1;
      // 4^(p - top) of the plane at hand.
      let part: Real = 1;
      for (let plane = column.planes - 1; plane >= 0; plane--) {
        const bit: Int = 1 << plane;
        const at = side * column.planes + plane;
        if (bit > largest) this.shape[at] = 0;
        else {
          this.shape[at] = (bit as Real) * (1 - BEND * part);
          part *= 0.25;
        }
      }
    }
    this.findHighest(column, multipliers, false);
    if (this.count > this.used) this.findHighest(column, multipliers, true);
  }

  /** How far each multiplier may have to go from x. */
  private guessSpread(column: Column, warm: boolean): void {
    let scale: Real = 0;
    for (let at: Int = 0; at < this.used; at++) {
      const each = this.space.x[at] / ((1 << (at % column.planes)) as Real);
      if (each > scale) scale = each;
    }
    const least = 0.1 * (scale > 0 ? scale : 1);
    for (let at: Int = 0; at < this.count; at++) {
      const unit: Real = at < this.used ? ((1 << (at % column.planes)) as Real) : 1;
      this.space.spread[at] = (warm ? 0.07 : 0.5) * (least * unit + this.space.x[at]);
    }
  }

  /** Brackets the zero of the bound's slope along a ray; x ends at the last point tried. */
  private findHighest(column: Column, multipliers: Reals, valueLimit: boolean): void {
    const ray = this.ray;
    ray.start();
    while (ray.tell(this.slopeAt(column, multipliers, ray.t, valueLimit)));
  }

  /** Puts x at distance t on the ray of the planes, or of the value limit, and tells the bound's slope there. */
  private slopeAt(column: Column, multipliers: Reals, t: Real, valueLimit: boolean): Real {
    const x = this.space.x;
    const shape = this.shape;
    if (valueLimit) {
      x[this.used] = t;
      this.evaluate(column, multipliers);
      return this.excess(column, this.used) as Real;
    }
    for (let at: Int = 0; at < this.used; at++) x[at] = t * shape[at];
    this.evaluate(column, multipliers);
    let slope: Real = 0;
    for (let at: Int = 0; at < this.used; at++) slope += (this.excess(column, at) as Real) * shape[at];
    return slope;
  }
}
