import { type Choice, type Column, copyChoice } from './column';
import { ascendCoordinates, type Dual, relax } from './dual';
import { polish } from './polish';
import { repair } from './repair';

export interface LagrangianEffort {
  /** Rounds of coordinate ascent before the subgradient steps. */
  readonly sweeps: number;
  readonly steps: number;
  /** Stop when (best - bound) / best is at most this. */
  readonly tolerance: number;
}

export const coldEffort: LagrangianEffort = { sweeps: 3, steps: 80, tolerance: 1e-9 };
export const warmEffort: LagrangianEffort = { sweeps: 1, steps: 40, tolerance: 1e-9 };

/**
 * Raises the Lagrangian bound from `multipliers` on (coordinate ascent, then Polyak's subgradient steps) and repairs
 * relaxed codes along the way. `best` (feasible, measured) is replaced by anything better; `multipliers` end as the best
 * found. Returns the bound on the cost of the column's rows.
 */
export function solveLagrangian(
  column: Column,
  dual: Dual,
  best: Choice,
  scratch: Choice,
  multipliers: Float64Array,
  effort: LagrangianEffort,
): number {
  const { planes, bits, values } = column.limits;
  const current = Float64Array.from(multipliers);
  let bound = relax(dual, current);
  const keep = (value: number) => {
    if (value <= bound) return false;
    bound = value;
    multipliers.set(current);
    return true;
  };
  const tryRepair = () => {
    repair(column, dual, scratch);
    polish(column, scratch);
    if (scratch.cost < best.cost) copyChoice(column, scratch, best);
  };
  for (let sweep = 0; sweep < effort.sweeps; sweep++) {
    ascendCoordinates(dual, current);
    const value = relax(dual, current);
    tryRepair();
    if (!keep(value)) break;
  }
  current.set(multipliers);

  const used = column.sides * planes;
  const direction = new Float64Array(multipliers.length);
  let pace = 1;
  let stale = 0;
  for (let step = 0; step < effort.steps; step++) {
    const value = relax(dual, current);
    const better = keep(value);
    if (better) stale = 0;
    else stale++;
    if (step % 8 === 7) tryRepair();
    if (best.cost - bound <= effort.tolerance * best.cost) break;
    if (stale >= 6) {
      pace /= 2;
      stale = 0;
      current.set(multipliers);
      relax(dual, current);
    }
    let norm = 0;
    const account = (at: number, excess: number) => {
      direction[at] = current[at] === 0 && excess < 0 ? 0 : excess;
      norm += direction[at] * direction[at];
    };
    for (let at = 0; at < used; at++) account(at, dual.usage[at] - bits[at % planes]);
    if (values < Infinity) account(2 * planes, dual.nonzeros - values);
    if (norm === 0) break;
    const length = (pace * (best.cost - value)) / norm;
    for (let at = 0; at < current.length; at++)
      current[at] = Math.max(0, current[at] + length * direction[at]);
  }
  return bound;
}
