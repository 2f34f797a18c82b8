import { type Int, type Real, type Reals, reals } from './portable';

/** Shor's r-algorithm in the form of Stetsyuk's ralgb5: step factors, steps before lengthening, dilation. */
const SHORTEN: Real = 0.95;
const LENGTHEN: Real = 1.3;
const PATIENCE: Int = 2;
const DILATION: Real = 3;

/**
 * Maximises a concave, piecewise linear function of few variables by subgradient steps in a space that is dilated along
 * the difference of successive subgradients (Shor 1985). Converges at a geometric pace where plain subgradient steps
 * crawl. The caller evaluates: it fills `slope` with a subgradient at `x`, calls `start` once, then after each further
 * evaluation `advance`, and each time moves on to the new `x`.
 */
export class DilatedSpace {
  readonly x: Reals;
  /** The first guess of each variable's distance to go. */
  readonly spread: Reals;
  /** A subgradient at x. */
  readonly slope: Reals;
  private n: Int = 0;
  private readonly before: Reals;
  private readonly basis: Reals;
  private readonly inner: Reals;
  private readonly move: Reals;
  private length: Real = 1;
  private steps: Int = 0;

  constructor(capacity: Int) {
    this.x = reals(capacity);
    this.spread = reals(capacity);
    this.slope = reals(capacity);
    this.before = reals(capacity);
    this.basis = reals(capacity * capacity);
    this.inner = reals(capacity);
    this.move = reals(capacity);
  }

  /** Takes the first step from x, in the first `n` variables; false where the slope is 0, so x is best. */
  start(n: Int): boolean {
    this.n = n;
    this.length = 1;
    this.basis.fill(0);
    for (let i: Int = 0; i < n; i++) this.basis[i * n + i] = this.spread[i];
    return this.turn();
  }

  /** Takes the next step; false where the slope is 0. */
  advance(): boolean {
    const n = this.n;
    const slope = this.slope;
    const move = this.move;
    let along: Real = 0;
    for (let i: Int = 0; i < n; i++) along += move[i] * slope[i];
    if (along > 0) {
      if (this.steps % PATIENCE === 0) this.length *= LENGTHEN;
      this.step();
      return true;
    }
    if (this.steps === 1) this.length *= SHORTEN;
    const before = this.before;
    for (let i: Int = 0; i < n; i++) before[i] = slope[i] - before[i];
    if (this.transposed(before) > 0) this.dilate();
    return this.turn();
  }

  /** Steps in the direction of the slope in the dilated space. */
  private turn(): boolean {
    const n = this.n;
    const basis = this.basis;
    const inner = this.inner;
    const slope = this.slope;
    const before = this.before;
    if (!(this.transposed(slope) > 0)) return false;
    for (let i: Int = 0; i < n; i++) {
      let sum: Real = 0;
      for (let j: Int = 0; j < n; j++) sum += basis[i * n + j] * inner[j];
      this.move[i] = sum;
      before[i] = slope[i];
    }
    this.steps = 0;
    this.step();
    return true;
  }

  private step(): void {
    const n = this.n;
    const x = this.x;
    const move = this.move;
    const length = this.length;
    for (let i: Int = 0; i < n; i++) x[i] = x[i] + length * move[i];
    this.steps++;
  }

  /** inner = basis' * vector, scaled to length 1; returns the length before. */
  private transposed(vector: Reals): Real {
    const n = this.n;
    const basis = this.basis;
    const inner = this.inner;
    let norm: Real = 0;
    for (let j: Int = 0; j < n; j++) {
      let sum: Real = 0;
      for (let i: Int = 0; i < n; i++) sum += basis[i * n + j] * vector[i];
      inner[j] = sum;
      norm += sum * sum;
    }
    norm = Math.sqrt(norm);
    if (norm > 0) for (let j: Int = 0; j < n; j++) inner[j] = inner[j] / norm;
    return norm;
  }

  /** basis *= I + (1/DILATION - 1) direction direction' */
  private dilate(): void {
    const n = this.n;
    const basis = this.basis;
    const direction = this.inner;
    for (let i: Int = 0; i < n; i++) {
      let sum: Real = 0;
      for (let j: Int = 0; j < n; j++) sum += basis[i * n + j] * direction[j];
      sum *= 1 / DILATION - 1;
      for (let j: Int = 0; j < n; j++) basis[i * n + j] = basis[i * n + j] + sum * direction[j];
    }
  }
}
