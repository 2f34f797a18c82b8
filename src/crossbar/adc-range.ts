import { InputError } from '../errors';
import { type AdcSettings, adcCodes, checkAdc, convert } from './adc';
import { mergeHistograms, type SumHistogram } from './sum-histogram';

/**
 * How the span of one code is chosen from the column sums seen:
 * - `lossless`: 1, where the bits hold every sum; an InputError where they do not;
 * - `full-scale`: the highest code is the largest sum the array could give, rows * largest pulse * largest cell;
 * - `maximum`: the highest code is the largest sum seen, so nothing clips;
 * - `percentile`: the highest code is the sum that a share of all sums do not exceed in size;
 * - `minimum-mse`: least mean squared error of the converted sums, every candidate tried.
 */
export type RangePolicy =
  | { readonly policy: 'lossless' | 'maximum' }
  | {
      readonly policy: 'full-scale';
      /** Rows * largest pulse * largest cell, above 0. */
      readonly fullScale: number;
    }
  | {
      readonly policy: 'percentile';
      /** Above 0, at most 1: 0.999 lets one sum in a thousand clip. */
      readonly share: number;
    }
  | {
      readonly policy: 'minimum-mse';
      /** Steps tried, evenly from 0 up to that of `maximum`; whole steps are all tried. 2..100000, default 256. */
      readonly candidates?: number;
    };

export const rangePolicies = ['lossless', 'full-scale', 'maximum', 'percentile', 'minimum-mse'] as const;

/** What shares one step: all of a layer, each array (row tile), or each converted column. */
export type StepGranularity = 'layer' | 'array' | 'column';

export const stepGranularities: readonly StepGranularity[] = ['layer', 'array', 'column'];

/** The steps of a layer's ADCs. */
export interface AdcSteps {
  readonly granularity: StepGranularity;
  /** One for the layer; one an array; or one a converted column, in the order [array][output channel][readout]. */
  readonly values: Float64Array;
}

export interface RangeSettings {
  readonly adc: Pick<AdcSettings, 'bits' | 'rounding' | 'signed'>;
  readonly range: RangePolicy;
  /** Whether steps must be whole, as integer engines need. Default true. */
  readonly whole?: boolean;
}

/** The step that a policy chooses for the sums seen. Without any sum: 1. */
export function chooseStep(seen: SumHistogram, { adc, range, whole = true }: RangeSettings): number {
  checkAdc(adc);
  const { highest } = adcCodes(adc);
  const size = largestSize(seen, adc.signed ?? false);
  const holding = (most: number) => {
    const step = most / highest;
    return whole ? Math.max(1, Math.ceil(step - 1e-9)) : step > 0 ? step : 1;
  };
  switch (range.policy) {
    case 'lossless':
      if (size > highest) {
        throw new InputError(
          `range.policy: lossless, but sums reach ${size} where ${adc.bits} bits hold ${highest}`,
        );
      }
      return 1;
    case 'full-scale':
      if (!(range.fullScale > 0 && range.fullScale < Infinity)) {
        throw new InputError(`range.fullScale: ${range.fullScale} is not a number above 0`);
      }
      return holding(range.fullScale);
    case 'maximum':
      return holding(size);
    case 'percentile':
      if (!(range.share > 0 && range.share <= 1)) {
        throw new InputError(`range.share: ${range.share} is not above 0 and at most 1`);
      }
      return holding(percentile(seen, range.share, adc.signed ?? false));
    case 'minimum-mse':
      return leastError(seen, adc, candidates(holding(size), range.candidates ?? 256, whole));
    default:
      throw new InputError(
        `range.policy: "${(range as RangePolicy).policy}" is unknown; one of ${rangePolicies.join(', ')} is needed`,
      );
  }
}

/**
 * Steps for a whole layer from one histogram a converted column, in the order [array][output channel][readout].
 * `arrays`: row tiles of the layer.
 */
export function chooseSteps(
  columns: readonly SumHistogram[],
  arrays: number,
  granularity: StepGranularity,
  settings: RangeSettings,
): AdcSteps {
  if (!Number.isInteger(arrays) || arrays < 1 || columns.length % arrays !== 0) {
    throw new InputError(`arrays: ${arrays} does not divide ${columns.length} columns`);
  }
  if (!stepGranularities.includes(granularity)) {
    throw new InputError(
      `granularity: "${granularity}" is unknown; one of ${stepGranularities.join(', ')} is needed`,
    );
  }
  const share = granularity === 'column' ? 1 : columns.length / (granularity === 'array' ? arrays : 1);
  const values = new Float64Array(columns.length / share);
  for (let i = 0; i < values.length; i++) {
    values[i] = chooseStep(mergeHistograms(columns.slice(i * share, (i + 1) * share)), settings);
  }
  return { granularity, values };
}

/** Mean squared error of the sums as converted, each weighted by how often it came up. 0 without any sum. */
export function conversionError({ lowest, counts }: SumHistogram, adc: AdcSettings): number {
  let error = 0;
  let total = 0;
  for (let i = 0; i < counts.length; i++) {
    if (counts[i] === 0) continue;
    error += counts[i] * (convert(lowest + i, adc) - (lowest + i)) ** 2;
    total += counts[i];
  }
  return total === 0 ? 0 : error / total;
}

function largestSize({ lowest, counts }: SumHistogram, signed: boolean): number {
  let size = 0;
  for (let i = 0; i < counts.length; i++) {
    if (counts[i] > 0) size = Math.max(size, signed ? Math.abs(lowest + i) : lowest + i);
  }
  return size;
}

function percentile({ lowest, counts }: SumHistogram, share: number, signed: boolean): number {
  const bySize: number[] = [];
  let total = 0;
  for (let i = 0; i < counts.length; i++) {
    // Sums below zero do not ask an unsigned ADC for range.
    const size = signed ? Math.abs(lowest + i) : Math.max(0, lowest + i);
    bySize[size] = (bySize[size] ?? 0) + counts[i];
    total += counts[i];
  }
  let seen = 0;
  for (let size = 0; size < bySize.length; size++) {
    seen += bySize[size] ?? 0;
    if (seen >= share * total) return size;
  }
  return 0;
}

function candidates(most: number, count: number, whole: boolean): number[] {
  if (whole) return Array.from({ length: most }, (_, i) => i + 1);
  if (!Number.isInteger(count) || count < 2 || count > 100000) {
    throw new InputError(`range.candidates: ${count} is not a whole number from 2 to 100000`);
  }
  return Array.from({ length: count }, (_, i) => (most * (i + 1)) / count);
}

function leastError(seen: SumHistogram, adc: AdcSettings, steps: readonly number[]): number {
  let best = steps[0];
  let least = Infinity;
  // From the widest down, so that of equal errors the step with the most head room is kept.
  for (let i = steps.length - 1; i >= 0; i--) {
    const error = conversionError(seen, { ...adc, step: steps[i] });
    if (error < least) [best, least] = [steps[i], error];
  }
  return best;
}
