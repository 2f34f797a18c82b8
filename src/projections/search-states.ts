/** A row that reduced costs leave open: the options it may still take and their reduced costs. */
export interface OpenRow {
  readonly row: number;
  readonly options: readonly number[];
  readonly reduced: readonly number[];
}

export interface StateSearch {
  /** Dual value at `prices`, and the cost to beat. */
  readonly ground: number;
  readonly incumbent: number;
  /** Budget of each resource, and its multiplier (0 where there is none). */
  readonly budgets: ArrayLike<number>;
  readonly prices: ArrayLike<number>;
  /** What each option uses of each resource: [options][resources]. */
  readonly uses: Uint8Array;
  readonly rows: number;
  /** The row's options of reduced cost below `allowance`. */
  readonly open: (row: number, allowance: number) => OpenRow;
  /** The option that the relaxation gives a row. */
  readonly relaxed: (row: number) => number;
  /** States held at once. */
  readonly width: number;
}

export interface StateAnswer {
  /** No feasible cost is smaller, unless it is the incumbent's. */
  readonly bound: number;
  /** Option of every row, better than the incumbent but for rounding; undefined where the search found none. */
  readonly options: Int32Array | undefined;
}

/** Partial solutions after some rows, at most one for each use of the resources. */
interface Labels {
  readonly parent: number[];
  readonly option: number[];
  /** Reduced cost so far. */
  readonly reduced: number[];
  /** `reduced` and what the unused budget must cost at least. */
  readonly total: number[];
  /** [label][resource] */
  readonly used: number[];
}

/**
 * Exact search by reduced costs. Any feasible cost is g(l) + the sum of its rows' reduced costs + sum l * unused
 * budget, so with an incumbent only options of reduced cost below incumbent - g matter: rows with one such option are
 * fixed, the others go through dynamic programming over the resources used, pruned by the same inequality. With
 * g = 0 known and nothing pruned that is the plain dynamic program over prod(k_p + 1) states.
 *
 * At most `width` labels are kept after each row (the most promising); what is dropped limits the bound returned.
 */
export function searchStates(search: StateSearch): StateAnswer {
  const { ground, incumbent, prices, uses, rows, width } = search;
  const allowance = incumbent - ground;
  const slack = 1e-12 * incumbent;
  const nothingBetter = { bound: incumbent, options: undefined };
  if (allowance <= slack) return nothingBetter;
  const room = Float64Array.from(search.budgets);
  const resources = room.length;

  const answer = new Int32Array(rows);
  const open: OpenRow[] = [];
  for (let row = 0; row < rows; row++) {
    const candidate = search.open(row, allowance - slack);
    if (candidate.options.length > 1) {
      open.push(candidate);
      continue;
    }
    answer[row] = candidate.options.length === 1 ? candidate.options[0] : search.relaxed(row);
    for (let at = 0; at < resources; at++) room[at] -= uses[answer[row] * resources + at];
  }
  for (let at = 0; at < resources; at++) if (room[at] < 0) return nothingBetter;
  open.sort((a, b) => a.options.length - b.options.length);

  // What the rows still to come can use at most: budget beyond that stays unused and costs its price.
  const reach = new Float64Array((open.length + 1) * resources);
  for (let i = open.length - 1; i >= 0; i--) {
    for (let at = 0; at < resources; at++) {
      let most = 0;
      for (const option of open[i].options) most = Math.max(most, uses[option * resources + at]);
      reach[i * resources + at] = reach[(i + 1) * resources + at] + most;
    }
  }
  const unusedCost = (used: readonly number[], level: number) => {
    let cost = 0;
    for (let at = 0; at < resources; at++) {
      if (prices[at] === 0) continue;
      const unused = room[at] - used[at] - reach[level * resources + at];
      if (unused > 0) cost += prices[at] * unused;
    }
    return cost;
  };

  let dropped = Infinity;
  const nothing = new Array<number>(resources).fill(0);
  const idle = unusedCost(nothing, 0);
  if (idle >= allowance - slack) return nothingBetter;
  const layers: Labels[] = [{ parent: [-1], option: [0], reduced: [0], total: [idle], used: nothing }];
  const trial = new Array<number>(resources);
  for (let level = 0; level < open.length; level++) {
    const { options, reduced } = open[level];
    const from = layers[level];
    const next: Labels = { parent: [], option: [], reduced: [], total: [], used: [] };
    const found = new Map<string, number>();
    for (let label = 0; label < from.option.length; label++) {
      for (let i = 0; i < options.length; i++) {
        const sum = from.reduced[label] + reduced[i];
        if (sum >= allowance - slack) continue;
        let fits = true;
        for (let at = 0; at < resources; at++) {
          trial[at] = from.used[label * resources + at] + uses[options[i] * resources + at];
          if (trial[at] > room[at]) fits = false;
        }
        if (!fits) continue;
        const total = sum + unusedCost(trial, level + 1);
        if (total >= allowance - slack) continue;
        const key = String.fromCharCode(...trial);
        const known = found.get(key);
        if (known === undefined) {
          found.set(key, next.option.length);
          next.parent.push(label);
          next.option.push(options[i]);
          next.reduced.push(sum);
          next.total.push(total);
          next.used.push(...trial);
        } else if (sum < next.reduced[known]) {
          next.parent[known] = label;
          next.option[known] = options[i];
          next.reduced[known] = sum;
          next.total[known] = total;
        }
      }
    }
    if (next.option.length === 0) {
      return { bound: Math.min(incumbent, ground + dropped), options: undefined };
    }
    if (next.option.length <= width) layers.push(next);
    else {
      const { kept, firstDropped } = narrow(next, width, resources);
      dropped = Math.min(dropped, firstDropped);
      layers.push(kept);
    }
  }

  const last = layers[open.length];
  let winner = 0;
  for (let label = 1; label < last.option.length; label++)
    if (last.total[label] < last.total[winner]) winner = label;
  for (let level = open.length; level > 0; level--) {
    answer[open[level - 1].row] = layers[level].option[winner];
    winner = layers[level].parent[winner];
  }
  return { bound: ground + dropped, options: answer };
}

/** Keeps the `width` labels of smallest total. */
function narrow(labels: Labels, width: number, resources: number) {
  const order = labels.total.map((_, label) => label).sort((a, b) => labels.total[a] - labels.total[b]);
  const kept: Labels = { parent: [], option: [], reduced: [], total: [], used: [] };
  for (const label of order.slice(0, width)) {
    kept.parent.push(labels.parent[label]);
    kept.option.push(labels.option[label]);
    kept.reduced.push(labels.reduced[label]);
    kept.total.push(labels.total[label]);
    for (let at = 0; at < resources; at++) kept.used.push(labels.used[label * resources + at]);
  }
  return { kept, firstDropped: labels.total[order[width]] };
}
