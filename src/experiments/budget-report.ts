import { adcBitsText } from '../quantization/adc-bits';
import type { Claim, Obtained } from '../reports/expected-versus-obtained';
import type { Figure } from '../reports/figure';
import { heatMap } from '../reports/heat-map';
import { lines } from '../reports/lines';
import type { Table } from '../reports/table';
import type { BudgetPoint, BudgetStudyResult } from './budget-study';

const titled = (title: string, under: string) => `${title}<br><sup>${under}</sup>`;

function conditions({ tileRows, calibrationPictures, seed }: BudgetStudyResult): string {
  return `R = ${tileRows}, 8-bit weights and activations, sign-split, hierarchical with layer ADMM, no training, ${calibrationPictures} unlabelled calibration pictures, seed ${seed}`;
}

const subject = ({ network, dataset }: BudgetStudyResult) => `${network} on ${dataset}`;

export function budgetTable(result: BudgetStudyResult): Table {
  return {
    title: `ADC bits allocated to layers, ${subject(result)}: 8-bit top-1 ${result.integer.top1.toFixed(2)} % on ${result.integer.pictures} test pictures; ${conditions(result)}`,
    columns: [
      { key: 'budget', label: 'budget: energy of bits everywhere' },
      { key: 'kind', label: 'allocation' },
      { key: 'adcBits', label: 'ADC bits' },
      { key: 'meanBits', label: 'mean bits a conversion', digits: 2 },
      { key: 'energy', label: 'ADC energy', unit: 'nJ', digits: 1 },
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
        kind: point.kind,
        adcBits: adcBitsText(point.adcBits),
        meanBits: point.meanBits,
        energy: point.adcEnergyPj / 1000,
        top1: point.accuracy.top1,
        interval: point.accuracy.interval,
        drop: point.dropFrom8bit,
        predicted: point.predicted,
        lossless: point.lossless ? 'yes' : 'NO',
      })),
  };
}

/** Accuracy against ADC energy of both, and the sensitivities the allocation used. */
export function budgetFigures(result: BudgetStudyResult): Map<string, Figure> {
  const series = (['uniform', 'allocated'] as const).map((kind) => {
    const own = result.points
      .filter((point) => point.kind === kind)
      .sort((a, b) => a.adcEnergyPj - b.adcEnergyPj);
    return {
      name: kind === 'uniform' ? 'same bits in every layer' : 'allocated by sensitivity',
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
  const names = Object.keys(result.sensitivities);
  const sensitivity = heatMap({
    title: titled(
      `What one layer's ADC does to the logits, ${subject(result)}`,
      'divergence of the class probabilities with that layer alone pruned',
    ),
    height: 650,
    x: { title: 'ADC bits of the layer' },
    y: { title: 'layer' },
    columns: result.sensitivities[names[0]].map(({ adcBits }) => adcBits),
    rows: names,
    values: names.map((name) =>
      result.sensitivities[name].map(({ divergence }) => Math.log10(Math.max(divergence, 1e-8))),
    ),
    color: { title: 'logarithm (base 10) of the divergence in nats' },
    digits: 1,
  });
  return new Map([
    ['02-budgets-pareto', pareto],
    ['02-budgets-sensitivity', sensitivity],
  ]);
}

/** Allocated budgets must not cost more than uniform ones nor lose accuracy, and gain where there is something to gain. */
export function budgetClaims(result: BudgetStudyResult): { claims: Claim[]; obtained: Obtained } {
  const claims: Claim[] = [
    { id: 'lossless', claim: 'no pruned network can clip a conversion', expected: true },
    {
      id: 'mean gain',
      claim: 'allocated budgets are better than uniform ones, mean over the budgets',
      expected: 0,
      compare: 'at least',
      unit: 'points',
      digits: 2,
    },
  ];
  const pairs = pairsOf(result);
  const obtained: Record<string, number | boolean> = {
    lossless: result.points.every(({ lossless }) => lossless),
  };
  if (result.realData)
    obtained['mean gain'] =
      pairs.reduce((sum, [uniform, own]) => sum + own.accuracy.top1 - uniform.accuracy.top1, 0) /
      pairs.length;
  return { claims, obtained };
}

/** Uniform and allocated network of the same budget. */
function pairsOf({ points }: BudgetStudyResult): [BudgetPoint, BudgetPoint][] {
  return points
    .filter(({ kind }) => kind === 'uniform')
    .map((uniform) => [
      uniform,
      points.find(({ kind, budgetBits }) => kind === 'allocated' && budgetBits === uniform.budgetBits)!,
    ]);
}
