import type { Column } from './column';
import { type Dual, relax } from './dual';

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

/** `multipliers`, and a cut for each of the given changes of each budget. */
export function dualCuts(
  column: Column,
  dual: Dual,
  multipliers: Float64Array,
  deviations: readonly number[],
): DualCuts {
  const { planes, bits, values } = column.limits;
  const vectors = [multipliers];
  for (let at = 0; at < column.sides * planes; at++) {
    const side = at < planes ? 0 : 1;
    if (bits[at % planes] >= column.starts[side + 1] - column.starts[side]) continue;
    for (const extra of deviations) {
      const vector = bestAlong(multipliers, at, (trial) => {
        const value = relax(dual, trial) - extra * trial[at];
        return { value, slope: dual.usage[at] - bits[at % planes] - extra };
      });
      if (vector) vectors.push(vector);
    }
  }
  if (values < column.rows) {
    for (const extra of deviations) {
      const vector = bestAlong(multipliers, 2 * planes, (trial) => {
        const value = relax(dual, trial) - extra * trial[2 * planes];
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
    cuts.values[j] = relax(dual, vector);
    cuts.multipliers.set(vector, j * stride);
    cuts.penalties.set(dual.penalty, j * 256);
    cuts.minima.set(dual.costs.subarray(0, column.rows), j * column.rows);
  });
  return cuts;
}

function multiplierStride({ limits }: Column): number {
  return 2 * limits.planes + 1;
}

/** Maximises a concave function along multiplier `at`; undefined where it does not pay to move. */
function bestAlong(
  start: Float64Array,
  at: number,
  evaluate: (trial: Float64Array) => { value: number; slope: number },
): Float64Array | undefined {
  const trial = Float64Array.from(start);
  const first = evaluate(trial);
  if (first.slope === 0 || (first.slope < 0 && start[at] === 0)) return undefined;
  let best = first.value;
  let bestAt = start[at];
  const up = first.slope > 0;
  const look = (multiplier: number) => {
    trial[at] = multiplier;
    const { value, slope } = evaluate(trial);
    if (value > best) {
      best = value;
      bestAt = multiplier;
    }
    return up ? slope > 0 : slope < 0;
  };
  let inner = start[at];
  let outer = inner;
  let step = 0.02 * (start[at] || 1);
  do {
    inner = outer;
    outer = up ? inner + step : Math.max(0, inner - step);
    step *= 2;
  } while (look(outer) && outer > 0 && step < 2 ** 40);
  for (let i = 0; i < 3; i++) {
    const middle = (inner + outer) / 2;
    if (look(middle)) inner = middle;
    else outer = middle;
  }
  if (bestAt === start[at]) return undefined;
  trial[at] = bestAt;
  return trial;
}
