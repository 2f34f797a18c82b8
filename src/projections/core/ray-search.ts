import type { Int, Real } from './portable';

const FARTHEST: Real = 1e12;
const HALVINGS: Int = 3;

/**
 * Moves along a ray to about where a concave function is highest. The caller evaluates: it calls `start`, then tells the slope
 * at `t` until there is nothing more to try; the last t tried is close to the top.
 */
export class RaySearch {
  t: Real = 1;
  private low: Real = 0;
  private high: Real = 1;
  private rising: boolean = true;
  private halvings: Int = 0;

  start(): void {
    this.t = 1;
    this.low = 0;
    this.high = 1;
    this.rising = true;
    this.halvings = 0;
  }

  /** Takes the slope at t and moves on; false where the search ends there. */
  tell(slope: Real): boolean {
    if (slope > 0) this.low = this.t;
    else this.high = this.t;
    if (this.rising && slope > 0) {
      this.high = 4 * this.t;
      this.rising = this.high < FARTHEST;
      if (this.rising) {
        this.t = this.high;
        return true;
      }
    }
    this.rising = false;
    if (this.halvings === HALVINGS) return false;
    this.halvings++;
    this.t = (this.low + this.high) / 2;
    return true;
  }
}
