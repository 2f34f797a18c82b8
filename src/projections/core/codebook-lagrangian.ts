import type { Codebook } from './codebook';
import type { CodebookChoice, CodebookColumn } from './codebook-column';
import { CodebookDual } from './codebook-dual';
import { codebookPolish } from './codebook-polish';
import { codebookRepair } from './codebook-repair';
import { DilatedSpace } from './dilated-space';
import { type Int, type Real, type Reals, reals } from './portable';
import { RaySearch } from './ray-search';

/** Stop when (best - bound) / best is at most this. */
const TOLERANCE: Real = 1e-9;

/** Raises the Lagrangian bound of one column over any codebook and repairs relaxed codes near the end. */
export class CodebookLagrangian {
  readonly dual: CodebookDual;
  private readonly space: DilatedSpace;
  private readonly ray: RaySearch;
  private readonly trial: Reals;
  private bound: Real = 0;

  constructor(book: Codebook, capacity: Int) {
    this.dual = new CodebookDual(book, capacity);
    this.space = new DilatedSpace(book.resources);
    this.ray = new RaySearch();
    this.trial = reals(book.resources);
  }

  /**
   * Starts at `multipliers` if `warm`. `best` (feasible, measured) is replaced by anything better; `multipliers` end as
   * the best found. Returns the bound.
   */
  solve(
    column: CodebookColumn,
    best: CodebookChoice,
    scratch: CodebookChoice,
    multipliers: Reals,
    warm: boolean,
  ): Real {
    const space = this.space;
    const count = column.shortCount;
    const evaluations: Int = warm ? 10 + 3 * count : 20 + 8 * count;
    const repairs: Real = warm ? 4 : 6;
    const repairEvery: Int = Math.max(1, Math.floor((evaluations as Real) / repairs)) as Int;
    this.bound = -Infinity;
    // Multipliers not in use stay 0, whatever the column before had.
    this.trial.fill(0);
    if (warm) for (let i: Int = 0; i < count; i++) space.x[i] = multipliers[column.short[i]];
    else this.findStart(column, multipliers);
    for (let i: Int = 0; i < count; i++) space.spread[i] = 0.1 * (unitOf(column, i) + space.x[i]);

    let done: Int = 0;
    let going = true;
    while (going && done < evaluations) {
      this.evaluate(column, multipliers);
      done++;
      if (2 * done > evaluations && done % repairEvery === 0) this.tryRepair(column, best, scratch);
      if (best.cost - this.bound <= TOLERANCE * best.cost) break;
      this.findSlope(column);
      going = done === 1 ? space.start(count) : space.advance();
    }
    this.dual.relax(column, multipliers);
    this.tryRepair(column, best, scratch);
    return this.bound;
  }

  /** Relaxes at x, whose negative parts count as 0, and keeps the best bound and its multipliers. */
  private evaluate(column: CodebookColumn, multipliers: Reals): void {
    const trial = this.trial;
    for (let i: Int = 0; i < column.shortCount; i++) trial[column.short[i]] = Math.max(0, this.space.x[i]);
    const value = this.dual.relax(column, trial);
    if (value <= this.bound) return;
    this.bound = value;
    for (let at: Int = 0; at < trial.length; at++) multipliers[at] = trial[at];
  }

  /** What the relaxed options use beyond the limit of a scarce resource. */
  private excess(column: CodebookColumn, i: Int): Real {
    const at = column.short[i];
    return (this.dual.usage[at] as Real) - column.budgets[at];
  }

  private findSlope(column: CodebookColumn): void {
    const x = this.space.x;
    const slope = this.space.slope;
    for (let i: Int = 0; i < column.shortCount; i++) {
      const rise = this.excess(column, i);
      // Below 0 the multiplier counts as 0; the slope leads back.
      slope[i] = x[i] < 0 ? Math.max(1, rise) : rise;
    }
  }

  private tryRepair(column: CodebookColumn, best: CodebookChoice, scratch: CodebookChoice): void {
    codebookRepair(column, this.dual, scratch);
    codebookPolish(column, scratch);
    if (scratch.cost < best.cost) best.copyFrom(scratch, column.rows);
  }

  /** The bit columns' multipliers in proportion to their worth, then the value limit's alone. */
  private findStart(column: CodebookColumn, multipliers: Reals): void {
    const count = column.shortCount;
    const coupled = count > 0 && column.short[count - 1] === column.book.resources - 1;
    for (let i: Int = 0; i < count; i++) this.space.x[i] = 0;
    this.findHighest(column, multipliers, false);
    if (coupled) this.findHighest(column, multipliers, true);
  }

  /** Brackets the zero of the bound's slope along a ray; x ends at the last point tried. */
  private findHighest(column: CodebookColumn, multipliers: Reals, valueLimit: boolean): void {
    const ray = this.ray;
    ray.start();
    while (ray.tell(this.slopeAt(column, multipliers, ray.t, valueLimit)));
  }

  /** Puts x at distance t on the ray of the bit columns, or of the value limit, and tells the bound's slope there. */
  private slopeAt(column: CodebookColumn, multipliers: Reals, t: Real, valueLimit: boolean): Real {
    const count = column.shortCount;
    const last = column.book.resources - 1;
    for (let i: Int = 0; i < count; i++)
      if ((column.short[i] === last) === valueLimit) this.space.x[i] = t * unitOf(column, i);
    this.evaluate(column, multipliers);
    let slope: Real = 0;
    for (let i: Int = 0; i < count; i++)
      if ((column.short[i] === last) === valueLimit) slope += this.excess(column, i) * unitOf(column, i);
    return slope;
  }
}

/** The marginal worth of a one is about in proportion to what it counts for; the value limit comes after. */
function unitOf(column: CodebookColumn, i: Int): Real {
  const at = column.short[i];
  return at < column.book.resources - 1 ? column.book.worth[at] : 1;
}
