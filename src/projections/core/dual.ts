import { type Column, UNLIMITED } from './column';
import { type Int, type Ints, ints, lowestBit, type Real, type Reals, reals } from './portable';

/**
 * Lagrangian relaxation of one column. With multipliers l >= 0 for every bit column (side * planes + plane) and, last,
 * the value limit, rows part company: g(l) = sum_i min_c [ d_i (m_i - c)^2 + L(c) ] - sum l * limit, where L(c) is the
 * sum of the multipliers of c's bits (+ that of the value limit if c > 0). g(l) bounds every feasible cost from below.
 */
export class Dual {
  /** What the minimising codes of all rows use at the last multipliers. */
  readonly usage: Ints;
  nonzeros: Int = 0;

  /** Filled by `settle` only: the minimising code of every row and what it costs with L. */
  readonly codes: Ints;
  readonly costs: Reals;
  /** Filled by `settle` only: L of every code, by side: penalty[side * 128 + code]. */
  readonly penalty: Reals;

  /** Codes that can be a row's minimum, ascending, their L, and the magnitudes where each takes over from the one below. */
  private readonly hull: Ints;
  private readonly prices: Reals;
  private readonly borders: Reals;
  /** Rows at each code of the hull. */
  private readonly hits: Ints;
  /** Sums of the magnitudes and of their squares over the rows before. */
  private readonly sums: Reals;
  private readonly squares: Reals;

  constructor(capacity: Int) {
    this.usage = ints(16);
    this.codes = ints(capacity);
    this.costs = reals(capacity);
    this.penalty = reals(256);
    this.hull = ints(128);
    this.prices = reals(128);
    this.borders = reals(129);
    this.hits = ints(128);
    this.sums = reals(capacity + 1);
    this.squares = reals(capacity + 1);
  }

  /** To be called once for every column, before `relax`. */
  prepare(column: Column): void {
    const magnitude = column.magnitude;
    const sums = this.sums;
    const squares = this.squares;
    let sum: Real = 0;
    let square: Real = 0;
    sums[0] = 0;
    squares[0] = 0;
    for (let row: Int = 0; row < column.rows; row++) {
      const size = magnitude[row];
      sum += size;
      square += size * size;
      sums[row + 1] = sum;
      squares[row + 1] = square;
    }
  }

  /** Evaluates g at `multipliers`; leaves what the minimum uses. */
  relax(column: Column, multipliers: Reals): Real {
    const planes = column.planes;
    const usage = this.usage;
    usage.fill(0);
    this.nonzeros = 0;
    let value: Real = 0;
    for (let side: Int = 0; side < column.sides; side++) {
      const count = this.buildHull(column, multipliers, side);
      value += column.uniform
        ? this.relaxSegments(column, side, count)
        : this.relaxRows(column, side, count, false);
      this.countUsage(side * planes, count);
      const base = side * planes;
      for (let plane: Int = 0; plane < planes; plane++)
        value -= multipliers[base + plane] * (column.bits[plane] as Real);
    }
    if (column.values < UNLIMITED) value -= multipliers[2 * planes] * (column.values as Real);
    return value;
  }

  /** `relax`, and fills in every row's code and cost and every code's penalty. */
  settle(column: Column, multipliers: Reals): Real {
    for (let side: Int = 0; side < column.sides; side++) {
      this.fillPenalty(column.planes, multipliers, side);
      this.relaxRows(column, side, this.buildHull(column, multipliers, side), true);
    }
    return this.relax(column, multipliers);
  }

  private fillPenalty(planes: Int, multipliers: Reals, side: Int): void {
    const penalty = this.penalty;
    const base = side * 128;
    const nonzero = multipliers[2 * planes];
    penalty[base] = 0;
    for (let plane: Int = 0; plane < planes; plane++) {
      const bit: Int = 1 << plane;
      const price = multipliers[side * planes + plane];
      penalty[base + bit] = price + nonzero;
      for (let low: Int = 1; low < bit; low++) penalty[base + bit + low] = penalty[base + low] + price;
    }
  }

  /**
   * d (m - c)^2 + L(c) is smallest, over c, on the lower hull of the points (c, c^2 + L(c)/d): one hull serves every m.
   * As 1/d grows hull points only vanish, so the hull of the largest d holds every row's minimum. The upper half of the
   * codes is the lower half moved by a plane's bit 2^p, which adds 2^(2p) + 2^(p+1) c + l_p/d to the heights: a linear
   * term, so its hull is a copy. The hull of both is what lies left and right of their common tangent.
   */
  private buildHull(column: Column, multipliers: Reals, side: Int): Int {
    const planes = column.planes;
    const hull = this.hull;
    const prices = this.prices;
    const borders = this.borders;
    const inverse = 1 / column.maxCurvature;
    let count: Int = 1;
    hull[0] = 0;
    prices[0] = 0;
    borders[0] = -Infinity;
    for (let plane: Int = 0; plane < planes; plane++) {
      const bit: Int = 1 << plane;
      const step = bit as Real;
      const price = multipliers[side * planes + plane];
      let left = count - 1;
      let right: Int = 0;
      let rise: Real = 0;
      let run: Real = 0;
      for (;;) {
        const low = hull[left] as Real;
        const high = (hull[right] as Real) + step;
        rise = high * high - low * low + (prices[right] + price - prices[left]) * inverse;
        run = 2 * (high - low);
        if (left > 0 && rise <= run * borders[left]) left--;
        else if (right + 1 < count && rise >= run * (borders[right + 1] + step)) right++;
        else break;
      }
      const shift = left + 1 - right;
      if (shift >= 0)
        for (let from = count - 1; from >= right; from--) {
          hull[from + shift] = hull[from] + bit;
          prices[from + shift] = prices[from] + price;
          borders[from + shift] = borders[from] + step;
        }
      else
        for (let from = right; from < count; from++) {
          hull[from + shift] = hull[from] + bit;
          prices[from + shift] = prices[from] + price;
          borders[from + shift] = borders[from] + step;
        }
      borders[left + 1] = rise / run;
      count += shift;
    }
    const nonzero = multipliers[2 * planes];
    return nonzero > 0 ? this.raiseNonzeros(count, nonzero, inverse) : count;
  }

  /** Adds the value limit's multiplier to all codes but 0, which may hide the smallest of them. */
  private raiseNonzeros(count: Int, nonzero: Real, inverse: Real): Int {
    const hull = this.hull;
    const prices = this.prices;
    const borders = this.borders;
    for (let at: Int = 1; at < count; at++) prices[at] = prices[at] + nonzero;
    if (count === 1) return count;
    let first: Int = 1;
    let border: Real = 0;
    for (; ; first++) {
      const code = hull[first] as Real;
      border = (code * code + prices[first] * inverse) / (2 * code);
      if (first + 1 === count || border < borders[first + 1]) break;
    }
    const shift = first - 1;
    for (let from = first; from < count; from++) {
      hull[from - shift] = hull[from];
      prices[from - shift] = prices[from];
      borders[from - shift] = borders[from];
    }
    borders[1] = border;
    return count - shift;
  }

  /** With one curvature d: rows between two borders take one code, so sums over them tell their cost. */
  private relaxSegments(column: Column, side: Int, count: Int): Real {
    const magnitude = column.magnitude;
    const hull = this.hull;
    const prices = this.prices;
    const borders = this.borders;
    const hits = this.hits;
    const sums = this.sums;
    const squares = this.squares;
    const weight = column.maxCurvature;
    const end = column.starts[side + 1];
    let row = column.starts[side];
    let value: Real = 0;
    for (let at = count - 1; at >= 0; at--) {
      const first = row;
      const border = borders[at];
      while (row < end && magnitude[row] >= border) row++;
      hits[at] = row - first;
      if (row === first) continue;
      const code = hull[at] as Real;
      const rows = (row - first) as Real;
      const spread = squares[row] - squares[first] + code * (code * rows - 2 * (sums[row] - sums[first]));
      value += weight * spread + rows * prices[at];
    }
    return value;
  }

  /** Each row's minimum of d (m - c)^2 + L(c) over the hull; returns their sum. `keep`: in codes and costs. */
  private relaxRows(column: Column, side: Int, count: Int, keep: boolean): Real {
    const magnitude = column.magnitude;
    const curvature = column.curvature;
    const hull = this.hull;
    const prices = this.prices;
    const borders = this.borders;
    const hits = this.hits;
    const most = column.maxCurvature;
    const end = column.starts[side + 1];
    for (let at: Int = 0; at < count; at++) hits[at] = 0;
    let place = count - 1;
    let value: Real = 0;
    for (let row = column.starts[side]; row < end; row++) {
      const size = magnitude[row];
      const weight = curvature[row];
      // Magnitudes fall from row to row, so the place on the hull only moves down.
      while (place > 0 && size < borders[place]) place--;
      let at = place;
      let error = size - (hull[at] as Real);
      let best = weight * error * error + prices[at];
      if (weight !== most) {
        // A smaller d weighs L more: cheaper codes on either side may win, until distance alone costs more.
        for (let other = place - 1; other >= 0; other--) {
          error = size - (hull[other] as Real);
          const distance = weight * error * error;
          if (error > 0 && distance >= best) break;
          const cost = distance + prices[other];
          if (cost < best) {
            best = cost;
            at = other;
          }
        }
        for (let other = place + 1; other < count; other++) {
          error = size - (hull[other] as Real);
          const distance = weight * error * error;
          if (error < 0 && distance >= best) break;
          const cost = distance + prices[other];
          if (cost < best) {
            best = cost;
            at = other;
          }
        }
      }
      hits[at] = hits[at] + 1;
      value += best;
      if (!keep) continue;
      this.codes[row] = hull[at];
      this.costs[row] = best;
    }
    return value;
  }

  private countUsage(base: Int, count: Int): void {
    const usage = this.usage;
    for (let at: Int = 0; at < count; at++) {
      const rows = this.hits[at];
      let code = this.hull[at];
      if (rows === 0 || code === 0) continue;
      this.nonzeros += rows;
      for (; code !== 0; code &= code - 1) {
        const resource = base + lowestBit(code);
        usage[resource] = usage[resource] + rows;
      }
    }
  }
}
