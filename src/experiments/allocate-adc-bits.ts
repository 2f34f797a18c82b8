import { type Allocation, allocateBudgets } from '../admm/allocate-budgets';
import type { LayerCandidate } from '../admm/layer-candidates';
import { repeatChannels } from '../admm/some-channels';
import type { PerPlane } from '../bitplanes/per-plane';
import { InputError } from '../errors';
import type { AdcModelName } from '../hardware/adc-model';
import { convertedBits } from '../hardware/design-cost';
import type { IntegerNetwork } from '../quantization/integer-network';
import { type NetworkDesignsOptions, networkHardware } from './network-hardware';

/** What is shared out: energy of all conversions (pJ an inference), or conversions times bits. */
export type BudgetKind = 'adc-energy' | 'conversion-bits';

export interface AllocateAdcBitsOptions {
  readonly tileRows: number;
  /**
   * Total allowed: an amount in the kind's unit, or what the same resolution in every layer would take (whole numbers
   * and in between).
   */
  readonly budget: { readonly amount: number } | { readonly uniformBits: number };
  /** How the candidates' codes lie in cells; default sign-split in 1-bit cells. */
  readonly coding?: NetworkDesignsOptions['coding'];
  /** Default `adc-energy`. */
  readonly kind?: BudgetKind;
  /** Default `sar-saberi`. */
  readonly adcModel?: AdcModelName;
}

export interface AdcBitsAllocation extends Allocation {
  /** ADC resolution by layer: one number, or one a plane where the candidate taken has a profile. */
  readonly adcBits: Readonly<Record<string, PerPlane>>;
  /** The total allowed, in the kind's unit. */
  readonly budget: number;
}

/**
 * ADC bits by layer, and by plane where candidates are profiles, such that the measured harm to the logits, added over
 * the layers, is least within a total: every layer's harm is its candidate's divergence, its cost that of the
 * conversions its codes ask for.
 */
export function allocateAdcBits(
  network: IntegerNetwork,
  candidates: ReadonlyMap<string, readonly LayerCandidate[]>,
  options: AllocateAdcBitsOptions,
): AdcBitsAllocation {
  const { names, layers, bits, budget } = knapsackOf(network, candidates, options);
  const allocation = allocateBudgets({ layers, budget });
  const adcBits = Object.fromEntries(names.map((name, layer) => [name, bits[allocation.chosen[layer]]]));
  return { ...allocation, adcBits, budget };
}

/**
 * The one candidate that, taken in every layer, does least harm within the total: what needs no allocation.
 * @throws InputError where even the cheapest costs more than the total
 */
export function sameEverywhere(
  network: IntegerNetwork,
  candidates: ReadonlyMap<string, readonly LayerCandidate[]>,
  options: AllocateAdcBitsOptions,
): Pick<AdcBitsAllocation, 'adcBits' | 'cost' | 'error' | 'budget'> {
  const { names, layers, bits, budget } = knapsackOf(network, candidates, options);
  const totals = bits.map((adcBits, i) => ({
    adcBits: Object.fromEntries(names.map((name) => [name, adcBits])),
    cost: layers.reduce((sum, own) => sum + own[i].cost, 0),
    error: layers.reduce((sum, own) => sum + own[i].error, 0),
    budget,
  }));
  const within = totals.filter(({ cost }) => cost <= budget * (1 + 1e-9));
  if (within.length === 0)
    throw new InputError(`budget ${budget} is below ${Math.min(...totals.map(({ cost }) => cost))}`);
  return within.reduce((best, own) => (own.error < best.error ? own : best));
}

/** Cost and harm of every candidate, by layer, and the total in the kind's unit. */
function knapsackOf(
  network: IntegerNetwork,
  candidates: ReadonlyMap<string, readonly LayerCandidate[]>,
  options: AllocateAdcBitsOptions,
) {
  const costs = candidateCosts(network, candidates, options);
  const names = [...candidates.keys()];
  const layers = names.map((name) =>
    candidates.get(name)!.map(({ divergence }, i) => ({ cost: costs.get(name)![i], error: divergence })),
  );
  const bits = candidates.get(names[0])!.map(({ adcBits }) => adcBits);
  const budget =
    'amount' in options.budget ? options.budget.amount : uniformCost(costs, bits, options.budget.uniformBits);
  return { names, layers, bits, budget };
}

/** Cost of every candidate, by layer. */
function candidateCosts(
  network: IntegerNetwork,
  candidates: ReadonlyMap<string, readonly LayerCandidate[]>,
  { tileRows, coding, kind = 'adc-energy', adcModel }: AllocateAdcBitsOptions,
): Map<string, number[]> {
  const costs = new Map<string, number[]>([...candidates.keys()].map((name) => [name, []]));
  const count = [...candidates.values()][0].length;
  for (let i = 0; i < count; i++) {
    const layers = new Map(
      [...candidates].map(([name, own]) => [
        name,
        repeatChannels(own[i].layer, network.layers.get(name)!.columns),
      ]),
    );
    const { pruned } = networkHardware(
      { ...network, layers },
      { tileRows, coding, adcModel, adcBits: (name) => candidates.get(name)![i].adcBits },
    );
    for (const layer of pruned.layers)
      costs.get(layer.name)!.push(kind === 'adc-energy' ? layer.energyPj.adc : convertedBits(layer));
  }
  return costs;
}

/** Total of equal bits everywhere; between whole numbers of bits, linear. Profiles among the candidates do not count. */
function uniformCost(
  costs: ReadonlyMap<string, number[]>,
  tried: readonly PerPlane[],
  wanted: number,
): number {
  const bits = tried.filter((own) => typeof own === 'number');
  const total = (i: number) => [...costs.values()].reduce((sum, own) => sum + own[tried.indexOf(bits[i])], 0);
  const above = bits.findIndex((own) => own >= wanted);
  if (above < 0 || wanted < bits[0])
    throw new InputError(
      `budget: ${wanted} bits everywhere; from ${bits[0]} to ${bits[bits.length - 1]} are tried`,
    );
  if (bits[above] === wanted) return total(above);
  const share = (wanted - bits[above - 1]) / (bits[above] - bits[above - 1]);
  return (1 - share) * total(above - 1) + share * total(above);
}
