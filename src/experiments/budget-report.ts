import { largestOf } from '../bitplanes/per-plane';
import { adcBitsText } from '../quantization/adc-bits';
import type { Claim, Obtained } from '../reports/expected-versus-obtained';
import { type Figure, titled } from '../reports/figure';
import { heatMap } from '../reports/heat-map';
import { lines } from '../reports/lines';
import type { Table } from '../reports/table';
import { type BudgetStudyResult, type Spread, spreads } from './budget-study';

const spreadNames: Readonly<Record<Spread, string>> = {
  uniform: 'same bits everywhere',
  profile: 'same planes in every layer',
  layers: 'allocated to layers',
  planes: 'allocated to layers and planes',
};

function conditions({ tileRows, calibrationPictures, seed }: BudgetStudyResult): string {
  return `R = ${tileRows}, 8-bit weights and activations, sign-split, hierarchical with layer ADMM, no training, ${calibrationPictures} unlabelled calibration pictures, seed ${seed}`;
}

const subject = ({ network, dataset }: BudgetStudyResult) => `${network} on ${dataset}`;

export function budgetTable(result: BudgetStudyResult): Table {
  return {
    title: `ADC bits allocated to layers and bit planes, ${subject(result)}: 8-bit top-1 ${result.integer.top1.toFixed(2)} % on ${result.integer.pictures} test pictures; ${conditions(result)}`,
    columns: [
      { key: 'budget', label: 'budget: energy of bits everywhere' },
      { key: 'spread', label: 'spread' },
      { key: 'adcBits', label: 'ADC bits' },
      { key: 'meanBits', label: 'mean bits a conversion', digits: 2 },
      { key: 'conversions', label: 'conversions', unit: 'million', digits: 2 },
      { key: 'energy', label: 'ADC energy', unit: 'nJ', digits: 1 },
      { key: 'macro', label: 'macro energy', unit: 'nJ', digits: 1 },
      { key: 'area', label: 'macro area', unit: 'mm2', digits: 2 },
      { key: 'latency', label: 'latency', unit: 'us', digits: 0 },
      { key: 'top1', label: 'top-1', unit: '%', digits: 2 },
      { key: 'interval', label: '+-', digits: 2 },
      { key: 'drop', label: 'drop from 8-bit', digits: 2 },
      { key: 'predicted', label: 'summed divergence', unit: 'nat' },
      { key: 'lossless', label: 'lossless' },
    ],
    rows: [...result.points]
      .sort((a, b) => a.budgetBits - b.budgetBits)
      .map((point) => ({
        budget: point.budgetBits,
        spread: spreadNames[point.spread],
        adcBits: adcBitsText(point.adcBits),
        meanBits: point.meanBits,
        conversions: point.conversions / 1e6,
        energy: point.adcEnergyPj / 1000,
        macro: point.macroEnergyPj / 1000,
        area: point.macroAreaUm2 / 1e6,
        latency: point.latencyNs / 1000,
        top1: point.accuracy.top1,
        interval: point.accuracy.interval,
        drop: point.dropFrom8bit,
        predicted: point.predicted,
        lossless: point.lossless ? 'yes' : 'NO',
      })),
  };
}

/** Accuracy against ADC energy of each spread, and the sensitivities to bits alike in all planes. */
export function budgetFigures(result: BudgetStudyResult): Map<string, Figure> {
  const series = spreads.map((spread) => {
    const own = result.points
      .filter((point) => point.spread === spread)
      .sort((a, b) => a.adcEnergyPj - b.adcEnergyPj);
    return {
      name: spreadNames[spread],
      x: own.map((point) => point.adcEnergyPj / 1000),
      y: own.map((point) => point.accuracy.top1),
      errors: own.map((point) => point.accuracy.interval),
    };
  });
  const pareto = lines({
    title: titled(`Accuracy against ADC energy, ${subject(result)}`, conditions(result)),
    x: { title: 'ADC energy of an inference', unit: 'nJ', scale: 'log' },
    y: { title: 'top-1 accuracy (%)' },
    markers: [{ axis: 'y', at: result.integer.top1, label: 'unpruned, 8 bits' }],
    series,
  });
  const uniform = Object.entries(result.sensitivities).map(([name, list]) => ({
    name,
    list: list.filter(({ adcBits }) => typeof adcBits === 'number'),
  }));
  const sensitivity = heatMap({
    title: titled(
      `What one layer's ADC does to the logits, ${subject(result)}`,
      'divergence of the class probabilities with that layer alone pruned',
    ),
    height: 650,
    x: { title: 'ADC bits of the layer' },
    y: { title: 'layer' },
    columns: uniform[0].list.map(({ adcBits }) => largestOf(adcBits)),
    rows: uniform.map(({ name }) => name),
    values: uniform.map(({ list }) => list.map(({ divergence }) => Math.log10(Math.max(divergence, 1e-8)))),
    color: { title: 'logarithm (base 10) of the divergence in nats' },
    digits: 1,
  });
  return new Map([
    ['02-budgets-pareto', pareto],
    ['02-budgets-sensitivity', sensitivity],
  ]);
}

/** Allocation must not lose accuracy at equal energy: to layers against the same bits, to planes against layers alone. */
export function budgetClaims(result: BudgetStudyResult): { claims: Claim[]; obtained: Obtained } {
  const gain = { expected: 0, compare: 'at least', unit: 'points', digits: 2 } as const;
  const claims: Claim[] = [
    { id: 'lossless', claim: 'no pruned network can clip a conversion', expected: true },
    {
      id: 'mean gain',
      claim: 'budgets allocated to layers are better than uniform ones, mean over the budgets',
      ...gain,
    },
    {
      id: 'mean gain of planes',
      claim: 'budgets allocated to layers and planes are better than to layers, mean over the budgets',
      ...gain,
    },
    {
      id: 'mean gain over a profile',
      claim:
        'budgets allocated to layers and planes are better than the best same planes in every layer, mean',
      ...gain,
    },
  ];
  const obtained: Record<string, number | boolean> = {
    lossless: result.points.every(({ lossless }) => lossless),
  };
  if (result.realData) {
    obtained['mean gain'] = meanGain(result, 'uniform', 'layers');
    obtained['mean gain of planes'] = meanGain(result, 'layers', 'planes');
    obtained['mean gain over a profile'] = meanGain(result, 'profile', 'planes');
  }
  return { claims, obtained };
}

/** Top-1 points from one spread to another, mean over the budgets that have both. */
function meanGain({ points }: BudgetStudyResult, from: Spread, to: Spread): number {
  const gains = points
    .filter(({ spread }) => spread === from)
    .map(({ budgetBits, accuracy }) => {
      const other = points.find((point) => point.spread === to && point.budgetBits === budgetBits)!;
      return other.accuracy.top1 - accuracy.top1;
    });
  return gains.reduce((sum, gain) => sum + gain, 0) / gains.length;
}
