import { checkWhole } from '../../check-number';
import { randomStream } from '../../tensor/random';
import { buildConverter } from '../build-converter';
import { offValue, programCells } from '../program-cells';
import {
  type MarginSettings,
  marginConverter,
  marginDevice,
  marginSettings,
  referredErrors,
} from './margin-settings';
import { normalTail } from './normal-tail';

/** One unsigned sum of 1-bit cells under 1-bit pulses: `sum` of the `activeRows` rows driven hold a one. */
export interface ColumnSum {
  /** 0..activeRows. */
  readonly sum: number;
  readonly activeRows: number;
}

/** Where the current of a column sum lies, LSB. */
export interface SumCurrent {
  readonly mean: number;
  /** Spread of the cells alone. */
  readonly cellSigma: number;
  /** Spread with the column's offset and the noise of the decision. */
  readonly sigma: number;
}

/** Mean and spread of a column sum's current: independent normal errors, whose variances add. */
export function sumCurrent(of: ColumnSum, settings: MarginSettings = {}): SumCurrent {
  const all = checked(of, settings);
  const { sum, activeRows } = of;
  const off = offValue(marginDevice(all), 1);
  const { offset, noise } = referredErrors(all);
  const variance = all.cellSigma ** 2 * (sum * (1 + off) ** 2 + (activeRows - sum) * off ** 2);
  return {
    mean: sum + (all.leakage === 'kept' ? activeRows * off : 0),
    cellSigma: Math.sqrt(variance),
    sigma: Math.sqrt(variance + offset ** 2 + noise ** 2),
  };
}

/**
 * Sensing margin between `sum` and `sum` + 1, LSB: the gap between the upper bound of the one's current and the lower bound
 * of the other's, `sigmas` standard deviations from their means. At or below 0 they overlap. Without any error it is 1.
 */
export function sensingMargin(of: ColumnSum, settings: MarginSettings = {}, sigmas = 3): number {
  checkWhole('sum', of.sum, 0, of.activeRows - 1);
  const [low, high] = [of.sum, of.sum + 1].map((sum) => sumCurrent({ ...of, sum }, settings));
  return high.mean - sigmas * high.sigma - (low.mean + sigmas * low.sigma);
}

/** Probability that the ADC's code is not the sum (the highest code, for sums above it), by the normal distribution. */
export function codeErrorProbability(of: ColumnSum, settings: MarginSettings = {}): number {
  const { mean, sigma } = sumCurrent(of, settings);
  const highest = 2 ** (settings.adcBits ?? marginSettings({}).adcBits) - 1;
  const code = Math.min(of.sum, highest);
  const beyond = (level: number) =>
    sigma === 0 ? (mean >= level ? 1 : 0) : normalTail((level - mean) / sigma);
  const below = code === 0 ? 0 : 1 - beyond(code - 0.5);
  const above = code === highest ? 0 : beyond(code + 0.5);
  return below + above;
}

/**
 * The same by Monte Carlo: each draw programs the column's cells, makes its converter and converts once. It knows nothing
 * of normal sums, so the two check each other.
 */
export function sampledCodeErrors(
  of: ColumnSum,
  settings: MarginSettings = {},
  draws = 10_000,
): { readonly errorRate: number; readonly standardError: number } {
  const all = checked(of, settings);
  checkWhole('draws', draws, 1, 1e9);
  const adc = { bits: all.adcBits };
  const device = marginDevice(all);
  const model = marginConverter(all);
  const stream = randomStream(all.seed, 'sensing margin');
  const digits = Uint8Array.from({ length: of.activeRows }, (_, row) => (row < of.sum ? 1 : 0));
  const code = Math.min(of.sum, 2 ** all.adcBits - 1);
  let errors = 0;
  for (let i = 0; i < draws; i++) {
    let current = 0;
    for (const value of programCells(digits, device, stream)) current += value;
    if (buildConverter(adc, model, stream).code(current, stream) !== code) errors++;
  }
  const errorRate = errors / draws;
  return { errorRate, standardError: Math.sqrt((errorRate * (1 - errorRate)) / draws) };
}

function checked({ sum, activeRows }: ColumnSum, settings: MarginSettings): Required<MarginSettings> {
  checkWhole('activeRows', activeRows, 0, 2 ** 24);
  checkWhole('sum', sum, 0, activeRows);
  return marginSettings(settings);
}
