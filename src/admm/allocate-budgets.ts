import { InputError } from '../errors';

/** One way to build a layer. */
export interface BudgetOption {
  /** At least 0, in any unit that adds over layers: energy, or conversions times bits. */
  readonly cost: number;
  /** At least 0; adds over layers. */
  readonly error: number;
}

export interface Allocation {
  /** Number of the option taken for each layer. */
  readonly chosen: readonly number[];
  readonly cost: number;
  readonly error: number;
  /** No choice within the budget has a smaller total error. */
  readonly lowerBound: number;
  /** Marginal error of the budget: what one more unit of cost would save, by the Lagrangian. */
  readonly price: number;
}

export interface AllocateOptions {
  /** Options of each layer, at least one. */
  readonly layers: readonly (readonly BudgetOption[])[];
  /** Total cost allowed. */
  readonly budget: number;
  /** Partial choices kept at once; where more would be needed the answer may miss the best, and `lowerBound` says by how much. Default 100,000. */
  readonly stateLimit?: number;
}

/**
 * The choice of one option a layer with the least total error within the budget: a multiple-choice knapsack. Its
 * Lagrangian gives a bound, a price and a first choice; dynamic programming over partial choices, of which those are
 * dropped that another one beats in cost and error or that the bound rules out, then finds the best.
 * @throws InputError where numbers are out of range, or the cheapest options together cost more than the budget
 */
export function allocateBudgets({ layers, budget, stateLimit = 100_000 }: AllocateOptions): Allocation {
  check(layers, budget);
  const price = bestPrice(layers, budget);
  const reduced = layers.map((options) => options.map(({ cost, error }) => error + price * cost));
  const least = reduced.map((values) => Math.min(...values));
  const bound = least.reduce((sum, value) => sum + value, 0) - price * budget;
  const first = cheapestFill(layers, budget, price);
  // What rounding may do to a bound; large where options of almost equal cost make a steep price.
  const slack = 16 * ROUNDING * (price * budget + totals(layers, first).error);
  const { chosen, lowerBound } = search(layers, budget, price, least, first, slack, stateLimit);
  return { chosen, ...totals(layers, chosen), lowerBound: Math.max(bound - slack, lowerBound, 0), price };
}

function check(layers: AllocateOptions['layers'], budget: number): void {
  layers.forEach((options, layer) => {
    if (options.length === 0) throw new InputError(`layer ${layer}: no option to choose`);
    for (const { cost, error } of options)
      if (!(cost >= 0 && cost < Infinity && error >= 0 && error < Infinity))
        throw new InputError(`layer ${layer}: cost ${cost} and error ${error} must be finite and at least 0`);
  });
  const least = sumOf(layers.map((options) => Math.min(...options.map(({ cost }) => cost))));
  if (!(budget >= least * (1 - ROUNDING)))
    throw new InputError(`budget ${budget} is below ${least}, what the cheapest options cost together`);
}

/** Sums of the same numbers in another order may differ by this share. */
const ROUNDING = 1e-12;

const sumOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);

function totals(layers: AllocateOptions['layers'], chosen: readonly number[]) {
  return {
    cost: sumOf(layers.map((options, layer) => options[chosen[layer]].cost)),
    error: sumOf(layers.map((options, layer) => options[chosen[layer]].error)),
  };
}

/** Each layer's option of least error + price * cost; of equals the cheapest. */
function relaxed(layers: AllocateOptions['layers'], price: number): number[] {
  return layers.map((options) => {
    let best = 0;
    options.forEach(({ cost, error }, i) => {
      const change = error + price * cost - (options[best].error + price * options[best].cost);
      if (change < 0 || (change === 0 && cost < options[best].cost)) best = i;
    });
    return best;
  });
}

/** The price at which the Lagrangian bound is highest: 0 if the budget does not bind. */
function bestPrice(layers: AllocateOptions['layers'], budget: number): number {
  const value = (price: number) =>
    totals(layers, relaxed(layers, price)).error +
    price * (totals(layers, relaxed(layers, price)).cost - budget);
  if (totals(layers, relaxed(layers, 0)).cost <= budget) return 0;
  // Steeper prices would make bounds infinite; a smaller one bounds as well, only less tightly.
  const most = budget + sumOf(layers.map((options) => Math.max(...options.map(({ cost }) => cost))));
  const steepest = Number.MAX_VALUE / (16 * Math.max(1, most));
  // The bound is concave and piecewise linear; its kinks are the slopes between two options of a layer.
  const kinks = layers
    .flatMap((options) =>
      options.flatMap((a) =>
        options.filter((b) => b.cost > a.cost).map((b) => (a.error - b.error) / (b.cost - a.cost)),
      ),
    )
    .filter((slope) => slope > 0 && slope < steepest)
    .sort((a, b) => a - b)
    // Of equal neighbours neither is higher: the search would turn the wrong way.
    .filter((slope, at, all) => slope !== all[at - 1]);
  let [low, high] = [0, kinks.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (value(kinks[middle]) < value(kinks[middle + 1])) low = middle + 1;
    else high = middle;
  }
  return kinks[low] ?? 0;
}

/** The relaxed choice at a price high enough to keep the budget, then what still fits, best gain a cost first. */
function cheapestFill(layers: AllocateOptions['layers'], budget: number, price: number): number[] {
  const cheapest = layers.map((options) => {
    const order = options.map((_, i) => i).sort((a, b) => options[a].cost - options[b].cost);
    return order[0];
  });
  let chosen = relaxed(layers, price);
  if (totals(layers, chosen).cost > budget) chosen = relaxed(layers, price * (1 + 1e-9));
  if (totals(layers, chosen).cost > budget) chosen = cheapest;
  for (;;) {
    const room = budget - totals(layers, chosen).cost;
    let best: { layer: number; option: number; rate: number } | undefined;
    layers.forEach((options, layer) => {
      const now = options[chosen[layer]];
      options.forEach(({ cost, error }, option) => {
        if (error >= now.error || cost - now.cost > room) return;
        const rate = (now.error - error) / Math.max(cost - now.cost, Number.MIN_VALUE);
        if (!best || rate > best.rate) best = { layer, option, rate };
      });
    });
    if (!best) return chosen;
    chosen[best.layer] = best.option;
  }
}

/** A partial choice for the first layers. */
interface State {
  readonly cost: number;
  readonly error: number;
  readonly option: number;
  readonly before?: State;
}

function search(
  layers: AllocateOptions['layers'],
  budget: number,
  price: number,
  least: readonly number[],
  first: readonly number[],
  slack: number,
  stateLimit: number,
): { chosen: readonly number[]; lowerBound: number } {
  const best = totals(layers, first).error;
  const room = budget * (1 + ROUNDING);
  /** Least cost of the layers from each on, and their part of the Lagrangian. */
  const costAfter = new Float64Array(layers.length + 1);
  const boundAfter = new Float64Array(layers.length + 1);
  for (let layer = layers.length - 1; layer >= 0; layer--) {
    costAfter[layer] = costAfter[layer + 1] + Math.min(...layers[layer].map(({ cost }) => cost));
    boundAfter[layer] = boundAfter[layer + 1] + least[layer];
  }
  let dropped = Infinity;
  let states: State[] = [{ cost: 0, error: 0, option: -1 }];
  for (let layer = 0; layer < layers.length; layer++) {
    const bound = ({ cost, error }: State) => error + price * (cost - budget) + boundAfter[layer + 1] - slack;
    const next: State[] = [];
    for (const before of states)
      layers[layer].forEach(({ cost, error }, option) => {
        const state = { cost: before.cost + cost, error: before.error + error, option, before };
        if (state.cost + costAfter[layer + 1] <= room && bound(state) < best) next.push(state);
      });
    next.sort((a, b) => a.cost - b.cost || a.error - b.error);
    states = [];
    for (const state of next)
      if (states.length === 0 || state.error < states[states.length - 1].error) states.push(state);
    if (states.length > stateLimit) {
      states.sort((a, b) => bound(a) - bound(b));
      dropped = Math.min(dropped, bound(states[stateLimit]));
      states.length = stateLimit;
    }
  }
  const winner = states.reduce<State | undefined>(
    (found, state) => (state.error < (found?.error ?? best) ? state : found),
    undefined,
  );
  const lowerBound = Math.min(dropped, winner?.error ?? best);
  if (!winner) return { chosen: first, lowerBound };
  const chosen: number[] = [];
  for (let state = winner; state.before; state = state.before) chosen.unshift(state.option);
  return { chosen, lowerBound };
}
