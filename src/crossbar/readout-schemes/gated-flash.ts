import type { RandomStream } from '../../tensor/random';
import { adcCodes } from '../adc';

export interface GatedFlashSettings {
  readonly adcBits: number;
  /** Span of one code. */
  readonly step: number;
  /** As an Adc's: as many codes below zero as above. */
  readonly signed: boolean;
  /** Standard deviation of a comparator's offset, in steps. */
  readonly comparatorSigma: number;
}

/** A converter has one reading, which each conversion overwrites. */
export interface FlashReading {
  /** Comparators on and below the value, less those of the codes below zero. */
  code: number;
  /** Comparators that were on. */
  fired: number;
  /** The value rounds to a code outside the ADC's. */
  clipped: boolean;
  /** A comparator that was off would have changed the code. */
  cut: boolean;
}

/**
 * Builds one flash converter whose comparators are gated: given `bound`, which the size of the value should not pass,
 * those with thresholds beyond it stay off. Thresholds lie half a step below their codes, so gating never changes the code
 * of a value within its bound, unless a comparator's offset does.
 */
export function gatedFlash(
  { adcBits, step, signed, comparatorSigma }: GatedFlashSettings,
  random: RandomStream,
): (value: number, bound: number) => Readonly<FlashReading> {
  const { lowest, highest } = adcCodes({ bits: adcBits, signed });
  // offsets[i] belongs to the comparator between codes lowest + i and lowest + i + 1.
  const offsets =
    comparatorSigma === 0
      ? undefined
      : Float64Array.from({ length: highest - lowest }, () => comparatorSigma * random.normal());
  const codeOf = (steps: number, from: number, to: number) => {
    if (!offsets) return Math.min(to, Math.max(from, Math.floor(steps + 0.5)));
    let code = from;
    for (let above = from + 1; above <= to; above++) {
      if (steps >= above - 0.5 + offsets[above - 1 - lowest]) code++;
    }
    return code;
  };
  const reading: FlashReading = { code: 0, fired: 0, clipped: false, cut: false };
  return (value, bound) => {
    const steps = value / step;
    const reach = Math.min(highest, Math.floor(bound / step + 0.5));
    const from = signed ? -reach : 0;
    const nearest = Math.floor(steps + 0.5);
    reading.code = codeOf(steps, from, reach);
    reading.fired = reach - from;
    reading.clipped = nearest < lowest || nearest > highest;
    reading.cut = reach < highest && reading.code !== codeOf(steps, lowest, highest);
    return reading;
  };
}
