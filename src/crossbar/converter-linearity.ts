import { checkWhole } from '../check-number';
import { InputError } from '../errors';
import { type AdcSettings, adcCodes } from './adc';

/** What a test bench reads off a converter's transfer curve. LSB are those of its settings (one step). */
export interface ConverterLinearity {
  /** Slope of the line through the outermost transition levels, less 1. 0 with fewer than two levels. */
  readonly gainError: number;
  /** LSB: what that line adds to the input. */
  readonly offset: number;
  /** Deviation of each transition level from that line, LSB; 0 at both ends. [levels] */
  readonly inl: Float64Array;
  /** Width of each code between the outermost, less 1 LSB of that line. [levels - 1] */
  readonly dnl: Float64Array;
  /** Codes between the outermost that no input gives. */
  readonly missingCodes: readonly number[];
}

/**
 * Gain, offset, INL and DNL by the endpoint fit (IEEE Std 1241) from transition levels in LSB: `levels` of a Converter, or
 * what `findLevels` measures.
 */
export function converterLinearity(levels: Float64Array, adc: AdcSettings): ConverterLinearity {
  const { lowest, highest } = adcCodes(adc);
  const count = highest - lowest;
  if (levels.length !== count) {
    throw new InputError(`levels: ${levels.length} where ${adc.bits} bits have ${count} transition levels`);
  }
  const nominal = lowest + 1 - (adc.rounding === 'floor' ? 0 : 0.5);
  const gain = count < 2 ? 1 : (count - 1) / (levels[count - 1] - levels[0]);
  const offset = nominal - gain * levels[0];
  const inl = levels.map((level, i) => gain * level + offset - (nominal + i));
  const dnl = Float64Array.from(
    { length: Math.max(0, count - 1) },
    (_, i) => gain * (levels[i + 1] - levels[i]) - 1,
  );
  const missingCodes: number[] = [];
  // A width of 1e-9 LSB is rounding: no input gives such a code.
  dnl.forEach((width, i) => {
    if (width < 1e-9 - 1) missingCodes.push(lowest + 1 + i);
  });
  return { gainError: gain - 1, offset, inl, dnl, missingCodes };
}

/** Finds each transition level of a black box by bisection, LSB; the box's code must never fall as its input rises. */
export function findLevels(code: (sum: number) => number, adc: AdcSettings): Float64Array {
  const { lowest, highest } = adcCodes(adc);
  const step = adc.step ?? 1;
  return Float64Array.from({ length: highest - lowest }, (_, i) => {
    const reached = (input: number) => code(input * step) > lowest + i;
    let below = lowest - 1;
    let above = highest + 1;
    for (let reach = 1; reached(below) && reach < 2 ** 40; reach *= 2) below -= reach;
    for (let reach = 1; !reached(above) && reach < 2 ** 40; reach *= 2) above += reach;
    for (let middle = (below + above) / 2; middle > below && middle < above; middle = (below + above) / 2) {
      if (reached(middle)) above = middle;
      else below = middle;
    }
    return above;
  });
}

export interface TransferCurve {
  /** Column sums, evenly spaced. */
  readonly sums: Float64Array;
  /** What the digital side sees of each. */
  readonly values: Float64Array;
}

/** The transfer curve of any converter as data to plot: `points` (at least 2) sums from `from` to `to`. */
export function transferCurve(
  convert: (sum: number) => number,
  from: number,
  to: number,
  points = 512,
): TransferCurve {
  checkWhole('points', points, 2);
  if (!(to > from)) throw new InputError(`to: ${to} is not above ${from}, where the curve starts`);
  const sums = Float64Array.from({ length: points }, (_, i) => from + ((to - from) * i) / (points - 1));
  return { sums, values: sums.map((sum) => convert(sum)) };
}
