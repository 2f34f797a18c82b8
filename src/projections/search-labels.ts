import { type Choice, type Column, measureChoice } from './column';
import { type Dual, relax } from './dual';
import { type OpenRow, searchStates } from './search-states';

/**
 * Exact search over sign-split codes (see `searchStates`), at most `width` states at once. Improves `best` in place;
 * returns a lower bound on the rows' cost, equal to best.cost if nothing had to be dropped.
 */
export function searchLabels(
  column: Column,
  dual: Dual,
  best: Choice,
  multipliers: Float64Array,
  width: number,
): number {
  const { planes, bits, values } = column.limits;
  const slots = column.sides * planes;
  const prices = [...multipliers.subarray(0, slots), values < Infinity ? multipliers[2 * planes] : 0];
  const budgets = [...Array.from({ length: slots }, (_, at) => bits[at % planes]), values];
  const sideOf = (row: number) => (column.sides > 1 && row >= column.starts[1] ? 1 : 0);
  const before = best.cost;
  const { bound, options } = searchStates({
    ground: relax(dual, multipliers),
    incumbent: before,
    budgets,
    prices,
    uses: usesOf(planes, column.sides),
    rows: column.rows,
    open: (row, allowance) => openRow(column, dual, row, sideOf(row), allowance),
    relaxed: (row) => sideOf(row) * 128 + dual.codes[row],
    width,
  });
  if (!options) return bound;
  const incumbent = best.codes.slice(0, column.rows);
  for (let row = 0; row < column.rows; row++) best.codes[row] = options[row] % 128;
  measureChoice(column, best);
  // Rounding may promise what is not there.
  if (best.cost >= before) {
    best.codes.set(incumbent);
    measureChoice(column, best);
  }
  return Math.min(best.cost, bound);
}

/** Ones of every bit column, then 1 unless the code is 0; option side * 128 + code. */
function usesOf(planes: number, sides: number): Uint8Array {
  const resources = sides * planes + 1;
  const uses = new Uint8Array(sides * 128 * resources);
  for (let option = 0; option < sides * 128; option++) {
    const code = option % 128;
    if (code === 0) continue;
    uses[(option + 1) * resources - 1] = 1;
    const first = option * resources + (option - code === 0 ? 0 : planes);
    for (let plane = 0; plane < planes; plane++) uses[first + plane] = (code >> plane) & 1;
  }
  return uses;
}

/** The row's codes of reduced cost below `allowance`. */
function openRow(column: Column, dual: Dual, row: number, side: number, allowance: number): OpenRow {
  const options: number[] = [];
  const reduced: number[] = [];
  const size = column.magnitude[row];
  const weight = column.curvature[row];
  const ceiling = dual.costs[row] + allowance;
  const reach = Math.sqrt(ceiling / weight);
  const low = Math.max(0, Math.ceil(size - reach));
  const high = Math.min(column.limits.maxMagnitude, Math.floor(size + reach));
  for (let code = low; code <= high; code++) {
    const error = size - code;
    const cost = weight * error * error + dual.penalty[side * 128 + code];
    if (cost >= ceiling) continue;
    options.push(side * 128 + code);
    reduced.push(cost - dual.costs[row]);
  }
  return { row, options, reduced };
}
