import type { Codebook } from './codebook';
import type { CodebookColumn } from './codebook-column';

/**
 * Lagrangian relaxation of one column over any codebook. With multipliers l >= 0 for every resource, rows part company:
 * g(l) = sum_i min_c [ d_i (a_i - c)^2 + L(c) ] - sum l * budget, where L(c) is the sum of l * use of c.
 * g(l) bounds every feasible cost from below.
 */
export interface CodebookDual {
  readonly column: CodebookColumn;
  /** Filled by `relaxCodebook`: the minimising option of every row, what it costs with L, and what all of them use. */
  readonly options: Int16Array;
  readonly costs: Float64Array;
  readonly usage: Int32Array;
  /** L of every option. */
  readonly penalty: Float64Array;
  readonly hull: Hull;
}

/** Options that can be a row's minimum, ascending, and the targets (less minCode) where one hands over to the next. */
interface Hull {
  count: number;
  readonly options: Int16Array;
  readonly heights: Float64Array;
  readonly borders: Float64Array;
}

export function createCodebookDual(column: CodebookColumn): CodebookDual {
  const { count, resources } = column.book;
  const capacity = column.targets.length;
  return {
    column,
    options: new Int16Array(capacity),
    costs: new Float64Array(capacity),
    usage: new Int32Array(resources),
    penalty: new Float64Array(count),
    hull: {
      count: 0,
      options: new Int16Array(count),
      heights: new Float64Array(count),
      borders: new Float64Array(count),
    },
  };
}

/** Evaluates g at `multipliers`; leaves options, costs, usage and penalties of the minimum in `dual`. */
export function relaxCodebook(dual: CodebookDual, multipliers: Float64Array): number {
  const { column, options, usage } = dual;
  const { resources, uses, budgets } = column.book;
  fillPenalty(dual, multipliers);
  buildHull(dual);
  let value = minimiseRows(dual);
  usage.fill(0);
  for (let row = 0; row < column.rows; row++) {
    const from = options[row] * resources;
    for (let at = 0; at < resources; at++) usage[at] += uses[from + at];
  }
  for (let at = 0; at < resources; at++) if (multipliers[at] > 0) value -= multipliers[at] * budgets[at];
  return value;
}

function fillPenalty({ column, penalty }: CodebookDual, multipliers: Float64Array): void {
  const { count, resources, uses } = column.book;
  penalty.fill(0);
  for (let at = 0; at < resources; at++) {
    const price = multipliers[at];
    if (price === 0) continue;
    for (let option = 0; option < count; option++) penalty[option] += price * uses[option * resources + at];
  }
}

/**
 * d (a - c)^2 + L(c) is smallest, over c, on the lower hull of the points (c, c^2 + L(c)/d): one hull serves every a.
 * As 1/d grows hull points only vanish, so the hull of the largest d holds every row's minimum.
 */
function buildHull({ column, penalty, hull }: CodebookDual): void {
  const { options, heights, borders } = hull;
  const { count: all } = column.book;
  const inverse = 1 / column.maxCurvature;
  let count = 0;
  for (let option = 0; option < all; option++) {
    const height = option * option + penalty[option] * inverse;
    let border = -Infinity;
    while (count > 0) {
      border = (height - heights[count - 1]) / (2 * (option - options[count - 1]));
      if (border > borders[count - 1]) break;
      count--;
      border = -Infinity;
    }
    options[count] = option;
    heights[count] = height;
    borders[count] = border;
    count++;
  }
  hull.count = count;
}

/** Each row's minimum of d (a - c)^2 + L(c) over the hull; returns their sum. */
function minimiseRows(dual: CodebookDual): number {
  const { column, penalty, costs, hull } = dual;
  const { targets, curvature, book, uniform, maxCurvature } = column;
  const { options, borders, count } = hull;
  let at = 0;
  let sum = 0;
  for (let row = 0; row < column.rows; row++) {
    const target = targets[row] - book.minCode;
    const weight = curvature[row];
    // Targets rise from row to row, so the place on the hull only moves up.
    while (at + 1 < count && target >= borders[at + 1]) at++;
    let option = options[at];
    let error = target - option;
    let best = weight * error * error + penalty[option];
    if (!uniform && weight !== maxCurvature) {
      // A smaller d weighs L more: cheaper codes on either side may win, until distance alone costs more.
      for (const step of [-1, 1]) {
        for (let other = at + step; other >= 0 && other < count; other += step) {
          error = target - options[other];
          const distance = weight * error * error;
          if (error * step < 0 && distance >= best) break;
          const cost = distance + penalty[options[other]];
          if (cost < best) {
            best = cost;
            option = options[other];
          }
        }
      }
    }
    costs[row] = best;
    dual.options[row] = option;
    sum += best;
  }
  return sum;
}

/** Resources that can run short with so many rows; the others need no multiplier. */
export function scarce(book: Codebook, rows: number): number[] {
  const list: number[] = [];
  for (let at = 0; at < book.resources; at++) if (rows * book.most[at] > book.budgets[at]) list.push(at);
  return list;
}
