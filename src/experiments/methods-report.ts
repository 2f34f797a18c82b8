import { groupedBars } from '../reports/bar-figures';
import type { Claim, Obtained } from '../reports/expected-versus-obtained';
import { type Figure, titled } from '../reports/figure';
import { histogram } from '../reports/histogram';
import { lines } from '../reports/lines';
import type { Table } from '../reports/table';
import { gapBins } from './gap-histogram';
import { lineId, type MethodRow, type MethodsResult } from './methods-table';
import { unique } from './unique';
import { untrainedConditions } from './untrained-conditions';

const COMPENSATIONS = { none: 'none', 'layer-admm': 'layer ADMM' } as const;

/** A line's name: the method and its compensation, if it has one. */
const lineName = ({ title, compensation }: MethodRow) =>
  compensation === 'layer-admm' ? `${title}, layer ADMM` : title;

/**
 * Top-1 that can stand beside the others: a line measured on fewer pictures counts by its drop from the 8-bit network
 * on the same pictures.
 */
const comparable = ({ integer }: MethodsResult, row: MethodRow) => integer.top1 - row.dropFrom8bit;

/** Says so where clipped dense was measured on fewer pictures than the rest. */
function fewerPictures({ rows, integer }: MethodsResult): string {
  const pictures = rows.find(({ method }) => method === 'clipped')?.accuracy.pictures ?? integer.pictures;
  return pictures === integer.pictures
    ? ''
    : `; clipped dense: its drop on ${pictures} of ${integer.pictures} test pictures`;
}

/** Tables are read by crossbar: all methods at one R and ADC resolution stand together. */
export function methodsTable(result: MethodsResult): Table {
  const { float, integer, network, dataset } = result;
  const order = (row: MethodRow) => -row.tileRows * 100 + (row.method === 'unpruned' ? 0 : row.adcBits);
  const rows = [...result.rows].sort((a, b) => order(a) - order(b));
  return {
    title: `${network} on ${dataset}: float top-1 ${float.top1.toFixed(2)} %, 8-bit ${integer.top1.toFixed(2)} % on ${float.pictures} test pictures; ${untrainedConditions(result)}`,
    columns: [
      { key: 'tileRows', label: 'R' },
      { key: 'adcBits', label: 'ADC bits' },
      { key: 'method', label: 'method' },
      { key: 'compensation', label: 'compensation' },
      { key: 'top1', label: 'top-1', unit: '%', digits: 2 },
      { key: 'interval', label: '+-', digits: 2 },
      { key: 'pictures', label: 'test pictures' },
      { key: 'dropFromFloat', label: 'drop from float', digits: 2 },
      { key: 'dropFrom8bit', label: 'drop from 8-bit', digits: 2 },
      { key: 'kept', label: 'weights kept', unit: '%', digits: 1 },
      { key: 'requiredAdcBits', label: 'required ADC bits' },
      { key: 'lossless', label: 'lossless' },
      { key: 'gap', label: 'mean certified gap', unit: '%', digits: 3 },
      { key: 'conversions', label: 'conversions', unit: 'millions', digits: 1 },
      { key: 'gain', label: 'ADC energy gain over dense, measured', digits: 2 },
    ],
    rows: rows.map((row) => ({
      tileRows: row.tileRows,
      adcBits: row.adcBits,
      method: row.title,
      compensation: row.compensation && COMPENSATIONS[row.compensation],
      top1: row.accuracy.top1,
      interval: row.accuracy.interval,
      pictures: row.accuracy.pictures,
      dropFromFloat: row.dropFromFloat,
      dropFrom8bit: row.dropFrom8bit,
      kept: 100 * row.nonzeroShare,
      requiredAdcBits: row.requiredAdcBits,
      lossless: row.lossless ? 'yes' : row.method === 'clipped' ? 'clips' : 'NO',
      gap: row.meanGap === undefined ? undefined : 100 * row.meanGap,
      conversions: row.conversions / 1e6,
      gain: row.adcEnergyGain,
    })),
  };
}

/** The figures of the comparison, by file name. */
export function methodsFigures(result: MethodsResult): Map<string, Figure> {
  const { rows, network, dataset } = result;
  const subject = `${network} on ${dataset}`;
  const figures = new Map<string, Figure>();
  for (const tileRows of unique(rows.map((row) => row.tileRows)))
    figures.set(`02-methods-accuracy-r${tileRows}`, accuracyFigure(result, subject, tileRows));
  figures.set('02-methods-pareto', paretoFigure(result, subject));
  const gaps = gapFigure(result);
  if (gaps) figures.set('02-methods-gaps', gaps);
  return figures;
}

function accuracyFigure(result: MethodsResult, subject: string, tileRows: number): Figure {
  const here = result.rows.filter((row) => row.tileRows === tileRows && row.method !== 'unpruned');
  const names = unique(here.map(lineName));
  const find = (name: string, adcBits: number) =>
    here.find((row) => lineName(row) === name && row.adcBits === adcBits);
  return groupedBars({
    title: titled(
      `Accuracy by method, R = ${tileRows}, ${subject}`,
      `${untrainedConditions(result)}${fewerPictures(result)}`,
    ),
    width: 1200,
    height: 650,
    x: { title: 'method' },
    y: { title: 'top-1 accuracy (%)', range: [0, 100] },
    categories: names,
    markers: [{ axis: 'y', at: result.integer.top1, label: 'unpruned, 8 bits' }],
    series: unique(here.map((row) => row.adcBits))
      .sort((a, b) => a - b)
      .map((adcBits) => ({
        name: `${adcBits}-bit ADC`,
        values: names.map((name) => {
          const row = find(name, adcBits);
          return row ? comparable(result, row) : null;
        }),
        errors: names.map((name) => find(name, adcBits)?.accuracy.interval ?? null),
      })),
  });
}

/** Lines that a reader compares; the rest is in the table. */
const SHOWN = new Set([
  'unpruned',
  'row-limited',
  'clipped',
  'value-only-layer-admm',
  'bit-only-layer-admm',
  'lagrangian-none',
  'lagrangian-layer-admm',
  'lagrangian-layer-admm-balanced',
  'trained',
]);

function paretoFigure(result: MethodsResult, subject: string): Figure {
  const shown = result.rows.filter((row) => SHOWN.has(lineId(row)));
  const series = unique(shown.map(lineName)).map((name) => {
    const own = shown.filter((row) => lineName(row) === name).sort((a, b) => a.adcEnergyPj - b.adcEnergyPj);
    return {
      name,
      show: 'points' as const,
      x: own.map((row) => row.adcEnergyPj / 1000),
      y: own.map((row) => comparable(result, row)),
      errors: own.map((row) => row.accuracy.interval),
    };
  });
  return lines({
    title: titled(
      `Accuracy against ADC energy, ${subject}`,
      `a point for each R and ADC resolution; SAR after Saberi scaling (below 4 bits extrapolated)${fewerPictures(result)}`,
    ),
    width: 1000,
    x: { title: 'ADC energy of an inference', unit: 'nJ', scale: 'log' },
    y: { title: 'top-1 accuracy (%)' },
    series,
  });
}

/** How far projections can be from the best: columns by certified gap, all crossbars together. */
function gapFigure({ rows }: MethodsResult): Figure | undefined {
  const series = unique(rows.filter((row) => row.gaps && row.compensation === 'none').map(lineName)).map(
    (name) => {
      const counts = new Array<number>(gapBins.bins).fill(0);
      for (const row of rows.filter((one) => one.compensation === 'none' && lineName(one) === name))
        row.gaps?.forEach((count, bin) => {
          counts[bin] += count;
        });
      return { name, counts };
    },
  );
  if (series.length === 0) return undefined;
  return histogram({
    title: titled(
      'Certified gap of the projected columns',
      'a column is a row tile of an output channel; the first bin holds all gaps of at most 10^-8',
    ),
    start: gapBins.start,
    binWidth: gapBins.binWidth,
    x: { title: 'logarithm (base 10) of the gap (objective - bound) / objective' },
    y: { title: 'columns', scale: 'log' },
    series,
  });
}

const HIERARCHICAL = new Set(['lagrangian', 'exact', 'greedy']);

const crossbarName = ({ tileRows, adcBits }: MethodRow) => `R = ${tileRows}, ${adcBits} bits`;

/** Where no training should be needed: at most half a point is lost. */
const WITHOUT_TRAINING = ['R = 128, 4 bits', 'R = 64, 3 bits'];

/** Points that the chance of the test pictures may take from a lead. */
const TOLERANCE = 0.2;

/**
 * What the comparison must show: pruned networks never clip, and at every R and ADC resolution the best hierarchical line
 * with layer ADMM is ahead of the best other pruned line, or behind by no more than `TOLERANCE`.
 */
export function methodsClaims(result: MethodsResult): { claims: Claim[]; obtained: Obtained } {
  const claims: Claim[] = [];
  const obtained: Record<string, number | boolean> = {};
  const pruned = result.rows.filter((row) => row.compensation);
  claims.push({ id: 'lossless', claim: 'no pruned network can clip a conversion', expected: true });
  obtained.lossless = pruned.every((row) => row.lossless);
  for (const name of unique(pruned.map(crossbarName))) {
    const here = pruned.filter((row) => crossbarName(row) === name);
    const best = (rows: readonly MethodRow[]) => Math.max(...rows.map((row) => row.accuracy.top1));
    const ours = here.filter((row) => HIERARCHICAL.has(row.method) && row.compensation === 'layer-admm');
    const rivals = here.filter((row) => !HIERARCHICAL.has(row.method));
    if (ours.length > 0 && WITHOUT_TRAINING.includes(name)) {
      const id = `${name}, drop`;
      claims.push({
        id,
        claim: `${name}: drop of hierarchical pruning without training from the float network`,
        expected: 0.5,
        compare: 'at most',
        unit: 'points',
        digits: 2,
      });
      if (result.realData) obtained[id] = result.float.top1 - best(ours);
    }
    if (ours.length === 0 || rivals.length === 0) continue;
    claims.push({
      id: name,
      claim: `${name}: best hierarchical line with layer ADMM above the best of the others, at most ${TOLERANCE} points behind`,
      expected: 0,
      tolerance: TOLERANCE,
      compare: 'at least',
      unit: 'points',
      digits: 2,
    });
    // Generated pictures are too easy to tell methods apart.
    if (result.realData) obtained[name] = best(ours) - best(rivals);
  }
  return { claims, obtained };
}
