import { type Column, UNLIMITED } from './core/column';
import type { Dual } from './core/dual';
import type { Solver } from './core/solver';

/** A row that reduced costs leave open: the codes it may still take and their reduced costs. */
interface OpenRow {
  readonly row: number;
  readonly side: number;
  readonly codes: number[];
  readonly reduced: number[];
}

/** Partial solutions after some rows, at most one for each use of the resources. */
interface Labels {
  readonly parent: number[];
  readonly code: number[];
  /** Reduced cost so far. */
  readonly reduced: number[];
  /** `reduced` and what the unused budget must cost at least. */
  readonly total: number[];
  /** [label][resource] */
  readonly used: number[];
}

/**
 * Exact search by reduced costs. Any feasible cost is g(l) + the sum of its rows' reduced costs + sum l * unused
 * budget, so with an incumbent `best` only codes of reduced cost below best - g matter: rows with one such code are
 * fixed, the others go through dynamic programming over the resources used, pruned by the same inequality. With
 * g = 0 known and nothing pruned that is the plain dynamic program over prod(k_p + 1) states.
 *
 * At most `width` labels are kept after each row (the most promising); what is dropped limits the bound returned.
 * Starts where the solver's Lagrangian method ended and improves its `best` in place; returns a lower bound on the rows' cost, equal to best.cost if nothing had to be dropped.
 */
export function searchLabels(solver: Solver, width: number): number {
  const { column, best, own: multipliers } = solver;
  const { dual } = solver.lagrangian;
  const { planes, bits, values } = column;
  const ground = dual.settle(column, multipliers);
  const allowance = best.cost - ground;
  const slack = 1e-12 * best.cost;
  if (allowance <= slack) return best.cost;

  const resources = column.sides * planes + 1;
  const prices = new Float64Array(resources);
  const room = new Float64Array(resources);
  for (let at = 0; at < resources - 1; at++) {
    prices[at] = multipliers[at];
    room[at] = bits[at % planes];
  }
  prices[resources - 1] = values < UNLIMITED ? multipliers[2 * planes] : 0;
  room[resources - 1] = values;

  const fixed = new Uint8Array(column.rows);
  const open: OpenRow[] = [];
  for (let side = 0; side < column.sides; side++) {
    for (let row = column.starts[side]; row < column.starts[side + 1]; row++) {
      const candidate = openRow(column, dual, row, side, allowance - slack);
      if (candidate.codes.length > 1) {
        open.push(candidate);
        continue;
      }
      fixed[row] = candidate.codes.length === 1 ? candidate.codes[0] : dual.codes[row];
      use(fixed[row], side, planes, resources, (at) => room[at]--);
    }
  }
  for (let at = 0; at < resources; at++) if (room[at] < 0) return best.cost;
  open.sort((a, b) => a.codes.length - b.codes.length);

  // What the rows still to come can use at most: budget beyond that stays unused and costs its price.
  const reach = new Float64Array((open.length + 1) * resources);
  for (let i = open.length - 1; i >= 0; i--) {
    let any = 0;
    for (const code of open[i].codes) any |= code;
    for (let at = 0; at < resources; at++) reach[i * resources + at] = reach[(i + 1) * resources + at];
    use(any, open[i].side, planes, resources, (at) => reach[i * resources + at]++);
  }
  const unusedCost = (used: readonly number[], from: number, level: number) => {
    let cost = 0;
    for (let at = 0; at < resources; at++) {
      if (prices[at] === 0) continue;
      const unused = room[at] - used[from + at] - reach[level * resources + at];
      if (unused > 0) cost += prices[at] * unused;
    }
    return cost;
  };

  let dropped = Infinity;
  const nothing = new Array<number>(resources).fill(0);
  const idle = unusedCost(nothing, 0, 0);
  if (idle >= allowance - slack) return best.cost;
  const layers: Labels[] = [{ parent: [-1], code: [0], reduced: [0], total: [idle], used: nothing }];
  const trial = new Array<number>(resources);
  for (let level = 0; level < open.length; level++) {
    const { codes, reduced, side } = open[level];
    const from = layers[level];
    const next: Labels = { parent: [], code: [], reduced: [], total: [], used: [] };
    const found = new Map<string, number>();
    for (let label = 0; label < from.code.length; label++) {
      for (let option = 0; option < codes.length; option++) {
        const sum = from.reduced[label] + reduced[option];
        if (sum >= allowance - slack) continue;
        for (let at = 0; at < resources; at++) trial[at] = from.used[label * resources + at];
        use(codes[option], side, planes, resources, (at) => trial[at]++);
        if (trial.some((count, at) => count > room[at])) continue;
        const total = sum + unusedCost(trial, 0, level + 1);
        if (total >= allowance - slack) continue;
        const key = String.fromCharCode(...trial);
        const known = found.get(key);
        if (known === undefined) {
          found.set(key, next.code.length);
          next.parent.push(label);
          next.code.push(codes[option]);
          next.reduced.push(sum);
          next.total.push(total);
          next.used.push(...trial);
        } else if (sum < next.reduced[known]) {
          next.parent[known] = label;
          next.code[known] = codes[option];
          next.reduced[known] = sum;
          next.total[known] = total;
        }
      }
    }
    if (next.code.length === 0) return Math.min(best.cost, ground + dropped);
    if (next.code.length <= width) layers.push(next);
    else {
      const { kept, firstDropped } = narrow(next, width, resources);
      dropped = Math.min(dropped, firstDropped);
      layers.push(kept);
    }
  }

  const last = layers[open.length];
  let winner = 0;
  for (let label = 1; label < last.code.length; label++)
    if (last.total[label] < last.total[winner]) winner = label;
  const before = best.cost;
  const incumbent = best.codes.slice(0, column.rows);
  best.codes.set(fixed);
  for (let level = open.length; level > 0; level--) {
    best.codes[open[level - 1].row] = layers[level].code[winner];
    winner = layers[level].parent[winner];
  }
  best.measure(column);
  // Rounding may promise what is not there.
  if (best.cost >= before) {
    best.codes.set(incumbent);
    best.measure(column);
  }
  return Math.min(best.cost, ground + dropped);
}

/** The row's codes of reduced cost below `allowance`. */
function openRow(column: Column, dual: Dual, row: number, side: number, allowance: number): OpenRow {
  const codes: number[] = [];
  const reduced: number[] = [];
  const size = column.magnitude[row];
  const weight = column.curvature[row];
  const ceiling = dual.costs[row] + allowance;
  const reach = Math.sqrt(ceiling / weight);
  const low = Math.max(0, Math.ceil(size - reach));
  const high = Math.min(column.maxMagnitude, Math.floor(size + reach));
  for (let code = low; code <= high; code++) {
    const error = size - code;
    const cost = weight * error * error + dual.penalty[side * 128 + code];
    if (cost >= ceiling) continue;
    codes.push(code);
    reduced.push(cost - dual.costs[row]);
  }
  return { row, side, codes, reduced };
}

/** Calls `each` for every resource that a code uses. */
function use(
  code: number,
  side: number,
  planes: number,
  resources: number,
  each: (at: number) => void,
): void {
  if (code === 0) return;
  each(resources - 1);
  for (let rest = code; rest !== 0; rest &= rest - 1) each(side * planes + 31 - Math.clz32(rest & -rest));
}

/** Keeps the `width` labels of smallest total. */
function narrow(labels: Labels, width: number, resources: number) {
  const order = labels.total.map((_, label) => label).sort((a, b) => labels.total[a] - labels.total[b]);
  const kept: Labels = { parent: [], code: [], reduced: [], total: [], used: [] };
  for (const label of order.slice(0, width)) {
    kept.parent.push(labels.parent[label]);
    kept.code.push(labels.code[label]);
    kept.reduced.push(labels.reduced[label]);
    kept.total.push(labels.total[label]);
    for (let at = 0; at < resources; at++) kept.used.push(labels.used[label * resources + at]);
  }
  return { kept, firstDropped: labels.total[order[width]] };
}
