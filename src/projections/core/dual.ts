import { type Column, UNLIMITED } from './column';
import { Hull } from './hull';
import { type Int, type Ints, ints, lowestBit, type Real, type Reals, reals } from './portable';

/** Levels into which rows of different curvature are sorted, and the ratio from one to the next. */
const LEVELS: Int = 6;
const RATIO: Real = 2;

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

  private readonly hull: Hull;
  /** Where rows differ in curvature: the hull of the next level. */
  private readonly nextHull: Hull;
  /** Rows at each code. */
  private readonly hits: Ints;
  /** Sums of the magnitudes and of their squares over the rows before. */
  private readonly sums: Reals;
  private readonly squares: Reals;
  /** Rows by side and level of curvature, in a level by falling magnitude; the start of each, and its largest curvature. */
  private readonly leveled: Ints;
  private readonly levelStarts: Ints;
  private readonly levelCurvatures: Reals;
  private leastCurvature: Real = 1;

  constructor(capacity: Int) {
    this.usage = ints(16);
    this.codes = ints(capacity);
    this.costs = reals(capacity);
    this.penalty = reals(256);
    this.hull = new Hull();
    this.nextHull = new Hull();
    this.hits = ints(128);
    this.sums = reals(capacity + 1);
    this.squares = reals(capacity + 1);
    this.leveled = ints(capacity);
    this.levelStarts = ints(2 * LEVELS + 1);
    this.levelCurvatures = reals(LEVELS);
  }

  /** To be called once for every column, before `relax`. */
  prepare(column: Column): void {
    if (column.uniform) this.addUp(column);
    else this.sortByLevel(column);
  }

  private addUp(column: Column): void {
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

  /** Level l holds curvatures up to the largest / RATIO^l, the last one all the rest. */
  private sortByLevel(column: Column): void {
    const curvature = column.curvature;
    const curvatures = this.levelCurvatures;
    const starts = this.levelStarts;
    curvatures[0] = column.maxCurvature;
    for (let level: Int = 1; level < LEVELS; level++) curvatures[level] = curvatures[level - 1] / RATIO;
    let slot: Int = 0;
    let least = column.maxCurvature;
    for (let side: Int = 0; side < column.sides; side++) {
      const end = column.starts[side + 1];
      for (let level: Int = 0; level < LEVELS; level++) {
        starts[side * LEVELS + level] = slot;
        const high = curvatures[level];
        const low: Real = level + 1 < LEVELS ? curvatures[level + 1] : 0;
        for (let row = column.starts[side]; row < end; row++) {
          const weight = curvature[row];
          if (weight > high || weight <= low) continue;
          if (weight < least) least = weight;
          this.leveled[slot++] = row;
        }
      }
      starts[(side + 1) * LEVELS] = slot;
    }
    this.leastCurvature = least;
  }

  /** Evaluates g at `multipliers`; leaves what the minimum uses. */
  relax(column: Column, multipliers: Reals): Real {
    return this.evaluate(column, multipliers, false);
  }

  /** `relax`, and fills in every row's code and cost and every code's penalty. */
  settle(column: Column, multipliers: Reals): Real {
    for (let side: Int = 0; side < column.sides; side++) this.fillPenalty(column.planes, multipliers, side);
    return this.evaluate(column, multipliers, true);
  }

  private evaluate(column: Column, multipliers: Reals, keep: boolean): Real {
    const planes = column.planes;
    this.usage.fill(0);
    this.nonzeros = 0;
    let value: Real = 0;
    for (let side: Int = 0; side < column.sides; side++) {
      const base = side * planes;
      value += column.uniform
        ? this.relaxSegments(column, multipliers, side, keep)
        : this.relaxLevels(column, multipliers, side, keep);
      for (let plane: Int = 0; plane < planes; plane++)
        value -= multipliers[base + plane] * (column.bits[plane] as Real);
    }
    if (column.values < UNLIMITED) value -= multipliers[2 * planes] * (column.values as Real);
    return value;
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

  /** With one curvature d: rows between two borders of the hull take one code, so sums over them tell their cost. */
  private relaxSegments(column: Column, multipliers: Reals, side: Int, keep: boolean): Real {
    const magnitude = column.magnitude;
    const sums = this.sums;
    const squares = this.squares;
    const weight = column.maxCurvature;
    const end = column.starts[side + 1];
    const hull = this.hull;
    hull.build(column.planes, multipliers, side, weight);
    let row = column.starts[side];
    let value: Real = 0;
    for (let at = hull.count - 1; at >= 0; at--) {
      const first = row;
      const border = hull.borders[at];
      while (row < end && magnitude[row] >= border) row++;
      if (row === first) continue;
      const code = hull.codes[at];
      const price = hull.prices[at];
      const place = code as Real;
      const rows = (row - first) as Real;
      const spread = squares[row] - squares[first] + place * (place * rows - 2 * (sums[row] - sums[first]));
      value += weight * spread + rows * price;
      this.count(column.planes, side, code, row - first);
      if (!keep) continue;
      for (let kept = first; kept < row; kept++) {
        this.codes[kept] = code;
        this.costs[kept] = column.rowCost(kept, code) + price;
      }
    }
    return value;
  }

  /**
   * As d falls, the minimum of d (m - c)^2 + L(c) moves to codes with more error and less L. So a row's minimum lies
   * between those for its level's largest and for the next level's largest d, which their hulls tell: where both are one
   * code it is that, else the codes around are tried, as far as the next level's minimum lets any of them be better.
   */
  private relaxLevels(column: Column, multipliers: Reals, side: Int, keep: boolean): Real {
    const planes = column.planes;
    const magnitude = column.magnitude;
    const curvature = column.curvature;
    const starts = this.levelStarts;
    const hits = this.hits;
    const first = side * LEVELS;
    let hull = this.hull;
    let next = this.nextHull;
    let value: Real = 0;
    let built = false;
    for (let level: Int = 0; level < LEVELS; level++) {
      const end = starts[first + level + 1];
      if (starts[first + level] === end) {
        built = false;
        continue;
      }
      if (!built) hull.build(planes, multipliers, side, this.levelCurvatures[level]);
      const nextCurvature = level + 1 < LEVELS ? this.levelCurvatures[level + 1] : this.leastCurvature;
      next.build(planes, multipliers, side, nextCurvature);
      built = true;
      const codes = hull.codes;
      const prices = hull.prices;
      const borders = hull.borders;
      const count = hull.count;
      let place = count - 1;
      let nextPlace = next.count - 1;
      for (let slot = starts[first + level]; slot < end; slot++) {
        const row = this.leveled[slot];
        const size = magnitude[row];
        const weight = curvature[row];
        // Magnitudes fall from row to row, so the places on the hulls only move down.
        while (place > 0 && size < borders[place]) place--;
        while (nextPlace > 0 && size < next.borders[nextPlace]) nextPlace--;
        let code = codes[place];
        const last = next.codes[nextPlace];
        let error = size - (code as Real);
        let best = weight * error * error + prices[place];
        if (last !== code) {
          error = size - (last as Real);
          const square = error * error;
          const price = next.prices[nextPlace];
          const cost = weight * square + price;
          // Every L is at least what the next level's minimum leaves: L + e^2 * its curvature.
          const ground = nextCurvature * square + price;
          const slack = weight - nextCurvature;
          if (cost < best) {
            best = cost;
            code = last;
          }
          for (let other = place - 1; other >= 0; other--) {
            error = size - (codes[other] as Real);
            if (error > 0 && slack * error * error + ground >= best) break;
            const cost = weight * error * error + prices[other];
            if (cost < best) {
              best = cost;
              code = codes[other];
            }
          }
          for (let other = place + 1; other < count; other++) {
            error = size - (codes[other] as Real);
            if (error < 0 && slack * error * error + ground >= best) break;
            const cost = weight * error * error + prices[other];
            if (cost < best) {
              best = cost;
              code = codes[other];
            }
          }
        }
        hits[code] = hits[code] + 1;
        value += best;
        if (!keep) continue;
        this.codes[row] = code;
        this.costs[row] = best;
      }
      const swap = hull;
      hull = next;
      next = swap;
    }
    for (let code: Int = 0; code <= column.maxMagnitude; code++) {
      if (hits[code] === 0) continue;
      this.count(planes, side, code, hits[code]);
      hits[code] = 0;
    }
    return value;
  }

  /** Adds what `rows` rows with a code use. */
  private count(planes: Int, side: Int, code: Int, rows: Int): void {
    const usage = this.usage;
    const base = side * planes;
    if (code !== 0) this.nonzeros += rows;
    for (let rest = code; rest !== 0; rest &= rest - 1) {
      const resource = base + lowestBit(rest);
      usage[resource] = usage[resource] + rows;
    }
  }
}
