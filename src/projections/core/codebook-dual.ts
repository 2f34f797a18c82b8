import type { Codebook } from './codebook';
import type { CodebookColumn } from './codebook-column';
import { type Int, type Ints, ints, type Real, type Reals, reals } from './portable';

/**
 * Lagrangian relaxation of one column over any codebook. With multipliers l >= 0 for every resource, rows part company:
 * g(l) = sum_i min_c [ d_i (a_i - c)^2 + L(c) ] - sum l * budget, where L(c) is the sum of l * use of c.
 * g(l) bounds every feasible cost from below.
 */
export class CodebookDual {
  /** Filled by `relax`: the minimising option of every row, what it costs with L, and what all of them use. */
  readonly options: Ints;
  readonly costs: Reals;
  readonly usage: Ints;
  /** L of every option. */
  readonly penalty: Reals;

  /** Options that can be a row's minimum, `count` of them, ascending; with c^2 + L(c)/d. */
  private count: Int = 0;
  private readonly hull: Ints;
  private readonly heights: Reals;
  /** Targets (less minCode) where the option before hands over to each. */
  private readonly borders: Reals;
  /** The hull's options as numbers, and their L. */
  private readonly places: Reals;
  private readonly prices: Reals;
  /** Rows whose minimum each is. */
  private readonly rowsAt: Ints;
  /** Where on the hull, down and up from each place, the next option of a smaller L is; -1: nowhere. */
  private readonly below: Ints;
  private readonly above: Ints;

  constructor(book: Codebook, capacity: Int) {
    this.options = ints(capacity);
    this.costs = reals(capacity);
    this.usage = ints(book.resources);
    this.penalty = reals(book.count);
    this.hull = ints(book.count);
    this.heights = reals(book.count);
    this.borders = reals(book.count);
    this.places = reals(book.count);
    this.prices = reals(book.count);
    this.rowsAt = ints(book.count);
    this.below = ints(book.count);
    this.above = ints(book.count);
  }

  /** Evaluates g at `multipliers`; leaves options, costs, usage and penalties of the minimum. */
  relax(column: CodebookColumn, multipliers: Reals): Real {
    const book = column.book;
    this.fillPenalty(book, multipliers);
    this.buildHull(column);
    if (!column.uniform) this.linkCheaper();
    let value = this.minimiseRows(column);
    this.sumUsage(book);
    for (let at: Int = 0; at < book.resources; at++)
      if (multipliers[at] > 0) value -= multipliers[at] * column.budgets[at];
    return value;
  }

  private fillPenalty(book: Codebook, multipliers: Reals): void {
    const penalty = this.penalty;
    for (let option: Int = 0; option < book.count; option++) {
      let sum: Real = 0;
      for (let at = book.starts[option]; at < book.starts[option + 1]; at++)
        sum += multipliers[book.used[at]] * (book.amounts[at] as Real);
      penalty[option] = sum;
    }
  }

  /**
   * d (a - c)^2 + L(c) is smallest, over c, on the lower hull of the points (c, c^2 + L(c)/d): one hull serves every a.
   * As 1/d grows hull points only vanish, so the hull of the largest d holds every row's minimum.
   */
  private buildHull(column: CodebookColumn): void {
    const hull = this.hull;
    const heights = this.heights;
    const borders = this.borders;
    const inverse = 1 / column.maxCurvature;
    let count: Int = 0;
    for (let option: Int = 0; option < column.book.count; option++) {
      const height = ((option * option) as Real) + this.penalty[option] * inverse;
      let border: Real = -Infinity;
      while (count > 0) {
        border = (height - heights[count - 1]) / ((2 * (option - hull[count - 1])) as Real);
        if (border > borders[count - 1]) break;
        count--;
        border = -Infinity;
      }
      hull[count] = option;
      heights[count] = height;
      borders[count] = border;
      count++;
    }
    this.count = count;
    for (let at: Int = 0; at < count; at++) {
      this.places[at] = hull[at] as Real;
      this.prices[at] = this.penalty[hull[at]];
    }
  }

  /** Away from a target only options cheaper than all those nearer can be its minimum: links each place to the next such. */
  private linkCheaper(): void {
    const count = this.count;
    const prices = this.prices;
    const below = this.below;
    const above = this.above;
    for (let at: Int = 0; at < count; at++) {
      let next = at - 1;
      while (next >= 0 && prices[next] >= prices[at]) next = below[next];
      below[at] = next;
    }
    for (let at = count - 1; at >= 0; at--) {
      let next = at + 1 < count ? at + 1 : -1;
      while (next >= 0 && prices[next] >= prices[at]) next = above[next];
      above[at] = next;
    }
  }

  private sumUsage(book: Codebook): void {
    this.usage.fill(0);
    for (let at: Int = 0; at < this.count; at++)
      if (this.rowsAt[at] > 0) book.addUses(this.hull[at], this.rowsAt[at], this.usage);
  }

  /** Each row's minimum of d (a - c)^2 + L(c) over the hull; returns their sum. */
  private minimiseRows(column: CodebookColumn): Real {
    const count = this.count;
    const places = this.places;
    const prices = this.prices;
    const borders = this.borders;
    const below = this.below;
    const above = this.above;
    const minCode = column.book.minCode as Real;
    const uniform = column.uniform;
    const largest = column.maxCurvature;
    const rowsAt = this.rowsAt;
    for (let at: Int = 0; at < count; at++) rowsAt[at] = 0;
    let on: Int = 0;
    let under: Int = -1;
    let sum: Real = 0;
    for (let row: Int = 0; row < column.rows; row++) {
      const target = column.targets[row] - minCode;
      const weight = column.curvature[row];
      // Targets rise from row to row, so the place on the hull only moves up.
      while (on + 1 < count && target >= borders[on + 1]) on++;
      let at = on;
      const error = target - places[at];
      let best = weight * error * error + prices[at];
      if (!uniform && weight !== largest) {
        // A smaller d weighs L more: cheaper codes on either side may win, until distance alone costs more.
        while (under + 1 < count && places[under + 1] <= target) under++;
        for (let way: Int = 0; way < 2; way++) {
          const links = way === 0 ? below : above;
          let other = way === 0 ? under : under + 1 < count ? under + 1 : -1;
          for (; other >= 0; other = links[other]) {
            const error = target - places[other];
            const distance = weight * error * error;
            if (distance >= best) break;
            const cost = distance + prices[other];
            if (cost < best) {
              best = cost;
              at = other;
            }
          }
        }
      }
      this.costs[row] = best;
      this.options[row] = this.hull[at];
      rowsAt[at] = rowsAt[at] + 1;
      sum += best;
    }
    return sum;
  }
}
