import { CLAIMED_GAIN } from '../hardware/efficiency-definitions';
import { ROW_LIMITED } from '../hardware/map-designs';
import type { Table } from '../reports/table';
import { designsTable, gainsTable, layersTable } from './hardware-report';
import type { HardwareStudyNetwork, HardwareStudyResult } from './hardware-study';
import { summarizeDesign } from './network-hardware';
import { byScope, scopeCells } from './scope-cells';

/** What a network's figures hold for. */
export const hardwareConditions = (
  { tileRows, adcBits }: HardwareStudyNetwork,
  { adcModel, nodes }: HardwareStudyResult,
) =>
  `R = ${tileRows}, 8-bit weights and activations, ${adcBits}-bit ADCs, ${adcModel}, ${nodes.join(' and ')} nm`;

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
    rows: result.networks.flatMap(({ name, definitions, shares }) => [
      ...definitions.map(({ title, baseline, gain, lowest, highest, answeredBy, reachedBy }) => ({
        network: name,
        definition: title,
        baseline,
        gain,
        lowest,
        highest,
        reached: reachedBy.length === answeredBy.length ? 'all' : reachedBy.join(', ') || 'none',
      })),
      ...shares.map(({ title, fromBits, toBits, gain }) => ({
        network: name,
        definition: `${title}, ${fromBits} to ${toBits} bits`,
        baseline: 'equal conversions',
        gain,
        reached: gain >= CLAIMED_GAIN ? 'yes' : 'none',
      })),
    ]),
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

/** Efficiency and energy gains with the constants of published designs, and why some do not answer. */
export function presetsTable({ networks, baseline }: HardwareStudyResult): Table {
  return {
    title: `The pruned network on published designs, and its energy gains over "${baseline}" there`,
    columns: [
      { key: 'network', label: 'network' },
      { key: 'preset', label: 'design' },
      { key: 'law', label: 'ADC law' },
      ...byScope('Watt', 'TOPS/W', '', 3),
      ...byScope('Gain', 'gain', 'x', 2),
      { key: 'refusal', label: 'not answered' },
    ],
    rows: networks.flatMap(({ name, presets }) =>
      presets.map(({ preset, adcModel, topsPerW, gains, refusal }) => ({
        network: name,
        preset,
        law: adcModel,
        ...scopeCells('Watt', (scope) => topsPerW?.[scope]),
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
        ...rowLimited.map((own) => ({ ...own, design: ROW_LIMITED, adcBits: `${own.adcBits}` })),
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
          designsTable(report, `${name}, one inference; ${hardwareConditions(network, result)}`),
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
    ['05-hardware-presets', presetsTable(result)],
    ['05-hardware-sensitivity', sensitivityTable(result)],
    ['05-hardware-options', optionsTable(result)],
    ['05-hardware-row-limited', rowLimitedTable(result)],
    ['05-hardware-published', publishedTable(result)],
  ]);
}
