import { checkWhole } from '../check-number';
import { InputError } from '../errors';
import { type AdcSettings, adcCodes, checkAdc, convert } from './adc';
import { type AdcSteps, checkGranularity, type StepGranularity } from './adc-steps';
import type { SumHistogram } from './sum-histogram';

/**
 * How the span of one code is chosen from the column sums seen:
 * - `lossless`: 1, where the bits hold every sum; an InputError where they do not;
 * - `full-scale`: the highest code is the largest sum that the array could give;
 * - `maximum`: the highest code is the largest sum seen, so nothing clips;
 * - `percentile`: the highest code is the sum that a share of all sums do not exceed in size;
 * - `minimum-mse`: least mean squared error of the converted sums, every candidate tried; of equal ones that with the most
 *   head room up to that of `maximum`.
 */
export type RangePolicy =
  | { readonly policy: 'lossless' | 'full-scale' | 'maximum' }
  | {
      readonly policy: 'percentile';
      /** Above 0, at most 1: 0.999 lets one sum in a thousand clip. */
      readonly share: number;
    }
  | {
      readonly policy: 'minimum-mse';
      /** Real steps tried, evenly from 0 up to that of `maximum`; whole steps are all tried. 2..100000, default 256. */
      readonly candidates?: number;
    };

export const rangePolicies = ['lossless', 'full-scale', 'maximum', 'percentile', 'minimum-mse'] as const;

export interface RangeSettings {
  readonly adc: Pick<AdcSettings, 'bits' | 'rounding' | 'signed'>;
  readonly range: RangePolicy;
  /** For `full-scale`: the largest sum that each array could give, rows * largest pulse * largest cell; above 0. */
  readonly fullScales?: readonly number[];
  /** Whether steps must be whole, as integer engines need. Default true. */
  readonly whole?: boolean;
}

/** The step that a policy chooses for the sums seen. Without any sum: 1. */
export function chooseStep(
  seen: SumHistogram,
  { adc, range, fullScales = [], whole = true }: RangeSettings,
): number {
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
    case 'full-scale': {
      const most = Math.max(...fullScales);
      if (!(most > 0 && most < Infinity)) {
        throw new InputError(`fullScales: ${fullScales.join(', ') || 'none'}; a number above 0 is needed`);
      }
      return holding(most);
    }
    case 'maximum':
      return holding(size);
    case 'percentile':
      if (!(range.share > 0 && range.share <= 1)) {
        throw new InputError(`range.share: ${range.share} is not above 0 and at most 1`);
      }
      return holding(percentile(seen, range.share, adc.signed ?? false));
    case 'minimum-mse':
      return leastError(
        seen,
        adc,
        whole ? wholeCandidates(holding(size), size) : realCandidates(holding(size), range.candidates ?? 256),
      );
    default:
      throw new InputError(
        `range.policy: "${(range as RangePolicy).policy}" is unknown; one of ${rangePolicies.join(', ')} is needed`,
      );
  }
}

/**
 * Steps for a whole layer from histograms of its column sums, one for each step, in the order of AdcSteps. Whole steps of least
 * error never err more, over all sums, than those of a coarser granularity.
 */
export function chooseSteps(
  seen: readonly SumHistogram[],
  granularity: StepGranularity,
  settings: RangeSettings,
): AdcSteps {
  checkGranularity(granularity, 'granularity');
  const { fullScales = [] } = settings;
  const values = Float64Array.from(seen, (own, i) => {
    if (granularity === 'layer') return chooseStep(own, settings);
    const array = Math.floor((i * fullScales.length) / seen.length);
    return chooseStep(own, { ...settings, fullScales: fullScales.slice(array, array + 1) });
  });
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

/**
 * Every whole step that can have the least error, in order of preference: from `holding`, which clips nothing, down, then
 * wider ones up to `size`, the largest sum. Beyond it a code above 0 would exceed every sum.
 */
function wholeCandidates(holding: number, size: number): number[] {
  return Array.from({ length: Math.max(holding, size) }, (_, i) => (i < holding ? holding - i : i + 1));
}

/** Real steps from `most` down. */
function realCandidates(most: number, count: number): number[] {
  checkWhole('range.candidates', count, 2, 100000);
  return Array.from({ length: count }, (_, i) => (most * (count - i)) / count);
}

function leastError(seen: SumHistogram, adc: AdcSettings, steps: readonly number[]): number {
  let best = steps[0];
  let least = Infinity;
  for (const step of steps) {
    const error = conversionError(seen, { ...adc, step });
    if (error < least) [best, least] = [step, error];
  }
  return best;
}
