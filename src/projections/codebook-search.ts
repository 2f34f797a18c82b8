import type { CodebookSolver } from './core/codebook-solver';
import { type OpenRow, searchStates } from './search-states';

/**
 * Exact search over any codebook (see `searchStates`), at most `width` states at once, after the Lagrangian. Improves the
 * solver's `best` in place and raises its lower bound, to best.cost if nothing had to be dropped.
 */
export function codebookSearch(solver: CodebookSolver, width: number): void {
  const { column, best, lagrangian, multipliers } = solver;
  const { dual } = lagrangian;
  const { rows } = column;
  const before = best.cost;
  const { bound, options } = searchStates({
    ground: dual.relax(column, multipliers),
    incumbent: before,
    budgets: column.budgets,
    prices: multipliers,
    uses: column.book.uses,
    rows,
    open: (row, allowance) => openRow(solver, row, allowance),
    relaxed: (row) => dual.options[row],
    width,
  });
  solver.lowerBound = Math.max(solver.lowerBound, bound);
  if (!options) return;
  const incumbent = best.options.slice(0, rows);
  best.options.set(options);
  best.measure(column);
  // Rounding may promise what is not there.
  if (best.cost < before) return;
  best.options.set(incumbent);
  best.measure(column);
}

/** The row's options of reduced cost below `allowance`. */
function openRow({ column, lagrangian }: CodebookSolver, row: number, allowance: number): OpenRow {
  const { dual } = lagrangian;
  const options: number[] = [];
  const reduced: number[] = [];
  const { minCode, count } = column.book;
  const place = column.targets[row] - minCode;
  const weight = column.curvature[row];
  const ceiling = dual.costs[row] + allowance;
  const reach = Math.sqrt(ceiling / weight);
  const low = Math.max(0, Math.ceil(place - reach));
  const high = Math.min(count - 1, Math.floor(place + reach));
  for (let option = low; option <= high; option++) {
    const error = place - option;
    const cost = weight * error * error + dual.penalty[option];
    if (cost >= ceiling) continue;
    options.push(option);
    reduced.push(cost - dual.costs[row]);
  }
  return { row, options, reduced };
}
