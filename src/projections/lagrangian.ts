import { type Choice, type Column, copyChoice } from './column';
import { type Dual, relax } from './dual';
import { polish } from './polish';
import { repair } from './repair';
import { ascend } from './space-dilation';

export interface LagrangianEffort {
  /** Evaluations of the relaxation. */
  readonly evaluations: number;
  /** Of them, the last few are repaired to feasible codes. */
  readonly repairs: number;
}

/** Enough for gaps of hundredths of a percent; the r-algorithm needs evaluations in proportion to the multipliers. */
function usualEffort(multipliers: number, warm: boolean): LagrangianEffort {
  return warm
    ? { evaluations: 10 + 3 * multipliers, repairs: 2 }
    : { evaluations: 20 + 8 * multipliers, repairs: 3 };
}

/** Stop when (best - bound) / best is at most this. */
const TOLERANCE = 1e-9;

/**
 * Raises the Lagrangian bound, from `multipliers` on if `warm`, and repairs relaxed codes near the end. `best`
 * (feasible, measured) is replaced by anything better; `multipliers` end as the best found. Returns the bound on the
 * cost of the column's rows.
 */
export function solveLagrangian(
  column: Column,
  dual: Dual,
  best: Choice,
  scratch: Choice,
  multipliers: Float64Array,
  warm: boolean,
  given?: LagrangianEffort,
): number {
  const { planes, bits, values } = column.limits;
  const used = column.sides * planes;
  const coupled = values < Infinity;
  const count = used + (coupled ? 1 : 0);
  const effort = given ?? usualEffort(count, warm);
  const trial = new Float64Array(multipliers.length);
  let bound = -Infinity;
  let evaluations = 0;
  const repairEvery = Math.max(1, Math.floor(effort.evaluations / (2 * effort.repairs)));

  const excess = (at: number) => (at < used ? dual.usage[at] - bits[at % planes] : dual.nonzeros - values);
  const multiplierAt = (at: number) => (at < used ? at : 2 * planes);
  const tryRepair = () => {
    repair(column, dual, scratch);
    polish(column, scratch);
    if (scratch.cost < best.cost) copyChoice(column, scratch, best);
  };
  const evaluate = (x: Float64Array) => {
    for (let at = 0; at < count; at++) trial[multiplierAt(at)] = Math.max(0, x[at]);
    const value = relax(dual, trial);
    if (value > bound) {
      bound = value;
      multipliers.set(trial);
    }
    return value;
  };

  const x = new Float64Array(count);
  if (warm) for (let at = 0; at < count; at++) x[at] = multipliers[multiplierAt(at)];
  else findStart(x, planes, used, evaluate, excess);
  const spread = x.map((value, at) => 0.1 * ((at < used ? 2 ** (at % planes) : 1) + value));
  ascend(
    (point, slope) => {
      const value = evaluate(point);
      evaluations++;
      if (evaluations > effort.evaluations / 2 && evaluations % repairEvery === 0) tryRepair();
      for (let at = 0; at < count; at++) {
        const rise = excess(at);
        // Below 0 the multiplier counts as 0; the slope leads back.
        slope[at] = point[at] < 0 ? Math.max(1, rise) : rise;
      }
      return { value, stop: best.cost - bound <= TOLERANCE * best.cost };
    },
    x,
    spread,
    effort.evaluations,
  );
  relax(dual, multipliers);
  tryRepair();
  return bound;
}

/**
 * A start for the multipliers: with every plane short of room the marginal worth of a bit is about in proportion to it,
 * so l_p = t 2^p, and t where the bound is highest on that ray; then the value limit's multiplier alone.
 */
function findStart(
  x: Float64Array,
  planes: number,
  used: number,
  evaluate: (x: Float64Array) => number,
  excess: (at: number) => number,
): void {
  highest((t) => {
    for (let at = 0; at < used; at++) x[at] = t * 2 ** (at % planes);
    evaluate(x);
    let slope = 0;
    for (let at = 0; at < used; at++) slope += excess(at) * 2 ** (at % planes);
    return slope;
  });
  if (x.length === used) return;
  highest((price) => {
    x[used] = price;
    evaluate(x);
    return excess(used);
  });
}

/** Brackets the zero of a falling slope on t >= 0; the last t tried is close to it. */
function highest(slopeAt: (t: number) => number): void {
  let low = 0;
  let high = 1;
  while (high < 2 ** 40 && slopeAt(high) > 0) {
    low = high;
    high *= 4;
  }
  for (let i = 0; i < 3; i++) {
    const middle = (low + high) / 2;
    if (slopeAt(middle) > 0) low = middle;
    else high = middle;
  }
}
