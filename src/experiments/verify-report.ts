import { FAIR_BASELINE } from '../hardware/map-designs';
import { adcBitsText, largestAdcBits } from '../quantization/adc-bits';
import type { Claim, Obtained } from '../reports/expected-versus-obtained';
import { type Figure, titled } from '../reports/figure';
import { lines } from '../reports/lines';
import type { Row, Table } from '../reports/table';
import { baselineSummary } from './network-hardware';
import type { Recounted, Verification, VerifiedNetwork } from './verify-networks';

/** Every network with the settings that its accuracy depends on. */
export function networksTable({ networks, seed }: Verification): Table {
  return {
    title: `Networks verified anew: accuracy on the test pictures, drops paired by picture with 95 % intervals, energy gains over the unpruned network with the ADC bits it needs (${FAIR_BASELINE}); 8-bit forms calibrated without labels, seed ${seed}`,
    columns: [
      { key: 'name', label: 'network' },
      { key: 'dataset', label: 'pictures' },
      { key: 'pictures', label: 'tested' },
      { key: 'method', label: 'method' },
      { key: 'tileRows', label: 'R' },
      { key: 'bits', label: 'W/A bits' },
      { key: 'adcBits', label: 'ADC bits' },
      { key: 'encoding', label: 'encoding' },
      { key: 'seed', label: 'seed' },
      { key: 'top1', label: 'top-1', unit: '%', digits: 2 },
      { key: 'interval', label: '+-', digits: 2 },
      { key: 'fromFloat', label: 'drop from float', unit: 'points', digits: 2 },
      { key: 'fromFloatInterval', label: '+-', digits: 2 },
      { key: 'from8bit', label: 'drop from 8-bit', unit: 'points', digits: 2 },
      { key: 'from8bitInterval', label: '+-', digits: 2 },
      { key: 'kept', label: 'weights kept', unit: '%', digits: 1 },
      { key: 'requiredAdcBits', label: 'ADC bits needed' },
      { key: 'lossless', label: 'lossless' },
      { key: 'crossbar', label: 'crossbar' },
      { key: 'adc', label: 'ADC energy gain', digits: 2 },
      { key: 'macro', label: 'macro energy gain', digits: 2 },
      { key: 'tile', label: 'tile energy gain', digits: 2 },
    ],
    rows: networks.flatMap(rowsOf),
  };
}

/** One row; of an 8-bit form one for each R that its network was pruned for. */
function rowsOf(network: VerifiedNetwork): Row[] {
  const { name, dataset, kind, seed, weightBits, inputBits, measured, recounted, unpruned } = network;
  const common = {
    name,
    dataset,
    seed,
    bits: weightBits === undefined ? 'float32' : `${weightBits}/${inputBits}`,
    pictures: measured?.accuracy.pictures,
    top1: measured?.accuracy.top1,
    interval: measured?.accuracy.interval,
    fromFloat: measured?.fromFloat?.mean,
    fromFloatInterval: measured?.fromFloat?.interval,
    from8bit: measured?.from8bit?.mean,
    from8bitInterval: measured?.from8bit?.interval,
  };
  if (unpruned)
    return unpruned.map(({ tileRows, requiredAdcBits }) => ({
      ...common,
      method: 'unpruned',
      tileRows,
      adcBits: String(requiredAdcBits),
      encoding: 'sign-split',
      requiredAdcBits,
    }));
  if (!recounted) return [{ ...common, method: kind }];
  const { adc, macro, tile } = baselineSummary(recounted.hardware, FAIR_BASELINE).gains;
  return [
    {
      ...common,
      method: recounted.method,
      tileRows: recounted.tileRows,
      adcBits: adcBitsText(recounted.adcBits),
      encoding: encodingText(recounted),
      kept: 100 * recounted.nonzeroShare,
      requiredAdcBits: recounted.requiredAdcBits,
      lossless: recounted.lossless ? 'yes' : 'NO',
      crossbar: measured?.crossbar && (measured.crossbar.agrees ? 'agrees' : 'DIFFERS'),
      adc: adc.energy,
      macro: macro.energy,
      tile: tile.energy,
    },
  ];
}

const encodingText = ({ encoding, dacBits }: Recounted) =>
  dacBits === 1 ? encoding : `${encoding}, ${dacBits}-bit DACs`;

/** Accuracy against ADC bits: a line for each network, R and method; none where no pruned network was measured. */
export function networksFigures({ networks }: Verification, stem = '07-networks'): Map<string, Figure> {
  const points = networks.flatMap(pointsOf);
  const pruned = new Set(points.filter(({ kind }) => kind === 'pruned').map(({ network }) => network));
  const series = new Map<string, (typeof points)[number][]>();
  for (const point of points)
    if (pruned.has(point.network)) series.set(point.line, [...(series.get(point.line) ?? []), point]);
  if (series.size === 0) return new Map();
  const figure = lines({
    title: titled(
      'Accuracy against ADC bits of the networks verified',
      'lossless: no conversion can clip; all test pictures, 95 % intervals; settings of each network in the table',
    ),
    width: 1000,
    x: { title: 'ADC bits', tick: 1 },
    y: { title: 'top-1 accuracy (%)' },
    series: [...series].map(([name, own]) => {
      const sorted = own.sort((a, b) => a.adcBits - b.adcBits);
      return {
        name,
        x: sorted.map(({ adcBits }) => adcBits),
        y: sorted.map(({ accuracy }) => accuracy.top1),
        errors: sorted.map(({ accuracy }) => accuracy.interval),
      };
    }),
  });
  return new Map([[`${stem}-accuracy`, figure]]);
}

/** Where a network stands in the figure: at the largest ADC of its layers. */
function pointsOf({ kind, float, measured, recounted, unpruned }: VerifiedNetwork) {
  if (!measured) return [];
  const point = (tileRows: number, method: string, adcBits: number) => ({
    kind,
    network: float,
    line: `${float}, R = ${tileRows}<br>${method}`,
    adcBits,
    accuracy: measured.accuracy,
  });
  if (recounted) {
    const { tileRows, method, adcBits } = recounted;
    const shared = typeof adcBits === 'number' ? method : `${method}, ADCs allocated`;
    return [point(tileRows, shared, largestAdcBits(adcBits))];
  }
  return (unpruned ?? []).map(({ tileRows, requiredAdcBits }) =>
    point(tileRows, 'unpruned, 8 bits', requiredAdcBits),
  );
}

/** How far from its expected value the accuracy of a network may be, in points. */
export type Allowance = (network: VerifiedNetwork) => {
  readonly tolerance: number;
  readonly compare: 'equal' | 'at least';
};

/**
 * What must hold of every network: structure, and the accuracies of `expectedTop1`, percent by the network's name. A
 * network without an expected accuracy fails; one that is expected and not measured is skipped.
 */
export function networksClaims(
  { networks }: Verification,
  expectedTop1: Readonly<Record<string, number>>,
  allowance: Allowance,
): { claims: Claim[]; obtained: Obtained } {
  const checks = networks.flatMap((network): Check[] => [
    ...structureChecks(network),
    [top1Claim(network, expectedTop1[network.name], allowance), network.measured?.accuracy.top1],
  ]);
  const missing = Object.entries(expectedTop1).filter(
    ([name]) => !networks.some((network) => network.name === name),
  );
  for (const [name, expected] of missing)
    checks.push([{ id: `${name} top-1`, claim: `${name}: top-1`, expected }, undefined]);
  return claimsOf(checks);
}

/** What must hold of networks pruned further in training: structure, and a drop of at most `most` points from their float network. */
export function dropClaims(
  { networks }: Verification,
  most: number,
): { claims: Claim[]; obtained: Obtained } {
  return claimsOf(
    networks.flatMap((network): Check[] => {
      const { name, kind, measured } = network;
      if (kind !== 'pruned') return [];
      const drop = { id: `${name} drop`, claim: `${name}: drop from the float network` };
      const limit = { expected: most, compare: 'at most', unit: 'points', digits: 2 } as const;
      return [...structureChecks(network), [{ ...drop, ...limit }, measured?.fromFloat?.mean]];
    }),
  );
}

/** A claim and what came out. */
type Check = readonly [claim: Claim, value: number | boolean | undefined];

function claimsOf(checks: readonly Check[]): { claims: Claim[]; obtained: Obtained } {
  return {
    claims: checks.map(([claim]) => claim),
    obtained: Object.fromEntries(checks.map(([{ id }, value]) => [id, value])),
  };
}

/** Of a pruned network: its codes keep their limits, and the crossbar computes it. */
function structureChecks({ name, measured, recounted }: VerifiedNetwork): Check[] {
  if (!recounted) return [];
  const { lossless, requiredAdcBits, adcBits } = recounted;
  const clip = `${name}: no conversion can clip ${adcBitsText(adcBits)}-bit ADCs`;
  const equal = `${name}: crossbar equals the integer network`;
  return [
    [
      { id: `${name} lossless`, claim: clip, expected: true },
      lossless && requiredAdcBits <= largestAdcBits(adcBits),
    ],
    [{ id: `${name} crossbar`, claim: equal, expected: true }, measured?.crossbar?.agrees],
  ];
}

function top1Claim(network: VerifiedNetwork, expected: number | undefined, allowance: Allowance): Claim {
  const own = { id: `${network.name} top-1`, claim: `${network.name}: top-1`, unit: '%', digits: 2 };
  return expected === undefined
    ? { ...own, expected: 'a value in data/expected/small.json' }
    : { ...own, expected, ...allowance(network) };
}
