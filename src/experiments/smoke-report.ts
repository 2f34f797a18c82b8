import { FAIR_BASELINE, ROW_LIMITED, WORST_CASE } from '../hardware/map-designs';
import { groupedBars } from '../reports/bar-figures';
import type { Claim, Obtained } from '../reports/expected-versus-obtained';
import { type Figure, titled } from '../reports/figure';
import { histogram } from '../reports/histogram';
import type { Table } from '../reports/table';
import { baselineSummary } from './network-hardware';
import type { SmokeResult } from './smoke';
import { untrainedConditions } from './untrained-conditions';

/** Network and data, saying so where the pictures are not CIFAR10. */
function subject({ network, dataset }: SmokeResult): string {
  return `${network} on ${dataset}`;
}

export function smokeTable(result: SmokeResult): Table {
  const dense = result.dense.map(({ tileRows, requiredAdcBits, nonzeroShare }) => ({
    method: 'unpruned, 8-bit weights',
    tileRows,
    adcBits: requiredAdcBits,
    top1: result.integer.top1,
    interval: result.integer.interval,
    dropFromFloat: result.float.top1 - result.integer.top1,
    dropFrom8bit: 0,
    kept: 100 * nonzeroShare,
    lossless: 'yes',
  }));
  const pruned = result.configurations.map((row) => ({
    method: 'hierarchical, layer ADMM',
    tileRows: row.tileRows,
    adcBits: row.adcBits,
    top1: row.accuracy.top1,
    interval: row.accuracy.interval,
    dropFromFloat: row.dropFromFloat,
    dropFrom8bit: row.dropFrom8bit,
    kept: 100 * row.nonzeroShare,
    lossless: row.lossless ? 'yes' : 'NO',
    crossbar: row.crossbar.agrees ? 'agrees' : 'DIFFERS',
    ...Object.fromEntries(
      BASELINES.map((name) => [name, baselineSummary(row.hardware, name).gains.adc.energy]),
    ),
  }));
  return {
    title: `${subject(result)}: float top-1 ${result.float.top1.toFixed(2)} % on ${result.float.pictures} test pictures; ${untrainedConditions(result)}`,
    columns: [
      { key: 'method', label: 'method' },
      { key: 'tileRows', label: 'R' },
      { key: 'adcBits', label: 'ADC bits' },
      { key: 'top1', label: 'top-1', unit: '%', digits: 2 },
      { key: 'interval', label: '+-', digits: 2 },
      { key: 'dropFromFloat', label: 'drop from float', digits: 2 },
      { key: 'dropFrom8bit', label: 'drop from 8-bit', digits: 2 },
      { key: 'kept', label: 'weights kept', unit: '%', digits: 1 },
      { key: 'lossless', label: 'lossless' },
      { key: 'crossbar', label: 'crossbar' },
      ...BASELINES.map((name) => ({ key: name, label: `ADC energy gain over ${name}`, digits: 2 })),
    ],
    rows: [...dense, ...pruned],
  };
}

/** Names of the hardware report's baselines. */
const BASELINES = [WORST_CASE, FAIR_BASELINE, ROW_LIMITED] as const;

const label = ({ tileRows, adcBits }: { tileRows: number; adcBits: number }) =>
  `R = ${tileRows}, ${adcBits} bits`;

/** The figures of the main job, by file name. */
export function smokeFigures(result: SmokeResult): Map<string, Figure> {
  const { configurations } = result;
  const accuracy = groupedBars({
    title: titled(`Accuracy after pruning, ${subject(result)}`, untrainedConditions(result)),
    x: { title: 'rows a conversion and ADC resolution' },
    y: { title: 'top-1 accuracy (%)', range: accuracyRange(result) },
    categories: ['float', '8-bit, unpruned', ...configurations.map(label)],
    series: [
      {
        name: 'top-1',
        values: [result.float.top1, result.integer.top1, ...configurations.map((row) => row.accuracy.top1)],
        errors: [
          result.float.interval,
          result.integer.interval,
          ...configurations.map((row) => row.accuracy.interval),
        ],
      },
    ],
  });
  const energy = groupedBars({
    title: titled(
      `ADC energy of one inference, ${subject(result)}`,
      'ADC: SAR after Saberi scaling (below 4 bits extrapolated); conversions counted from the codes',
    ),
    x: { title: 'rows a conversion and ADC resolution of the pruned network' },
    y: { title: 'ADC energy (nJ)', scale: 'log' },
    categories: configurations.map(label),
    series: [
      ...BASELINES.map((name) => ({
        name: `unpruned: ${name}`,
        values: configurations.map((row) => baselineSummary(row.hardware, name).energyPj.adc / 1000),
      })),
      { name: 'pruned', values: configurations.map((row) => row.hardware.energyPj.adc / 1000) },
    ],
  });
  const figures = new Map([
    ['00-accuracy', accuracy],
    ['00-adc-energy', energy],
  ]);
  for (const { tileRows, onesHistogram } of result.dense)
    figures.set(
      `00-ones-r${tileRows}`,
      histogram({
        title: titled(
          `Ones in a bit column of ${tileRows} rows, ${result.network}`,
          `an ADC of B bits counts up to 2^B - 1 ones; ${result.encoding}, ${result.weightBits}-bit weights`,
        ),
        x: { title: 'ones in a bit column' },
        y: { title: 'bit columns', scale: 'log' },
        series: [
          { name: 'unpruned', counts: onesHistogram },
          ...configurations
            .filter((row) => row.tileRows === tileRows)
            .map((row) => ({ name: `pruned to ${row.adcBits} bits`, counts: row.onesHistogram })),
        ],
      }),
    );
  return figures;
}

/** From a little below the worst accuracy, so that differences of a tenth show. */
function accuracyRange({ float, integer, configurations }: SmokeResult): [number, number] {
  const all = [float.top1, integer.top1, ...configurations.map((row) => row.accuracy.top1)];
  return [Math.max(0, Math.floor(Math.min(...all) - 1)), Math.min(100, Math.ceil(Math.max(...all) + 1))];
}

/**
 * What the main job must show. Structure (lossless, crossbar equal) holds on any data; accuracies are those of the
 * committed network on CIFAR10 and are skipped elsewhere.
 */
export function smokeClaims(
  result: SmokeResult,
  expectedTop1: Readonly<Record<string, number>>,
): { claims: Claim[]; obtained: Obtained } {
  const claims: Claim[] = [];
  const obtained: Record<string, number | boolean> = {};
  for (const row of result.configurations) {
    const name = `R${row.tileRows}-${row.adcBits}bit`;
    claims.push(
      { id: `${name} lossless`, claim: `${label(row)}: no conversion can clip`, expected: true },
      {
        id: `${name} crossbar`,
        claim: `${label(row)}: bit-serial crossbar equals the integer network`,
        expected: true,
      },
    );
    obtained[`${name} lossless`] = row.lossless && row.requiredAdcBits <= row.adcBits;
    obtained[`${name} crossbar`] = row.crossbar.agrees;
    if (expectedTop1[name] === undefined) continue;
    claims.push({
      id: `${name} top-1`,
      claim: `${label(row)}: top-1 accuracy, no training`,
      expected: expectedTop1[name],
      tolerance: 0.3,
      compare: 'at least',
      unit: '%',
      digits: 2,
    });
    if (result.realData) obtained[`${name} top-1`] = row.accuracy.top1;
  }
  return { claims, obtained };
}
