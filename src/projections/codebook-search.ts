import { type CodebookChoice, type CodebookColumn, measureOptions } from './codebook-column';
import { type CodebookDual, relaxCodebook } from './relax-codebook';
import { type OpenRow, searchStates } from './search-states';

/**
 * Exact search over any codebook (see `searchStates`), at most `width` states at once. Improves `best` in place; returns
 * a lower bound on the cost, equal to best.cost if nothing had to be dropped.
 */
export function codebookSearch(
  column: CodebookColumn,
  dual: CodebookDual,
  best: CodebookChoice,
  multipliers: Float64Array,
  width: number,
): number {
  const { book, rows } = column;
  const before = best.cost;
  const { bound, options } = searchStates({
    ground: relaxCodebook(dual, multipliers),
    incumbent: before,
    budgets: book.budgets,
    prices: multipliers,
    uses: book.uses,
    rows,
    open: (row, allowance) => openRow(column, dual, row, allowance),
    relaxed: (row) => dual.options[row],
    width,
  });
  if (!options) return bound;
  const incumbent = best.options.slice(0, rows);
  best.options.set(options);
  measureOptions(column, best);
  // Rounding may promise what is not there.
  if (best.cost >= before) {
    best.options.set(incumbent);
    measureOptions(column, best);
  }
  return Math.min(best.cost, bound);
}

/** The row's options of reduced cost below `allowance`. */
function openRow(column: CodebookColumn, dual: CodebookDual, row: number, allowance: number): OpenRow {
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
