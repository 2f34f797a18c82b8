import { convert } from '../crossbar/adc';
import { buildConverter } from '../crossbar/build-converter';
import { transferCurve } from '../crossbar/converter-linearity';
import type { ConverterModel } from '../crossbar/converter-model';
import { readoutSchemes } from '../crossbar/readout-schemes/readout-schemes';
import type { Claim, Obtained } from '../reports/expected-versus-obtained';
import { type Figure, titled } from '../reports/figure';
import { lines } from '../reports/lines';
import type { Table } from '../reports/table';
import { randomStream } from '../tensor/random';
import type { Accuracy } from '../training/evaluate';
import {
  type CrossbarPoint,
  type CrossbarStudyResult,
  type SeverityPoint,
  type StudiedNetwork,
  studiedNetworks,
} from './crossbar-study';
import { type ErrorKind, errorKinds, studiedDevices } from './studied-devices';

function conditions({
  tileRows,
  pruned,
  prunedBits,
  denseBits,
  circuits,
  seed,
}: CrossbarStudyResult): string {
  return `R = ${tileRows}, 8-bit weights and activations, sign-split; dense needs ${denseBits} bits, ${pruned} ${prunedBits}; ${circuits} circuits, seed ${seed}`;
}

const deviceTitle = (name: string) => studiedDevices.find((device) => device.name === name)!.title;
const networkTitle = (name: string) => studiedNetworks.find((network) => network.name === name)!.title;

/** Half the width of the 95 % interval of the test pictures, in points; circuits are told apart by the lowest and highest. */
const ofPictures = ({ top1, pictures }: Accuracy) => 1.96 * Math.sqrt((top1 * (100 - top1)) / pictures);

/** Columns of what `pointRow` tells beside the network's name. */
const MEASURES: Table['columns'] = [
  { key: 'adcBits', label: 'ADC bits' },
  { key: 'top1', label: 'top-1', unit: '%', digits: 2 },
  { key: 'interval', label: '+- of the pictures', digits: 2 },
  { key: 'lowest', label: 'lowest circuit', unit: '%', digits: 2 },
  { key: 'highest', label: 'highest', unit: '%', digits: 2 },
  { key: 'dropFromFloat', label: 'drop from float', digits: 2 },
  { key: 'dropFrom8bit', label: 'drop from 8-bit', digits: 2 },
  { key: 'pictures', label: 'pictures' },
  { key: 'circuits', label: 'circuits' },
];

/** Every point: network, cells, ADC bits, accuracy, mean and range of the circuits. */
export function crossbarTable(result: CrossbarStudyResult): Table {
  const { network, dataset, float, integer } = result;
  return {
    title: `Accuracy by ADC bits and cells, ${network} on ${dataset}: float ${float.top1.toFixed(2)} %, 8-bit ${integer.top1.toFixed(2)} % on ${integer.pictures} test pictures; ${conditions(result)}`,
    columns: [{ key: 'network', label: 'network' }, { key: 'device', label: 'cells' }, ...MEASURES],
    rows: result.points.map((point) => ({ device: deviceTitle(point.device), ...pointRow(point) })),
  };
}

function pointRow({ network, adcBits, accuracy, bySeed, dropFromFloat, dropFrom8bit }: CrossbarPoint) {
  return {
    network: networkTitle(network),
    adcBits,
    top1: accuracy.top1,
    interval: ofPictures(accuracy),
    ...rangeOf(bySeed),
    dropFromFloat,
    dropFrom8bit,
    pictures: accuracy.pictures,
    circuits: bySeed.length,
  };
}

/** Every kind and level of error: the pruned network, the dense one with as many ADC bits, the dense one lossless. */
export function severityTable(result: CrossbarStudyResult): Table {
  return {
    title: `Accuracy by severity of errors, ${result.network} on ${result.dataset}; ${conditions(result)}`,
    columns: [
      { key: 'kind', label: 'error' },
      { key: 'level', label: 'level' },
      { key: 'unit', label: 'unit' },
      { key: 'network', label: 'network' },
      ...MEASURES,
    ],
    rows: result.severities.map(({ kind, level, ...point }) => {
      const { title, unit } = errorKinds.find(({ name }) => name === kind)!;
      return { kind: title, level, unit, ...pointRow(point) };
    }),
  };
}

function rangeOf(bySeed: CrossbarPoint['bySeed']) {
  if (bySeed.length === 1) return {};
  const all = bySeed.map(({ top1 }) => top1);
  return { lowest: Math.min(...all), highest: Math.max(...all) };
}

/** What the layers of the dense and the pruned network ask of a 3-bit ADC. */
export function observedTable({ observed, network, pruned }: CrossbarStudyResult): Table {
  return {
    title: `What each layer's ADCs see, ${network}, dense and ${pruned}, 3-bit ADC`,
    columns: [
      { key: 'layer', label: 'layer' },
      { key: 'rows', label: 'rows' },
      { key: 'denseOnes', label: 'most ones, dense' },
      { key: 'prunedOnes', label: 'pruned' },
      { key: 'denseSum', label: 'largest sum, dense' },
      { key: 'prunedSum', label: 'pruned' },
      { key: 'denseClipped', label: 'clipped, dense', unit: '%', digits: 2 },
      { key: 'prunedClipped', label: 'pruned', unit: '%', digits: 2 },
      { key: 'zeroInputs', label: 'zero inputs', unit: '%', digits: 1 },
      { key: 'zeroBits', label: 'zero input bits', unit: '%', digits: 1 },
    ],
    rows: observed.dense.map((dense, i) => {
      const own = observed.pruned[i];
      const largest = ({ sums }: typeof dense) => sums.lowest + sums.counts.length - 1;
      return {
        layer: dense.name,
        rows: dense.rows,
        denseOnes: dense.ones.length - 1,
        prunedOnes: own.ones.length - 1,
        denseSum: largest(dense),
        prunedSum: largest(own),
        denseClipped: 100 * dense.clippingRate,
        prunedClipped: 100 * own.clippingRate,
        zeroInputs: 100 * dense.zeroInputs,
        zeroBits: 100 * dense.zeroInputBits,
      };
    }),
  };
}

export function crossbarFigures(result: CrossbarStudyResult): Map<string, Figure> {
  return new Map([
    ['04-crossbar-accuracy', accuracyFigure(result, '', IDEAL_LINES)],
    ['04-crossbar-circuits', accuracyFigure(result, ' on circuits that err', CIRCUIT_LINES)],
    ...errorKinds.map((kind) => [`04-crossbar-severity-${kind.name}`, severityFigure(result, kind)] as const),
    ['04-crossbar-sums', sumsFigure(result)],
    ['04-crossbar-converters', convertersFigure()],
    ['04-crossbar-readouts', readoutsFigure(result)],
  ]);
}

/** Lines of one device's cells and ADCs; ranges by column stand for those by layer, which the table has. */
const onDevice = (device: string, networks: readonly StudiedNetwork['name'][]) =>
  networks.map((network) => ({ device, network }));

/** The networks on ideal crossbars. */
const IDEAL_LINES = onDevice('ideal', ['dense', 'dense-columns', 'pruned']);

/** The dense network's best and the pruned one on ideal crossbars and on circuits that err. */
const CIRCUIT_LINES = studiedDevices.flatMap(({ name }) => onDevice(name, ['dense-columns', 'pruned']));

function accuracyFigure(result: CrossbarStudyResult, where: string, drawn: typeof IDEAL_LINES): Figure {
  const { network, dataset, float } = result;
  return lines({
    title: titled(
      `Accuracy against ADC bits${where}, ${network} on ${dataset}`,
      `${conditions(result)}; bars: of the pictures alone`,
    ),
    width: 1100,
    height: 600,
    x: { title: 'ADC resolution', unit: 'bits', tick: 1 },
    y: { title: 'top-1 accuracy', unit: '%', range: [0, 100] },
    markers: [{ axis: 'y', at: float.top1, label: 'float' }],
    series: drawn.map((line) => {
      const own = result.points.filter(
        ({ device, network }) => device === line.device && network === line.network,
      );
      return {
        name: `${networkTitle(line.network)}, ${deviceTitle(line.device)}`,
        x: own.map(({ adcBits }) => adcBits),
        y: own.map(({ accuracy }) => accuracy.top1),
        errors: own.map(({ accuracy }) => ofPictures(accuracy)),
      };
    }),
  });
}

/** Accuracy against the severity of one kind of error. */
function severityFigure(result: CrossbarStudyResult, { name, title, unit }: ErrorKind): Figure {
  const { network, dataset, float, severities } = result;
  const own = severities.filter(({ kind }) => kind === name);
  const lineOf = ({ network, adcBits }: SeverityPoint) => `${networkTitle(network)}, ${adcBits} bits`;
  return lines({
    title: titled(
      `Accuracy against ${title}, ${network} on ${dataset}`,
      `${conditions(result)}; bars: of the pictures alone`,
    ),
    width: 900,
    x: { title, unit },
    y: { title: 'top-1 accuracy', unit: '%', range: [0, 100] },
    markers: [{ axis: 'y', at: float.top1, label: 'float' }],
    series: [...new Set(own.map(lineOf))].map((line) => {
      const points = own.filter((point) => lineOf(point) === line);
      return {
        name: line,
        x: points.map(({ level }) => level),
        y: points.map(({ accuracy }) => accuracy.top1),
        errors: points.map(({ accuracy }) => ofPictures(accuracy)),
      };
    }),
  });
}

/** Column sums of all layers together, as shares of all conversions. */
function sumsFigure(result: CrossbarStudyResult): Figure {
  const { network, dataset, observed, pruned } = result;
  const series = (['dense', 'pruned'] as const).map((name) => {
    const totals: number[] = [];
    for (const { sums } of observed[name])
      sums.counts.forEach((count, at) => {
        totals[sums.lowest + at] = (totals[sums.lowest + at] ?? 0) + count;
      });
    const all = totals.reduce((sum, count) => sum + count, 0);
    // A share of zero has no logarithm.
    const seen = Array.from(totals.keys()).filter((sum) => totals[sum] > 0);
    return {
      name: name === 'dense' ? 'dense' : pruned,
      x: seen,
      y: seen.map((sum) => totals[sum] / all),
    };
  });
  return lines({
    title: titled(`Column sums before conversion, ${network} on ${dataset}`, conditions(result)),
    x: { title: 'column sum (ones driven by ones)' },
    y: { title: 'share of all conversions', scale: 'log' },
    markers: [7, 3].map((at) => ({ axis: 'x', at, label: `${Math.log2(at + 1)} bits` })),
    series,
  });
}

/** What each readout costs in conversions and what it gets wrong, mean of the layers; exact ones lie at the lower edge. */
function readoutsFigure({ readouts }: CrossbarStudyResult): Figure {
  const floor = 0.01;
  const schemes = [...new Set(readouts.rows.map(({ scheme }) => scheme))];
  return lines({
    title: titled(
      `Readout schemes on the pruned ${readouts.network}`,
      `R = ${readouts.tileRows}, up to ${readouts.vectors} vectors a layer, seed ${readouts.seed}; circuit values assumed; exact ones are drawn at ${floor} %`,
    ),
    width: 900,
    x: { title: 'conversions an output', scale: 'log' },
    y: { title: 'output error, mean of the layers', unit: '%', scale: 'log' },
    series: schemes.map((scheme) => {
      const own = readouts.rows.filter((row) => row.scheme === scheme);
      return {
        name: scheme,
        x: own.map((row) => row.conversionsPerOutput),
        y: own.map((row) => Math.max(floor, 100 * row.relativeError)),
        show: 'points',
      };
    }),
  });
}

/** What of each related scheme is published and what is ours. */
export function schemesTable(): Table {
  return {
    title: 'The related readout schemes: what could be read, what is assumed',
    columns: [
      { key: 'name', label: 'scheme' },
      { key: 'idea', label: 'idea' },
      { key: 'known', label: 'read' },
      { key: 'published', label: 'published figures (references only)' },
      { key: 'assumed', label: 'assumed by us' },
      { key: 'citation', label: 'source' },
    ],
    rows: Object.values(readoutSchemes).map(({ name, idea, known, figures, parameters, citation, doi }) => ({
      name,
      idea,
      known,
      published: figures.map(({ quantity, value, unit }) => `${quantity}: ${value} ${unit}`).join('; '),
      assumed: parameters
        .filter(({ name: parameter }) => parameter !== 'seed')
        .map(({ name: parameter, default: value }) => (value ? `${parameter} = ${value}` : parameter))
        .join('; '),
      citation: doi ? `${citation}, doi ${doi}` : citation,
    })),
  };
}

/** Transfer curves of one converter of each kind, errors as large as show. */
export function convertersFigure(): Figure {
  const adc = { bits: 3 };
  const models: readonly (readonly [string, ConverterModel | undefined])[] = [
    ['ideal', undefined],
    ['flash, comparator offsets of 0.3 LSB', { type: 'flash', comparatorSigma: 0.3 }],
    ['SAR, unit capacitors of 15 %', { type: 'sar', capacitorSigma: 0.15 }],
    ['ramp, sag of 0.8 LSB, offset 0.2 LSB', { type: 'ramp', curvature: 0.8, offset: 0.2 }],
  ];
  return lines({
    title: titled(
      'Transfer curves of 3-bit converters',
      'one converter of each kind, errors large enough to be seen; seed 1',
    ),
    x: { title: 'column sum', tick: 1 },
    y: { title: 'code', tick: 1 },
    series: models.map(([name, model]) => {
      const converter = model && buildConverter(adc, model, randomStream(1, name));
      const curve = transferCurve((sum) => converter?.convert(sum) ?? convert(sum, adc), -0.5, 9);
      return { name, x: curve.sums, y: curve.values, show: 'line', shape: 'step' };
    }),
  });
}

/** What must hold whatever the pictures, and what we expect on CIFAR10. */
export function crossbarClaims(result: CrossbarStudyResult): { claims: Claim[]; obtained: Obtained } {
  const top1 = (network: string, device: string, adcBits: number) =>
    result.points.find(
      (point) => point.network === network && point.device === device && point.adcBits === adcBits,
    )?.accuracy.top1;
  const { prunedBits, denseBits } = result;
  const claims: Claim[] = [
    {
      id: 'dense lossless',
      claim: 'the dense network at the bits its columns need is the 8-bit network',
      expected: 0,
      unit: 'points',
      digits: 2,
    },
    { id: 'pruned bits', claim: 'ADC bits that the pruned network needs', expected: 2 },
    {
      id: 'low bits',
      claim: 'at those bits the pruned network is more accurate than the dense one with ranges by column',
      expected: 0,
      compare: 'at least',
      unit: 'points',
      digits: 2,
    },
  ];
  const lossless = top1('dense', 'ideal', denseBits);
  const [own, rival] = [top1('pruned', 'ideal', prunedBits), top1('dense-columns', 'ideal', prunedBits)];
  return {
    claims,
    obtained: {
      'dense lossless': lossless === undefined ? undefined : lossless - result.integer.top1,
      'pruned bits': prunedBits,
      'low bits': result.realData && own !== undefined && rival !== undefined ? own - rival : undefined,
    },
  };
}
