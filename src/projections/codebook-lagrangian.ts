import { type CodebookChoice, type CodebookColumn, copyOptions } from './codebook-column';
import { codebookPolish } from './codebook-polish';
import { codebookRepair } from './codebook-repair';
import { DilatedSpace } from './core/dilated-space';
import { highestOnRay } from './highest-on-ray';
import { type CodebookDual, relaxCodebook, scarce } from './relax-codebook';

/** Stop when (best - bound) / best is at most this. */
const TOLERANCE = 1e-9;

/**
 * Raises the Lagrangian bound, from `multipliers` on if `warm`, and repairs relaxed codes near the end. `best`
 * (feasible, measured) is replaced by anything better; `multipliers` end as the best found. Returns the bound.
 */
export function codebookLagrangian(
  column: CodebookColumn,
  dual: CodebookDual,
  best: CodebookChoice,
  scratch: CodebookChoice,
  multipliers: Float64Array,
  warm: boolean,
): number {
  const { budgets, worth, resources } = column.book;
  const short = scarce(column.book, column.rows);
  const count = short.length;
  const evaluations = warm ? 10 + 3 * count : 20 + 8 * count;
  const repairEvery = Math.max(1, Math.floor(evaluations / (warm ? 4 : 6)));
  const trial = new Float64Array(resources);
  let bound = -Infinity;
  let done = 0;
  const excess = (i: number) => dual.usage[short[i]] - budgets[short[i]];
  const tryRepair = () => {
    codebookRepair(column, dual, scratch);
    codebookPolish(column, scratch);
    if (scratch.cost < best.cost) copyOptions(column, scratch, best);
  };
  const evaluate = (x: Float64Array) => {
    for (let i = 0; i < count; i++) trial[short[i]] = Math.max(0, x[i]);
    const value = relaxCodebook(dual, trial);
    if (value > bound) {
      bound = value;
      multipliers.set(trial);
    }
    return value;
  };

  // The marginal worth of a one is about in proportion to what it counts for; the value limit comes after.
  const sizes = Float64Array.from(short, (at) => (at < resources - 1 ? worth[at] : 1));
  const x = new Float64Array(count);
  if (warm) for (let i = 0; i < count; i++) x[i] = multipliers[short[i]];
  else {
    const coupled = short[count - 1] === resources - 1;
    const slots = coupled ? count - 1 : count;
    highestOnRay((t) => {
      let slope = 0;
      for (let i = 0; i < slots; i++) x[i] = t * sizes[i];
      evaluate(x);
      for (let i = 0; i < slots; i++) slope += excess(i) * sizes[i];
      return slope;
    });
    if (coupled)
      highestOnRay((price) => {
        x[slots] = price;
        evaluate(x);
        return excess(slots);
      });
  }
  const space = new DilatedSpace(count);
  space.x.set(x);
  for (let i = 0; i < count; i++) space.spread[i] = 0.1 * (sizes[i] + x[i]);
  const closed = () => {
    evaluate(space.x);
    done++;
    if (done > evaluations / 2 && done % repairEvery === 0) tryRepair();
    for (let i = 0; i < count; i++) {
      const rise = excess(i);
      // Below 0 the multiplier counts as 0; the slope leads back.
      space.slope[i] = space.x[i] < 0 ? Math.max(1, rise) : rise;
    }
    return best.cost - bound <= TOLERANCE * best.cost;
  };
  let going = !closed() && space.start(count);
  while (going && done < evaluations) going = !closed() && space.advance();
  relaxCodebook(dual, multipliers);
  tryRepair();
  return bound;
}
