import { type PerPlane, perPlaneText } from '../bitplanes/per-plane';
import { type Part, parts, scopes } from '../hardware/design-cost';
import { CLAIMED_GAIN, type DefinedGain } from '../hardware/efficiency-definitions';
import type { HardwareReport } from '../hardware/hardware-report';
import { groupedBars, stackedBars } from '../reports/bar-figures';
import type { Claim, Obtained } from '../reports/expected-versus-obtained';
import type { Figure } from '../reports/figure';
import { lines } from '../reports/lines';
import type { Column, Row, Table } from '../reports/table';
import type { Accuracy } from '../training/evaluate';
import { FAIR_BASELINE, type HardwareStudyNetwork, type HardwareStudyResult } from './hardware-study';
import { summarizeDesign } from './network-hardware';

const titled = (title: string, under: string) => `${title}<br><sup>${under}</sup>`;

const conditions = ({ tileRows, adcBits }: HardwareStudyNetwork, { adcModel }: HardwareStudyResult) =>
  `R = ${tileRows}, 8-bit weights and activations, ${adcBits}-bit ADCs, ${adcModel}, 32 nm`;

const byScope = (key: string, label: string, unit: string, digits?: number): Column[] =>
  scopes.map((scope) => ({ key: `${scope}${key}`, label: `${label} ${scope}`, unit, digits }));

const scopeCells = (key: string, value: (scope: (typeof scopes)[number]) => number | undefined): Row =>
  Object.fromEntries(scopes.map((scope) => [`${scope}${key}`, value(scope)]));

/** The pruned network and its baselines: counts, energy, area and time at the three scopes. */
export function designsTable({ pruned, baselines }: HardwareReport, title: string): Table {
  return {
    title,
    columns: [
      { key: 'design', label: 'design' },
      { key: 'conversions', label: 'conversions' },
      { key: 'arrays', label: 'arrays' },
      { key: 'used', label: 'cells used', unit: '%', digits: 1 },
      ...byScope('Energy', 'energy', 'nJ', 0),
      ...byScope('Area', 'area', 'mm2', 3),
      { key: 'latency', label: 'latency', unit: 'us', digits: 1 },
      { key: 'interval', label: 'interval', unit: 'us', digits: 1 },
    ],
    rows: [pruned, ...baselines.map(({ cost }) => cost)].map((cost) => ({
      design: cost.name,
      conversions: Math.round(cost.conversions),
      arrays: cost.arrays,
      used: 100 * cost.utilisation,
      ...scopeCells('Energy', (scope) => cost.scopes[scope].energyPj / 1000),
      ...scopeCells('Area', (scope) => cost.scopes[scope].areaUm2 / 1e6),
      latency: cost.latencyNs / 1000,
      interval: cost.intervalNs / 1000,
    })),
  };
}

/** Efficiency of the designs at the three scopes, and how many times less the pruned network takes. */
export function gainsTable({ pruned, baselines }: HardwareReport, title: string): Table {
  return {
    title,
    columns: [
      { key: 'design', label: 'design' },
      ...byScope('Watt', 'TOPS/W', '', 3),
      ...byScope('Mm2', 'TOPS/mm2', '', 4),
      ...byScope('Gain', 'energy', 'x', 2),
      ...byScope('AreaGain', 'area', 'x', 2),
      ...byScope('Product', 'product', 'x', 2),
    ],
    rows: [{ cost: pruned, gains: undefined }, ...baselines].map(({ cost, gains }) => ({
      design: cost.name,
      ...scopeCells('Watt', (scope) => cost.scopes[scope].topsPerW),
      ...scopeCells('Mm2', (scope) => cost.scopes[scope].topsPerMm2),
      ...scopeCells('Gain', (scope) => gains?.[scope].energy),
      ...scopeCells('AreaGain', (scope) => gains?.[scope].area),
      ...scopeCells('Product', (scope) => gains?.[scope].product),
    })),
  };
}

/** Every layer of the pruned network, and its energy gain over the same layer of the fair baseline. */
export function layersTable({ pruned, baselines }: HardwareReport, name: string): Table {
  const fair = (baselines.find(({ cost }) => cost.name === FAIR_BASELINE) ?? baselines[0]).cost;
  return {
    title: `Layers of ${name}; gains over ${fair.name}`,
    columns: [
      { key: 'layer', label: 'layer' },
      { key: 'adcBits', label: 'ADC bits' },
      { key: 'denseBits', label: 'dense bits' },
      { key: 'conversions', label: 'conversions' },
      { key: 'arrays', label: 'arrays' },
      { key: 'copies', label: 'copies' },
      { key: 'used', label: 'cells used', unit: '%', digits: 1 },
      ...byScope('Energy', 'energy', 'nJ', 1),
      ...byScope('Area', 'area', 'mm2', 4),
      { key: 'latency', label: 'latency', unit: 'us', digits: 1 },
      ...byScope('Watt', 'TOPS/W', '', 3),
      ...byScope('Mm2', 'TOPS/mm2', '', 4),
      ...byScope('Gain', 'gain energy', 'x', 2),
    ],
    rows: pruned.layers.map((layer, i) => ({
      layer: layer.name,
      adcBits: bitsCell(layer.adcBits),
      denseBits: bitsCell(fair.layers[i].adcBits),
      conversions: Math.round(layer.conversions),
      arrays: layer.arrays,
      copies: layer.copies,
      used: 100 * layer.utilisation,
      ...scopeCells('Energy', (scope) => layer.scopes[scope].energyPj / 1000),
      ...scopeCells('Area', (scope) => layer.scopes[scope].areaUm2 / 1e6),
      latency: layer.latencyNs / 1000,
      ...scopeCells('Watt', (scope) => layer.scopes[scope].topsPerW),
      ...scopeCells('Mm2', (scope) => layer.scopes[scope].topsPerMm2),
      ...scopeCells('Gain', (scope) =>
        ratio(fair.layers[i].scopes[scope].energyPj, layer.scopes[scope].energyPj),
      ),
    })),
  };
}

/** Alike in all planes: a number. */
function bitsCell(bits: PerPlane): number | string {
  return typeof bits === 'number' ? bits : perPlaneText(bits);
}

/** A layer pruned away gains without bound: no number. */
function ratio(before: number, after: number): number | undefined {
  return after === 0 ? undefined : before / after;
}

/** Which definition gives the claimed 2.8x: every definition, baseline and the spread over ADC laws. */
export function definitionsTable(result: HardwareStudyResult): Table {
  return {
    title: `Which definition of hardware efficiency gives ${CLAIMED_GAIN}x (+180 %)? ${result.adcModel}, and the spread over all ADC laws that answer`,
    columns: [
      { key: 'network', label: 'network' },
      { key: 'definition', label: 'definition' },
      { key: 'baseline', label: 'baseline' },
      { key: 'gain', label: 'gain', unit: 'x', digits: 2 },
      { key: 'lowest', label: 'lowest', unit: 'x', digits: 2 },
      { key: 'highest', label: 'highest', unit: 'x', digits: 2 },
      { key: 'reached', label: `${CLAIMED_GAIN}x reached by` },
    ],
    rows: result.networks.flatMap(({ name, definitions, laws, shares }) => {
      const answering = laws.filter(({ gains }) => gains).length;
      return [
        ...definitions.map(({ title, baseline, gain, lowest, highest, reachedBy }) => ({
          network: name,
          definition: title,
          baseline,
          gain,
          lowest,
          highest,
          reached: reachedBy.length === answering ? 'all' : reachedBy.join(', ') || 'none',
        })),
        ...shares.map(({ title, fromBits, toBits, gain }) => ({
          network: name,
          definition: `${title}, ${fromBits} to ${toBits} bits`,
          baseline: 'equal conversions',
          gain,
          reached: gain >= CLAIMED_GAIN ? 'yes' : 'none',
        })),
      ];
    }),
  };
}

/** Energy gains under every ADC law, and why some do not answer. */
export function lawsTable({ networks, baseline }: HardwareStudyResult): Table {
  return {
    title: `Energy gains over "${baseline}" by ADC law`,
    columns: [
      { key: 'network', label: 'network' },
      { key: 'law', label: 'ADC law' },
      ...byScope('Gain', 'gain', 'x', 2),
      { key: 'refusal', label: 'not answered' },
    ],
    rows: networks.flatMap(({ name, laws }) =>
      laws.map(({ adcModel, gains, refusal }) => ({
        network: name,
        law: adcModel,
        ...scopeCells('Gain', (scope) => gains?.[scope]),
        refusal,
      })),
    ),
  };
}

/** Gains when one constant is half or one and a half times itself, most moving first. */
export function sensitivityTable({ networks, baseline }: HardwareStudyResult): Table {
  return {
    title: `Energy gains over "${baseline}" when one constant changes by 50 %`,
    columns: [
      { key: 'network', label: 'network' },
      { key: 'constant', label: 'constant' },
      { key: 'value', label: 'value' },
      { key: 'unit', label: 'unit' },
      { key: 'status', label: 'status' },
      ...byScope('Lower', '-50 %', 'x', 3),
      ...byScope('Higher', '+50 %', 'x', 3),
    ],
    rows: networks.flatMap(({ name, sensitivity }) =>
      sensitivity.map(({ constant, value, unit, status, lower, higher }) => ({
        network: name,
        constant,
        value,
        unit,
        status,
        ...scopeCells('Lower', (scope) => lower[scope]),
        ...scopeCells('Higher', (scope) => higher[scope]),
      })),
    ),
  };
}

/** What else may be done: zero inputs skipped, pipelines balanced by copies. */
export function optionsTable({ networks }: HardwareStudyResult): Table {
  return {
    title: 'Zero inputs skipped in all designs alike; pipelines balanced within the same arrays',
    columns: [
      { key: 'network', label: 'network' },
      { key: 'operation', label: 'operation' },
      { key: 'design', label: 'design' },
      { key: 'conversions', label: 'conversions' },
      { key: 'arrays', label: 'arrays' },
      { key: 'latency', label: 'latency', unit: 'us', digits: 1 },
      { key: 'interval', label: 'interval', unit: 'us', digits: 1 },
      ...byScope('Energy', 'energy', 'nJ', 0),
      ...byScope('Watt', 'TOPS/W', '', 3),
      ...byScope('Mm2', 'TOPS/mm2', '', 4),
      ...byScope('Gain', 'gain energy', 'x', 2),
      ...byScope('Product', 'gain product', 'x', 2),
    ],
    rows: networks.flatMap(({ name, skipping, balanced }) =>
      [
        ...(skipping
          ? [
              ['zero input pulses skipped', skipping.inputBits] as const,
              ['zero rows skipped', skipping.rows] as const,
            ]
          : []),
        [`balanced within ${balanced.arrayBudget} arrays`, balanced] as const,
      ].flatMap(([operation, summary]) =>
        [{ name: 'pruned', ...summary, gains: undefined }, ...summary.baselines].map((design) => ({
          network: name,
          operation,
          design: design.name,
          conversions: Math.round(design.conversions),
          arrays: design.arrays,
          latency: design.latencyNs / 1000,
          interval: design.intervalNs / 1000,
          ...scopeCells('Energy', (scope) => design.energyPj[scope] / 1000),
          ...scopeCells('Watt', (scope) => design.topsPerW[scope]),
          ...scopeCells('Mm2', (scope) => design.topsPerMm2[scope]),
          ...scopeCells('Gain', (scope) => design.gains?.[scope].energy),
          ...scopeCells('Product', (scope) => design.gains?.[scope].product),
        })),
      ),
    ),
  };
}

/** What the unpruned network costs when as few rows are driven as ADCs of so many bits read. */
export function rowLimitedTable({ networks }: HardwareStudyResult): Table {
  return {
    title: 'Row-limited dense at every ADC resolution, beside the pruned network',
    columns: [
      { key: 'network', label: 'network' },
      { key: 'design', label: 'design' },
      { key: 'adcBits', label: 'ADC bits' },
      { key: 'conversions', label: 'conversions' },
      { key: 'latency', label: 'latency', unit: 'us', digits: 1 },
      ...byScope('Energy', 'energy', 'nJ', 0),
      ...byScope('Area', 'area', 'mm2', 3),
      ...byScope('Gain', 'gain energy', 'x', 2),
    ],
    rows: networks.flatMap(({ name, adcBits, report, rowLimited }) => {
      const pruned = summarizeDesign(report.pruned);
      return [
        { design: 'pruned', ...pruned, adcBits },
        ...rowLimited.map((own) => ({ ...own, design: 'row-limited dense', adcBits: `${own.adcBits}` })),
      ].map((own, i) => ({
        network: name,
        design: own.design,
        adcBits: own.adcBits,
        conversions: Math.round(own.conversions),
        latency: own.latencyNs / 1000,
        ...scopeCells('Energy', (scope) => own.energyPj[scope] / 1000),
        ...scopeCells('Area', (scope) => own.areaUm2[scope] / 1e6),
        ...scopeCells('Gain', (scope) =>
          i === 0 ? undefined : own.energyPj[scope] / pruned.energyPj[scope],
        ),
      }));
    }),
  };
}

/** Published numbers beside those recomputed here. */
export function publishedTable({ checks }: Pick<HardwareStudyResult, 'checks'>): Table {
  return {
    title: 'Published numbers, recomputed from the constants of this model',
    columns: [
      { key: 'source', label: 'source' },
      { key: 'quantity', label: 'quantity' },
      { key: 'published', label: 'published' },
      { key: 'computed', label: 'computed' },
      { key: 'unit', label: 'unit' },
      { key: 'difference', label: 'difference', unit: '%', digits: 1 },
      { key: 'reason', label: 'reason' },
    ],
    rows: checks.map((check) => ({ ...check, difference: 100 * check.difference })),
  };
}

/** All tables by the name of their file. */
export function hardwareTables(result: HardwareStudyResult): Map<string, Table> {
  return new Map([
    ...result.networks.flatMap((network): [string, Table][] => {
      const { name, report } = network;
      return [
        [
          `05-hardware-${name}`,
          designsTable(report, `${name}, one inference; ${conditions(network, result)}`),
        ],
        [
          `05-hardware-${name}-gains`,
          gainsTable(report, `${name}: efficiency, and gains over each baseline`),
        ],
        [`05-hardware-${name}-layers`, layersTable(report, name)],
      ];
    }),
    ['05-hardware-definitions', definitionsTable(result)],
    ['05-hardware-laws', lawsTable(result)],
    ['05-hardware-sensitivity', sensitivityTable(result)],
    ['05-hardware-options', optionsTable(result)],
    ['05-hardware-row-limited', rowLimitedTable(result)],
    ['05-hardware-published', publishedTable(result)],
  ]);
}

/** All figures by the name of their file. */
export function hardwareFigures(result: HardwareStudyResult): Map<string, Figure> {
  return new Map([
    ...result.networks.flatMap((network): [string, Figure][] => [
      [`05-hardware-${network.name}-energy`, energyFigure(network, result)],
      [`05-hardware-${network.name}-definitions`, definitionsFigure(network, result)],
      [`05-hardware-${network.name}-sensitivity`, sensitivityFigure(network, result)],
    ]),
    ...(result.networks.some(({ accuracy }) => accuracy)
      ? [['05-hardware-pareto', paretoFigure(result)] as [string, Figure]]
      : []),
  ]);
}

/** Energy by component; row-limited dense, many times larger, is told in the title. */
function energyFigure(network: HardwareStudyNetwork, result: HardwareStudyResult): Figure {
  const { pruned, baselines } = network.report;
  const designs = [pruned, ...baselines.map(({ cost }) => cost)];
  const drawn = designs.filter(({ name }) => name !== 'row-limited dense');
  const limited = designs.find(({ name }) => name === 'row-limited dense')!;
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
      `${conditions(network, result)}; row-limited dense (not drawn): ${(limited.scopes.tile.energyPj / 1e6).toFixed(0)} uJ`,
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
  const over = (baseline: string) => network.definitions.filter((own) => own.baseline === baseline);
  const fair = over(FAIR_BASELINE);
  const values = (own: readonly DefinedGain[], field: 'gain' | 'lowest' | 'highest') =>
    own.map((gain) => gain[field] ?? null);
  return groupedBars({
    title: titled(`Gain by definition, ${network.name}`, conditions(network, result)),
    width: 1200,
    height: 650,
    x: { title: 'definition of hardware efficiency' },
    y: { title: 'gain', unit: 'x', scale: 'log' },
    categories: fair.map(({ title }) => title),
    markers: [{ axis: 'y', at: CLAIMED_GAIN, label: `the paper's ${CLAIMED_GAIN}x` }],
    series: [
      { name: `${FAIR_BASELINE}: lowest ADC law`, values: values(fair, 'lowest') },
      { name: `${FAIR_BASELINE}: ${result.adcModel}`, values: values(fair, 'gain') },
      { name: `${FAIR_BASELINE}: highest ADC law`, values: values(fair, 'highest') },
      { name: `dense, worst case: ${result.adcModel}`, values: values(over('dense, worst case'), 'gain') },
    ],
  });
}

function sensitivityFigure(network: HardwareStudyNetwork, result: HardwareStudyResult): Figure {
  const most = network.sensitivity.slice(0, 10);
  return groupedBars({
    title: titled(
      `Energy gain at the tile when one constant changes, ${network.name}`,
      `over "${result.baseline}"; ${conditions(network, result)}`,
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
        .filter(({ cost }) => cost.name !== 'row-limited dense')
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

/** What must hold of the model, and what we expect of the networks. */
export function hardwareClaims(result: HardwareStudyResult): { claims: Claim[]; obtained: Obtained } {
  const worst = (source: string) =>
    Math.max(
      ...result.checks
        .filter((check) => check.source === source)
        .map((check) => 100 * Math.abs(check.difference)),
    );
  const claims: Claim[] = [
    {
      id: 'isaac',
      claim: 'ISAAC’s totals follow from its parts, largest difference',
      expected: 1,
      compare: 'at most',
      unit: '%',
      digits: 2,
    },
    {
      id: 'sar',
      claim: 'the SAR fit follows the published table, largest difference',
      expected: 0.5,
      compare: 'at most',
      unit: '%',
      digits: 2,
    },
  ];
  const obtained: Record<string, number | undefined> = {
    isaac: worst('ISAAC'),
    sar: worst('SAR table 4-10 bits'),
  };
  for (const { name, definitions } of result.networks) {
    for (const [id, title, least] of [
      ['conversion', 'ADC energy a conversion', 1],
      ['tile-energy', 'tile energy', 1],
    ] as const) {
      claims.push({
        id: `${name} ${id}`,
        claim: `${name}: gain in ${title} over the dense network at its measured bits`,
        paper: `${CLAIMED_GAIN} under its own definition`,
        expected: least,
        compare: 'at least',
        unit: 'x',
        digits: 2,
      });
      obtained[`${name} ${id}`] = definitions.find(
        (own) => own.definition === id && own.baseline === FAIR_BASELINE,
      )?.gain;
    }
  }
  return { claims, obtained };
}
