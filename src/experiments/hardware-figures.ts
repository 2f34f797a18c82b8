import { type Part, parts } from '../hardware/design-cost';
import { CLAIMED_GAIN } from '../hardware/efficiency-definitions';
import { FAIR_BASELINE, ROW_LIMITED, WORST_CASE } from '../hardware/map-designs';
import { groupedBars, stackedBars } from '../reports/bar-figures';
import { type Figure, titled } from '../reports/figure';
import { lines } from '../reports/lines';
import type { Accuracy } from '../training/evaluate';
import type { HardwareStudyNetwork, HardwareStudyResult } from './hardware-study';
import { hardwareConditions } from './hardware-tables';
import { unique } from './unique';

/** All figures by the name of their file; without those over the fair baseline where no ADC law answers for it. */
export function hardwareFigures(result: HardwareStudyResult): Map<string, Figure> {
  return new Map([
    ...result.networks.flatMap((network): [string, Figure][] => {
      const { name, definitions, sensitivity } = network;
      return [
        [`05-hardware-${name}-energy`, energyFigure(network, result)],
        ...(definitions.some(({ baseline }) => baseline === FAIR_BASELINE)
          ? [[`05-hardware-${name}-definitions`, definitionsFigure(network, result)] as [string, Figure]]
          : []),
        ...(sensitivity.length > 0
          ? [[`05-hardware-${name}-sensitivity`, sensitivityFigure(network, result)] as [string, Figure]]
          : []),
      ];
    }),
    ...(result.networks.some(({ accuracy }) => accuracy)
      ? [['05-hardware-pareto', paretoFigure(result)] as [string, Figure]]
      : []),
  ]);
}

/** Energy by component; row-limited dense, many times larger, is told in the title. */
function energyFigure(network: HardwareStudyNetwork, result: HardwareStudyResult): Figure {
  const { pruned, baselines } = network.report;
  const designs = [pruned, ...baselines.map(({ cost }) => cost)];
  const drawn = designs.filter(({ name }) => name !== ROW_LIMITED);
  const limited = designs.find(({ name }) => name === ROW_LIMITED);
  const notDrawn = limited
    ? `; row-limited dense (not drawn): ${(limited.scopes.tile.energyPj / 1e6).toFixed(0)} uJ`
    : '';
  // As many as the palette tells apart, the others together.
  const share = (part: Part) =>
    Math.max(...drawn.map(({ energyPj, scopes: { tile } }) => energyPj[part] / tile.energyPj));
  const largest = [...parts].sort((one, other) => share(other) - share(one)).slice(0, 6);
  const shown = parts.filter((part) => largest.includes(part));
  const rest = parts.filter((part) => !largest.includes(part));
  const microjoules = (own: readonly Part[]) =>
    drawn.map(({ energyPj }) => own.reduce((sum, part) => sum + energyPj[part], 0) / 1e6);
  return stackedBars({
    title: titled(
      `Energy of one inference by component, ${network.name}`,
      hardwareConditions(network, result) + notDrawn,
    ),
    width: 900,
    height: 600,
    x: { title: 'design' },
    y: { title: 'energy', unit: 'uJ' },
    categories: drawn.map(({ name }) => name),
    series: [
      ...shown.map((part) => ({ name: part, values: microjoules([part]) })),
      { name: rest.join(', '), values: microjoules(rest) },
    ],
  });
}

function definitionsFigure(network: HardwareStudyNetwork, result: HardwareStudyResult): Figure {
  // Not every baseline answers every definition.
  const titles = unique(network.definitions.map(({ title }) => title));
  const values = (baseline: string, field: 'gain' | 'lowest' | 'highest') =>
    titles.map((title) => {
      const own = network.definitions.find((gain) => gain.baseline === baseline && gain.title === title);
      return own?.[field] ?? null;
    });
  return groupedBars({
    title: titled(`Gain by definition, ${network.name}`, hardwareConditions(network, result)),
    width: 1200,
    height: 650,
    x: { title: 'definition of hardware efficiency' },
    y: { title: 'gain', unit: 'x', scale: 'log' },
    categories: titles,
    markers: [{ axis: 'y', at: CLAIMED_GAIN, label: `the paper's ${CLAIMED_GAIN}x` }],
    series: [
      { name: `${FAIR_BASELINE}: lowest ADC law`, values: values(FAIR_BASELINE, 'lowest') },
      { name: `${FAIR_BASELINE}: ${result.adcModel}`, values: values(FAIR_BASELINE, 'gain') },
      { name: `${FAIR_BASELINE}: highest ADC law`, values: values(FAIR_BASELINE, 'highest') },
      { name: `${WORST_CASE}: ${result.adcModel}`, values: values(WORST_CASE, 'gain') },
    ],
  });
}

function sensitivityFigure(network: HardwareStudyNetwork, result: HardwareStudyResult): Figure {
  const most = network.sensitivity.slice(0, 10);
  return groupedBars({
    title: titled(
      `Energy gain at the tile when one constant changes, ${network.name}`,
      `over "${result.baseline}"; ${hardwareConditions(network, result)}`,
    ),
    width: 1000,
    x: { title: 'constant' },
    y: { title: 'gain', unit: 'x' },
    categories: most.map(({ constant }) => constant),
    markers: [
      {
        axis: 'y',
        at: network.definitions.find(
          (own) => own.definition === 'tile-energy' && own.baseline === result.baseline,
        )!.gain!,
        label: 'as published',
      },
    ],
    series: [
      { name: '-50 %', values: most.map(({ lower }) => lower.tile) },
      { name: '+50 %', values: most.map(({ higher }) => higher.tile) },
    ],
  });
}

/** Accuracy against the energy of an inference, all networks. */
function paretoFigure({ networks, dataset, adcModel }: HardwareStudyResult): Figure {
  const series = networks.flatMap(({ name, accuracy, report, rowLimited }) => {
    if (!accuracy) return [];
    const points = (title: string, energiesPj: readonly number[], { top1, interval }: Accuracy) => ({
      name: `${name}: ${title}`,
      x: energiesPj.map((energy) => energy / 1e6),
      y: energiesPj.map(() => top1),
      errors: energiesPj.map(() => interval),
      show: 'points' as const,
    });
    const { pruned, dense } = accuracy;
    return [
      points('pruned', [report.pruned.scopes.tile.energyPj], pruned),
      ...report.baselines
        .filter(({ cost }) => cost.name !== ROW_LIMITED)
        .map(({ cost }) => points(cost.name, [cost.scopes.tile.energyPj], dense)),
      points(
        `row-limited dense, 1 to ${rowLimited.length} bits`,
        rowLimited.map(({ energyPj }) => energyPj.tile),
        dense,
      ),
    ];
  });
  return lines({
    title: titled(
      `Accuracy against energy, ${dataset}`,
      `tile, ${adcModel}, 32 nm; 8-bit weights and activations`,
    ),
    width: 900,
    x: { title: 'energy an inference, tile', unit: 'uJ', scale: 'log' },
    y: { title: 'top-1 accuracy', unit: '%' },
    series,
  });
}
