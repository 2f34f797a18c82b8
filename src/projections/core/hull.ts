import { type Int, type Ints, ints, type Real, type Reals, reals } from './portable';

/**
 * d (m - c)^2 + L(c) is smallest, over c, on the lower hull of the points (c, c^2 + L(c)/d): one hull serves every m.
 * As 1/d grows hull points only vanish.
 */
export class Hull {
  count: Int = 0;
  /** Codes on the hull, ascending. */
  readonly codes: Ints;
  /** Their L. */
  readonly prices: Reals;
  /** The magnitudes where each takes over from the one below. */
  readonly borders: Reals;

  constructor() {
    this.codes = ints(128);
    this.prices = reals(128);
    this.borders = reals(128);
  }

  /**
   * The hull for the multipliers of a side and the curvature d. The upper half of the codes is the lower half moved by a
   * plane's bit 2^p, which adds 2^(2p) + 2^(p+1) c + l_p/d to the heights: a linear term, so its hull is a copy. The hull
   * of both is what lies left and right of their common tangent.
   */
  build(planes: Int, multipliers: Reals, side: Int, curvature: Real): void {
    const codes = this.codes;
    const prices = this.prices;
    const borders = this.borders;
    const inverse = 1 / curvature;
    let count: Int = 1;
    codes[0] = 0;
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
        const low = codes[left] as Real;
        const high = (codes[right] as Real) + step;
        rise = high * high - low * low + (prices[right] + price - prices[left]) * inverse;
        run = 2 * (high - low);
        if (left > 0 && rise <= run * borders[left]) left--;
        else if (right + 1 < count && rise >= run * (borders[right + 1] + step)) right++;
        else break;
      }
      const shift = left + 1 - right;
      // In the order in which no code is overwritten before it is copied.
      if (shift >= 0) for (let from = count - 1; from >= right; from--) this.copy(from, shift, bit, price);
      else for (let from = right; from < count; from++) this.copy(from, shift, bit, price);
      borders[left + 1] = rise / run;
      count += shift;
    }
    this.count = count;
    const nonzero = multipliers[2 * planes];
    if (nonzero > 0 && count > 1) this.raiseNonzeros(nonzero, inverse);
  }

  private copy(from: Int, shift: Int, bit: Int, price: Real): void {
    this.codes[from + shift] = this.codes[from] + bit;
    this.prices[from + shift] = this.prices[from] + price;
    this.borders[from + shift] = this.borders[from] + (bit as Real);
  }

  /** Adds the value limit's multiplier to all codes but 0, which may hide the smallest of them. */
  private raiseNonzeros(nonzero: Real, inverse: Real): void {
    const prices = this.prices;
    const count = this.count;
    for (let at: Int = 1; at < count; at++) prices[at] = prices[at] + nonzero;
    let first: Int = 1;
    let border: Real = 0;
    for (; ; first++) {
      const code = this.codes[first] as Real;
      border = (code * code + prices[first] * inverse) / (2 * code);
      if (first + 1 === count || border < this.borders[first + 1]) break;
    }
    const shift = 1 - first;
    for (let from = first; from < count; from++) this.copy(from, shift, 0, 0);
    this.borders[1] = border;
    this.count = count + shift;
  }
}
