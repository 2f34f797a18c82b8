import type { Column } from './core/column';
import type { Dual } from './core/dual';

/**
 * Several multiplier vectors and what the relaxation says of each. Every one bounds every partial solution: with f spent
 * on some rows, the others cost at least sum_rest min_c [cost + L_j(c)] - l_j * (budget left). The first is the best for
 * the whole column; the others are the best, along one multiplier, for a budget that is a little more or less, which is
 * what a partial solution leaves to the rest.
 */
export interface DualCuts {
  readonly count: number;
  /** g(l_j). */
  readonly values: Float64Array;
  /** l_j by resource: [count][2 * planes + 1] */
  readonly multipliers: Float64Array;
  /** L_j of every code: [count][256], by side. */
  readonly penalties: Float64Array;
  /** min_c [cost + L_j(c)] of every row: [count][rows]. */
  readonly minima: Float64Array;
}

/** First step of the line search, in proportion to the multiplier, its growth, and meetings of tangents tried. */
const FIRST_STEP = 0.05;
const STEP_GROWTH = 3;
const MEETINGS = 3;

/** `multipliers`, and a cut for each of the given changes of each budget. */
export function dualCuts(
  column: Column,
  dual: Dual,
  multipliers: Float64Array,
  deviations: readonly number[],
): DualCuts {
  const { planes, bits, values } = column;
  const vectors = [multipliers];
  for (let at = 0; at < column.sides * planes; at++) {
    const side = at < planes ? 0 : 1;
    if (bits[at % planes] >= column.starts[side + 1] - column.starts[side]) continue;
    for (const extra of deviations) {
      const vector = bestAlong(multipliers, at, (trial) => {
        const value = dual.relax(column, trial) - extra * trial[at];
        return { value, slope: dual.usage[at] - bits[at % planes] - extra };
      });
      if (vector) vectors.push(vector);
    }
  }
  if (values < column.rows) {
    for (const extra of deviations) {
      const vector = bestAlong(multipliers, 2 * planes, (trial) => {
        const value = dual.relax(column, trial) - extra * trial[2 * planes];
        return { value, slope: dual.nonzeros - values - extra };
      });
      if (vector) vectors.push(vector);
    }
  }
  return evaluateCuts(column, dual, vectors);
}

function evaluateCuts(column: Column, dual: Dual, vectors: readonly Float64Array[]): DualCuts {
  const stride = multiplierStride(column);
  const cuts: DualCuts = {
    count: vectors.length,
    values: new Float64Array(vectors.length),
    multipliers: new Float64Array(vectors.length * stride),
    penalties: new Float64Array(vectors.length * 256),
    minima: new Float64Array(vectors.length * column.rows),
  };
  vectors.forEach((vector, j) => {
    cuts.values[j] = dual.settle(column, vector);
    cuts.multipliers.set(vector.subarray(0, stride), j * stride);
    cuts.penalties.set(dual.penalty, j * 256);
    cuts.minima.set(dual.costs.subarray(0, column.rows), j * column.rows);
  });
  return cuts;
}

function multiplierStride({ planes }: Column): number {
  return 2 * planes + 1;
}

/** A multiplier with the function's value and slope there. */
interface Point {
  readonly at: number;
  readonly value: number;
  readonly slope: number;
}

/**
 * Maximises a concave, piecewise linear function along multiplier `at`: steps until the slope turns, then where the
 * tangents meet. Undefined where it does not pay to move.
 */
function bestAlong(
  start: Float64Array,
  at: number,
  evaluate: (trial: Float64Array) => { value: number; slope: number },
): Float64Array | undefined {
  const trial = Float64Array.from(start);
  const look = (multiplier: number): Point => {
    trial[at] = multiplier;
    return { at: multiplier, ...evaluate(trial) };
  };
  const first = look(start[at]);
  if (first.slope === 0 || (first.slope < 0 && start[at] === 0)) return undefined;
  const direction = Math.sign(first.slope);
  let inner = first;
  let outer = first;
  for (let step = FIRST_STEP * (start[at] || 1); outer.slope * direction > 0; step *= STEP_GROWTH) {
    if (step > 2 ** 40 || (outer.at === 0 && direction < 0)) break;
    inner = outer;
    outer = look(Math.max(0, inner.at + direction * step));
  }
  let best = outer.value > inner.value ? outer : inner;
  for (let i = 0; i < MEETINGS && inner.slope !== outer.slope; i++) {
    const meet =
      (outer.value - outer.slope * outer.at - inner.value + inner.slope * inner.at) /
      (inner.slope - outer.slope);
    const point = look(meet);
    if (!(point.value > best.value)) break;
    best = point;
    if (point.slope * direction > 0) inner = point;
    else outer = point;
  }
  if (best === first) return undefined;
  trial[at] = best.at;
  return trial;
}
