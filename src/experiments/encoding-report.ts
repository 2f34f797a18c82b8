import type { Claim, Obtained } from '../reports/expected-versus-obtained';
import { type Figure, titled } from '../reports/figure';
import { lines } from '../reports/lines';
import type { Table } from '../reports/table';
import {
  type ComparedEncoding,
  comparedEncodings,
  type EncodingPoint,
  type EncodingStudyResult,
} from './encoding-study';
import { overSeeds } from './over-seeds';
import { unique } from './unique';

const encodingTitles: Readonly<Record<ComparedEncoding, string>> = {
  'sign-split': 'magnitudes (sign-split)',
  csd: 'canonical signed digits',
};

function conditions({ calibrationPictures, iterations, seed, seeds }: EncodingStudyResult): string {
  const drawn = seeds > 1 ? `seeds ${seed} to ${seed + seeds - 1}` : `seed ${seed}`;
  return `8-bit activations, hierarchical with layer ADMM (${iterations} iterations), no training, ${calibrationPictures} unlabelled calibration pictures, ${drawn}`;
}

const subject = ({ network, dataset }: EncodingStudyResult) => `${network} on ${dataset}`;

export function encodingTable(result: EncodingStudyResult): Table {
  const { float, integer } = result;
  return {
    title: `Magnitudes and signed digits in as many columns, ${subject(result)}: float top-1 ${float.top1.toFixed(2)} %, 8-bit ${integer.top1.toFixed(2)} % on ${float.pictures} test pictures; ${conditions(result)}`,
    columns: [
      { key: 'tileRows', label: 'R' },
      { key: 'adcBits', label: 'ADC bits' },
      { key: 'planes', label: 'planes a polarity' },
      { key: 'encoding', label: 'encoding' },
      { key: 'weightBits', label: 'weight bits' },
      { key: 'top1', label: 'top-1', unit: '%', digits: 2 },
      { key: 'interval', label: '+-', digits: 2 },
      { key: 'dropFromFloat', label: 'drop from float', digits: 2 },
      { key: 'dropFrom8bit', label: 'drop from 8-bit', digits: 2 },
      { key: 'mean', label: 'mean over seeds', unit: '%', digits: 2 },
      { key: 'seedInterval', label: '+-', digits: 2 },
      { key: 'error', label: 'mean layer error', unit: '%', digits: 3 },
      { key: 'kept', label: 'weights kept', unit: '%', digits: 1 },
      { key: 'lossless', label: 'lossless' },
      { key: 'conversions', label: 'conversions', unit: 'millions', digits: 1 },
      { key: 'adc', label: 'ADC energy', unit: 'uJ', digits: 2 },
      { key: 'macro', label: 'macro energy', unit: 'uJ', digits: 2 },
      { key: 'minutes', label: 'time', unit: 'min', digits: 1 },
    ],
    rows: result.points.map((point) => ({
      tileRows: point.tileRows,
      adcBits: point.adcBits,
      planes: point.planes,
      encoding: point.encoding,
      weightBits: point.weightBits,
      top1: point.accuracy.top1,
      interval: point.accuracy.interval,
      dropFromFloat: point.dropFromFloat,
      dropFrom8bit: point.dropFrom8bit,
      mean: overSeeds(point.bySeed).mean,
      seedInterval: overSeeds(point.bySeed).interval,
      error: 100 * point.relativeError,
      kept: 100 * point.nonzeroShare,
      lossless: point.lossless ? 'yes' : 'NO',
      conversions: point.conversions / 1e6,
      adc: point.adcEnergyPj / 1e6,
      macro: point.macroEnergyPj / 1e6,
      minutes: point.seconds / 60,
    })),
  };
}

/** What signed digits gain at each crossbar and number of planes, of networks that were calibrated on the same pictures. */
export function encodingGainTable(result: EncodingStudyResult): Table {
  return {
    title: `Top-1 that signed digits gain over magnitudes in as many columns, ${subject(result)}: mean and 95 % interval over ${result.seeds} seeds; ${conditions(result)}`,
    columns: [
      { key: 'tileRows', label: 'R' },
      { key: 'adcBits', label: 'ADC bits' },
      { key: 'planes', label: 'planes a polarity' },
      { key: 'gain', label: 'gain', unit: 'points', digits: 2 },
      { key: 'interval', label: '+-', digits: 2 },
      { key: 'error', label: 'layer error of signed digits over that of magnitudes', digits: 3 },
    ],
    rows: pairsOf(result).map((pair) => {
      const { mean, interval } = overSeeds(gainsOf(pair));
      const { tileRows, adcBits, planes, relativeError } = pair.split;
      return {
        tileRows,
        adcBits,
        planes,
        gain: mean,
        interval,
        error: pair.csd.relativeError / relativeError,
      };
    }),
  };
}

/** Accuracy against the energy of ADCs and of macros: a line an encoding and resolution, a point a number of planes. */
export function encodingFigures(result: EncodingStudyResult): Map<string, Figure> {
  const energies = {
    adc: ['ADC energy', (point: EncodingPoint) => point.adcEnergyPj],
    macro: ['macro energy', (point: EncodingPoint) => point.macroEnergyPj],
  } as const;
  return new Map(
    Object.entries(energies).map(([name, [title, energy]]) => [
      `02-encodings-${name}`,
      lines({
        title: titled(
          `Accuracy against ${title} by encoding, ${subject(result)}`,
          `${unique(result.points.map(({ planes }) => planes)).join(', ')} planes a polarity; ${conditions(result)}`,
        ),
        x: { title: `${title} of an inference`, unit: 'uJ', scale: 'log' },
        y: { title: 'top-1 accuracy (%)' },
        markers: [{ axis: 'y', at: result.integer.top1, label: 'unpruned, 8 bits' }],
        series: seriesOf(result).map(({ name: line, points }) => ({
          name: line,
          x: points.map((point) => energy(point) / 1e6),
          y: points.map(({ bySeed }) => overSeeds(bySeed).mean),
          errors: points.map(({ bySeed }) => overSeeds(bySeed).interval),
        })),
      }),
    ]),
  );
}

function seriesOf({ points }: EncodingStudyResult) {
  const crossbars = unique(points.map(({ tileRows, adcBits }) => `R = ${tileRows}, ${adcBits} bits`));
  return crossbars.flatMap((crossbar) =>
    comparedEncodings.map((encoding) => ({
      name: `${crossbar}, ${encodingTitles[encoding]}`,
      points: points.filter(
        (point) => point.encoding === encoding && `R = ${point.tileRows}, ${point.adcBits} bits` === crossbar,
      ),
    })),
  );
}

/** Signed digits must not lose accuracy, nor cost conversions, against magnitudes in as many columns. */
export function encodingClaims(result: EncodingStudyResult): { claims: Claim[]; obtained: Obtained } {
  const pairs = pairsOf(result);
  const mean = (of: (pair: Pair) => number) => pairs.reduce((sum, pair) => sum + of(pair), 0) / pairs.length;
  const claims: Claim[] = [
    { id: 'lossless', claim: 'no pruned network can clip a conversion', expected: true },
    {
      id: 'gain',
      claim:
        'top-1 that signed digits gain over magnitudes in as many columns, mean over all pairs and seeds',
      expected: 0,
      compare: 'at least',
      unit: 'points',
      digits: 2,
    },
    {
      id: 'sure',
      claim: 'lower end of its 95 % interval over seeds',
      expected: 0,
      compare: 'at least',
      unit: 'points',
      digits: 2,
    },
    {
      id: 'error',
      claim: 'layer error of signed digits over that of magnitudes in as many columns, mean',
      expected: 1,
      compare: 'at most',
      digits: 3,
    },
    {
      id: 'conversions',
      claim: 'conversions of signed digits over those of magnitudes in as many columns, mean',
      expected: 1,
      compare: 'at most',
      digits: 3,
    },
  ];
  const obtained: Record<string, number | boolean> = {
    lossless: result.points.every(({ lossless }) => lossless),
  };
  if (result.realData) {
    const gain = overSeeds(result.points[0].bySeed.map((_, seed) => mean((pair) => gainsOf(pair)[seed])));
    obtained.gain = gain.mean;
    if (result.seeds > 1) obtained.sure = gain.mean - gain.interval;
    obtained.error = mean(({ split, csd }) => csd.relativeError / split.relativeError);
    obtained.conversions = mean(({ split, csd }) => csd.conversions / split.conversions);
  }
  return { claims, obtained };
}

type Pair = ReturnType<typeof pairsOf>[number];

/** By seed. */
const gainsOf = ({ split, csd }: Pair) => csd.bySeed.map((top1, seed) => top1 - split.bySeed[seed]);

/** Points of both encodings at the same crossbar and number of planes. */
function pairsOf({ points }: EncodingStudyResult) {
  return points
    .filter(({ encoding }) => encoding === 'sign-split')
    .map((split) => {
      const { tileRows, adcBits, planes } = split;
      const csd = points.find(
        (point) =>
          point.encoding === 'csd' &&
          point.tileRows === tileRows &&
          point.adcBits === adcBits &&
          point.planes === planes,
      )!;
      return { split, csd };
    });
}
