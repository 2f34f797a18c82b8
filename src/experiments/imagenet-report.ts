import { largestOf } from '../bitplanes/per-plane';
import { FAIR_BASELINE } from '../hardware/map-designs';
import { adcBitsText } from '../quantization/adc-bits';
import type { Claim, Obtained } from '../reports/expected-versus-obtained';
import { type Figure, titled } from '../reports/figure';
import { lines } from '../reports/lines';
import type { Table } from '../reports/table';
import type { Estimate } from './compare-logits';
import { partText } from './imagenet-point';
import { codingParts, type ImagenetResult, type ImagenetRow } from './imagenet-study';
import { baselineSummary } from './network-hardware';

const plusMinus = ({ mean, interval }: Estimate, digits: number) =>
  `${mean.toFixed(digits)} +-${interval.toFixed(digits)}`;

function conditions({ calibrationPictures, rule, seed, pruning }: ImagenetResult): string {
  const { weightBits, encoding } = pruning;
  const coding =
    weightBits === 8
      ? `8-bit weights and activations, ${encoding}`
      : `${weightBits}-bit weights, 8-bit activations, ${encoding}`;
  return `${coding}, ${calibrationPictures} unlabelled calibration pictures (${rule}), seed ${seed}`;
}

/** Name of the study's files: networks in another encoding than the package's own have files of their own. */
export function imagenetStem({ network, pruning }: ImagenetResult): string {
  return ['06', network, ...codingParts(pruning)].join('-');
}

/** Every crossbar beside the float network. */
export function imagenetTable(result: ImagenetResult): Table {
  const { float, integer, network, model, quantization } = result;
  return {
    title: `${network} (${model}) on ${result.pictures}: float top-1 ${float.top1.toFixed(2)} %, 8-bit ${integer.top1.toFixed(2)} % (drop ${plusMinus(quantization.drop, 2)}, agreement ${plusMinus(quantization.agreement, 2)} %) on ${float.pictures} pictures; ${conditions(result)}`,
    columns: [
      { key: 'tileRows', label: 'R' },
      { key: 'adcBits', label: 'ADC bits' },
      { key: 'title', label: 'pruned by' },
      { key: 'top1', label: 'top-1', unit: '%', digits: 2 },
      { key: 'drop', label: 'drop from float' },
      { key: 'drop8', label: 'drop from 8-bit' },
      { key: 'agreement', label: 'agreement with float', unit: '%' },
      { key: 'divergence', label: 'divergence from float', unit: 'nat' },
      { key: 'error', label: 'mean layer error', unit: '%', digits: 2 },
      { key: 'kept', label: 'weights kept', unit: '%', digits: 1 },
      { key: 'lossless', label: 'lossless' },
      { key: 'adc', label: 'ADC energy gain', digits: 2 },
      { key: 'macro', label: 'macro', digits: 2 },
      { key: 'tile', label: 'tile', digits: 2 },
      { key: 'minutes', label: 'time', unit: 'min', digits: 1 },
      { key: 'memory', label: 'memory', unit: 'GiB', digits: 1 },
    ],
    rows: sorted(result).map((row) => {
      const gains = baselineSummary(row.hardware, FAIR_BASELINE).gains;
      return {
        tileRows: row.tileRows,
        adcBits: adcBitsText(row.adcBits),
        title: row.title,
        top1: row.accuracy.top1,
        drop: plusMinus(row.fromFloat.drop, 2),
        drop8: plusMinus(row.from8bit.drop, 2),
        agreement: plusMinus(row.fromFloat.agreement, 1),
        divergence: plusMinus(row.fromFloat.divergence, 3),
        error: row.pruning && 100 * meanOf(Object.values(row.pruning.relativeErrors)),
        kept: 100 * row.nonzeroShare,
        lossless: row.lossless ? 'yes' : 'NO',
        adc: gains.adc.energy,
        macro: gains.macro.energy,
        tile: gains.tile.energy,
        minutes: row.pruning && Object.values(row.pruning.stages).reduce((sum, own) => sum + own, 0) / 60,
        memory: row.pruning?.memoryGib,
      };
    }),
  };
}

const meanOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** The bits that a row stands for: of allocated ones those whose energy they spend. */
function bitsOf({ adcBits, point }: ImagenetRow): number {
  if (point?.part === 'allocated') return point.adcBits;
  return typeof adcBits === 'number' ? adcBits : Math.min(...Object.values(adcBits).map(largestOf));
}

function sorted({ rows }: ImagenetResult): ImagenetRow[] {
  return [...rows].sort((a, b) => b.tileRows - a.tileRows || bitsOf(a) - bitsOf(b));
}

/** How varied the imported weights are, by layer: says what pruning statistics mean for them. */
export function kernelTable({ kernels, model }: ImagenetResult): Table {
  return {
    title: `Distinct kernels and zeros of ${model}`,
    columns: [
      { key: 'layer', label: 'layer' },
      { key: 'kernels', label: 'kernels' },
      { key: 'distinct', label: 'distinct' },
      { key: 'share', label: 'distinct share', unit: '%', digits: 2 },
      { key: 'zeros', label: 'zero weights', unit: '%', digits: 3 },
    ],
    rows: kernels.map(({ name, kernels: all, distinct, weights, zeros }) => ({
      layer: name,
      kernels: all,
      distinct,
      share: (100 * distinct) / all,
      zeros: (100 * zeros) / weights,
    })),
  };
}

/** Accuracy, agreement and divergence against ADC bits, and the layers' errors. */
export function imagenetFigures(result: ImagenetResult): Map<string, Figure> {
  const subject = `${result.network} on ${result.float.pictures} pictures`;
  const measures = [
    {
      name: 'drop',
      title: 'Drop of top-1 accuracy from the float network',
      y: { title: 'drop (points)' },
      value: (row: ImagenetRow) => row.fromFloat.drop,
    },
    {
      name: 'agreement',
      title: 'Pictures classified as the float network does',
      y: { title: 'agreement (%)' },
      value: (row: ImagenetRow) => row.fromFloat.agreement,
    },
    {
      name: 'divergence',
      title: 'Divergence from the class probabilities of the float network',
      y: { title: 'divergence (nat)', scale: 'log' as const },
      value: (row: ImagenetRow) => row.fromFloat.divergence,
    },
  ];
  const stem = imagenetStem(result);
  const figures = new Map<string, Figure>(
    measures.map(({ name, title, y, value }) => [
      `${stem}-${name}`,
      lines({
        title: titled(`${title}, ${subject}`, conditions(result)),
        x: { title: 'ADC bits' },
        y,
        series: seriesOf(result).map(({ name: line, rows }) => ({
          name: line,
          x: rows.map(bitsOf),
          y: rows.map((row) => value(row).mean),
          errors: rows.map((row) => value(row).interval),
        })),
      }),
    ]),
  );
  figures.set(`${stem}-layers`, layerFigure(result, subject));
  return figures;
}

function seriesOf(result: ImagenetResult): { name: string; rows: ImagenetRow[] }[] {
  const series = new Map<string, ImagenetRow[]>();
  for (const row of sorted(result)) {
    const name = `R = ${row.tileRows}, ${row.title}`;
    series.set(name, [...(series.get(name) ?? []), row]);
  }
  return [...series].map(([name, rows]) => ({ name, rows }));
}

function layerFigure(result: ImagenetResult, subject: string): Figure {
  const rows = sorted(result).filter(({ tileRows, point }) => tileRows === 128 && point?.part === 'all');
  return lines({
    title: titled(
      `Output error of each layer, R = 128, ${subject}`,
      `squared error over variance on the calibration pictures, losses of the layers above included; ${conditions(result)}`,
    ),
    x: { title: 'layer, in network order' },
    y: { title: 'relative output error', scale: 'log' },
    series: rows.map((row) => {
      const errors = Object.values(row.pruning!.relativeErrors);
      return { name: `${bitsOf(row)} bits`, x: errors.map((_, i) => i + 1), y: errors };
    }),
  });
}

/** Points that post-training pruning should lose at most, in the mean of the paired drop. */
const TARGETS = [
  { tileRows: 128, adcBits: 4, part: 'all', most: 1 },
  { tileRows: 64, adcBits: 3, part: 'all', most: 1 },
  { tileRows: 128, adcBits: 3, part: 'allocated', most: 0.5 },
] as const;

/** What holds of any data, and the targets for pruning without training. */
export function imagenetClaims(result: ImagenetResult): { claims: Claim[]; obtained: Obtained } {
  const obtained: Record<string, number | boolean> = {
    lossless: result.rows.every(({ lossless }) => lossless),
    crossbar: result.rows.every(({ crossbar }) => crossbar.agrees),
    '8-bit': result.quantization.drop.mean,
  };
  const claims: Claim[] = [
    { id: 'lossless', claim: 'no pruned network can clip a conversion', expected: true },
    { id: 'crossbar', claim: 'the bit-serial crossbar gives the same integers for each', expected: true },
    {
      id: '8-bit',
      claim: 'drop of the 8-bit network',
      expected: 0.3,
      compare: 'at most',
      unit: 'points',
      digits: 2,
    },
  ];
  const atMost = (id: string, claim: string, expected: number, row: ImagenetRow | undefined) => {
    if (!row) return;
    claims.push({ id, claim, expected, compare: 'at most', unit: 'points', digits: 2 });
    obtained[id] = row.fromFloat.drop.mean;
  };
  for (const { tileRows, adcBits, part, most } of TARGETS) {
    const row = result.rows.find(
      ({ point }) => point?.tileRows === tileRows && point.adcBits === adcBits && point.part === part,
    );
    const what = `${tileRows}, ${partText({ part, adcBits }) || `${adcBits} bits`}`;
    atMost(`R ${what}`, `drop at R = ${what}, no training`, most, row);
  }
  const distilled = result.rows.find(
    ({ curve, tileRows, adcBits }) => curve && tileRows === 128 && adcBits === 3,
  );
  atMost('R 128, 3 bits, distilled', 'drop at R = 128, 3 bits, distilled without labels', 0.5, distilled);
  return { claims, obtained };
}
