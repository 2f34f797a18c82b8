import { addUses, type Codebook } from './codebook';
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
  /** Where on the hull, down and up from each place, the next option of a smaller penalty is; -1: nowhere. */
  readonly below: Int16Array;
  readonly above: Int16Array;
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
      below: new Int16Array(count),
      above: new Int16Array(count),
    },
  };
}

/** Evaluates g at `multipliers`; leaves options, costs, usage and penalties of the minimum in `dual`. */
export function relaxCodebook(dual: CodebookDual, multipliers: Float64Array): number {
  const { column, options, usage } = dual;
  const { resources, used, budgets } = column.book;
  fillPenalty(dual, multipliers);
  buildHull(dual);
  if (!column.uniform) linkCheaper(dual);
  let value = minimiseRows(dual);
  usage.fill(0);
  for (let row = 0; row < column.rows; row++) addUses(used, options[row], 1, usage);
  for (let at = 0; at < resources; at++) if (multipliers[at] > 0) value -= multipliers[at] * budgets[at];
  return value;
}

function fillPenalty({ column, penalty }: CodebookDual, multipliers: Float64Array): void {
  const { count, used } = column.book;
  const { starts, resources, amounts } = used;
  for (let option = 0, at = 0; option < count; option++) {
    let sum = 0;
    for (const end = starts[option + 1]; at < end; at++) sum += multipliers[resources[at]] * amounts[at];
    penalty[option] = sum;
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

/** Away from a target only options cheaper than all those nearer can be its minimum: links each place to the next such. */
function linkCheaper({ penalty, hull }: CodebookDual): void {
  const { options, count, below, above } = hull;
  for (let at = 0; at < count; at++) {
    let next = at - 1;
    while (next >= 0 && penalty[options[next]] >= penalty[options[at]]) next = below[next];
    below[at] = next;
  }
  for (let at = count - 1; at >= 0; at--) {
    let next = at + 1 < count ? at + 1 : -1;
    while (next >= 0 && penalty[options[next]] >= penalty[options[at]]) next = above[next];
    above[at] = next;
  }
}

/** Each row's minimum of d (a - c)^2 + L(c) over the hull; returns their sum. */
function minimiseRows(dual: CodebookDual): number {
  const { column, penalty, costs, hull } = dual;
  const { targets, curvature, book, uniform, maxCurvature } = column;
  const { options, borders, count, below, above } = hull;
  const directions = [below, above];
  let at = 0;
  let under = -1;
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
      while (under + 1 < count && options[under + 1] <= target) under++;
      const over = under + 1 < count ? under + 1 : -1;
      for (const links of directions) {
        for (let other = links === below ? under : over; other >= 0; other = links[other]) {
          error = target - options[other];
          const distance = weight * error * error;
          if (distance >= best) break;
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
