import { groupedBars } from '../reports/bar-figures';
import type { Claim, Obtained } from '../reports/expected-versus-obtained';
import { type Figure, titled } from '../reports/figure';
import { lines } from '../reports/lines';
import type { Table } from '../reports/table';
import { overSeeds } from './over-seeds';
import type { RivalRow, RivalsResult } from './rivals-study';
import { unique } from './unique';

function conditions({ tileRows, epochs, rate, seed, calibrationPictures }: RivalsResult): string {
  return `R = ${tileRows}, 8-bit weights and activations, sign-split; every pruned line trained for ${epochs} epochs at rates up to ${rate}, ${calibrationPictures} calibration pictures, seed ${seed}`;
}

/** Every line at every ADC resolution; those of one resolution stand together. */
export function rivalsTable(result: RivalsResult): Table {
  const { float, integer, network, dataset } = result;
  const rows = [...result.rows].sort((a, b) => a.adcBits - b.adcBits);
  return {
    title: `${network} on ${dataset}: float top-1 ${float.top1.toFixed(2)} %, 8-bit ${integer.top1.toFixed(2)} % on ${float.pictures} test pictures; ${conditions(result)}`,
    columns: [
      { key: 'adcBits', label: 'ADC bits' },
      { key: 'title', label: 'method' },
      { key: 'kind', label: 'kind' },
      { key: 'before', label: 'top-1 before training', unit: '%', digits: 2 },
      { key: 'top1', label: 'top-1', unit: '%', digits: 2 },
      { key: 'interval', label: '+-', digits: 2 },
      { key: 'seeds', label: 'seeds' },
      { key: 'mean', label: 'mean over seeds', unit: '%', digits: 2 },
      { key: 'seedInterval', label: '+-', digits: 2 },
      { key: 'pictures', label: 'test pictures' },
      { key: 'dropFromFloat', label: 'drop from float', digits: 2 },
      { key: 'dropFrom8bit', label: 'drop from 8-bit', digits: 2 },
      { key: 'kept', label: 'weights kept', unit: '%', digits: 1 },
      { key: 'requiredAdcBits', label: 'required ADC bits' },
      { key: 'lossless', label: 'lossless' },
      { key: 'conversions', label: 'conversions', unit: 'millions', digits: 1 },
      { key: 'gain', label: 'ADC energy gain over dense, measured', digits: 2 },
      { key: 'minutes', label: 'minutes', digits: 1 },
    ],
    rows: rows.map((row) => ({
      adcBits: row.adcBits,
      title: row.title,
      kind: row.kind,
      before: row.before?.top1,
      top1: row.accuracy.top1,
      interval: row.accuracy.interval,
      seeds: row.bySeed?.length,
      mean: row.bySeed && overSeeds(row.bySeed).mean,
      seedInterval: row.bySeed && overSeeds(row.bySeed).interval,
      pictures: row.accuracy.pictures,
      dropFromFloat: row.dropFromFloat,
      dropFrom8bit: row.dropFrom8bit,
      kept: 100 * row.nonzeroShare,
      requiredAdcBits: row.requiredAdcBits,
      lossless: row.lossless ? 'yes' : row.name === 'clipped' ? 'clips' : 'NO',
      conversions: row.conversions / 1e6,
      gain: row.adcEnergyGain,
      minutes: row.seconds / 60,
    })),
  };
}

/** Accuracy against ADC bits, a line a method; ablations, measured at one resolution, in a figure of their own. */
export function rivalsFigures(result: RivalsResult): Map<string, Figure> {
  const kinds = (wanted: readonly RivalRow['kind'][]) =>
    result.rows.filter(({ kind }) => wanted.includes(kind));
  return new Map([
    [
      '08-rivals',
      accuracyFigure(result, 'Methods after equal training', kinds(['ours', 'rival', 'unpruned'])),
    ],
    ['08-ablations', ablationFigure(result)],
  ]);
}

/** What each part is worth: the drop with it left out or exchanged, at the lowest resolution. */
function ablationFigure(result: RivalsResult): Figure {
  const adcBits = Math.min(...result.rows.map((row) => row.adcBits));
  const kinds: readonly RivalRow['kind'][] = ['ours', 'ablation'];
  const rows = result.rows.filter((row) => kinds.includes(row.kind) && row.adcBits === adcBits);
  return groupedBars({
    title: titled(
      `Parts left out or exchanged, ${result.network} on ${result.dataset}, ${adcBits}-bit ADC`,
      `${conditions(result)}; bars: 95 % of the difference of two accuracies, as if each had test pictures of its own`,
    ),
    width: 1000,
    x: { title: '' },
    y: { title: 'below float (points)' },
    // A line each, which Plotly does not turn.
    categories: rows.map(({ title }) => title.replaceAll(', ', ',<br>')),
    series: [
      {
        name: 'drop',
        values: rows.map(({ dropFromFloat }) => dropFromFloat),
        errors: rows.map(({ accuracy }) => Math.hypot(accuracy.interval, result.float.interval)),
      },
    ],
  });
}

function accuracyFigure(result: RivalsResult, what: string, rows: readonly RivalRow[]): Figure {
  return lines({
    title: titled(`${what}, ${result.network} on ${result.dataset}`, conditions(result)),
    width: 1000,
    x: { title: 'ADC resolution (bits)', tick: 1 },
    y: { title: 'top-1 accuracy (%)' },
    markers: [{ axis: 'y', at: result.float.top1, label: 'float' }],
    series: unique(rows.map(({ title }) => title)).map((title) => {
      const own = rows.filter((row) => row.title === title).sort((a, b) => a.adcBits - b.adcBits);
      return {
        name: title,
        x: own.map(({ adcBits }) => adcBits),
        // A line measured on fewer pictures counts by its drop on them.
        y: own.map(({ dropFromFloat }) => result.float.top1 - dropFromFloat),
        errors: own.map(({ accuracy }) => accuracy.interval),
      };
    }),
  });
}

/** Points that the chance of the test pictures may take from a lead. */
const TOLERANCE = 0.2;

/** What must hold: nothing pruned clips, and hierarchical pruning is ahead of the best rival, or behind by no more than that. */
export function rivalsClaims(result: RivalsResult): { claims: Claim[]; obtained: Obtained } {
  const claims: Claim[] = [
    { id: 'lossless', claim: 'no pruned network can clip a conversion', expected: true },
  ];
  const obtained: Record<string, number | boolean> = {
    lossless: result.rows.every(({ kind, lossless }) => kind === 'unpruned' || lossless),
  };
  for (const adcBits of unique(result.rows.map((row) => row.adcBits))) {
    const best = (wanted: RivalRow['kind']) =>
      Math.max(
        ...result.rows
          .filter((row) => row.adcBits === adcBits && row.kind === wanted)
          .map(({ accuracy }) => accuracy.top1),
      );
    const lead = best('ours') - best('rival');
    if (!Number.isFinite(lead)) continue;
    const id = `${adcBits} bits`;
    claims.push({
      id,
      claim: `${id}: hierarchical pruning above the best rival after equal training, at most ${TOLERANCE} points behind`,
      expected: 0,
      tolerance: TOLERANCE,
      compare: 'at least',
      unit: 'points',
      digits: 2,
    });
    // Generated pictures are too easy to tell methods apart.
    if (result.realData) obtained[id] = lead;
  }
  return { claims, obtained };
}
