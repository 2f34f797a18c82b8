import type { Converter } from '../build-converter';
import type { SignalHistograms } from './signal-histograms';

/** Where a layer's pulses lie on its DACs' curve, and its column sums on its ADCs'. */
export interface RangeMap {
  /** DAC code of the largest pulse; a pulse p is driven as code round(p * dacFull / maxPulse), zero as zero. */
  readonly dacFull: number;
  /** DAC steps that the digital side takes for a pulse of 1. */
  readonly dacGain: number;
  /** ADC code at which a sum of 0 is placed. */
  readonly adcZero: number;
  /** ADC codes a sum rises by for each cell level, before the ADC's own errors. */
  readonly codesPerUnit: number;
  /** Code that the ADC gives for a sum of 0: the digital side counts from there. */
  readonly zeroCode: number;
  /** Cell levels that the digital side takes for each code. */
  readonly unitsPerCode: number;
}

/** A DAC and an ADC as the chooser sees them. */
export interface TransferCurves {
  /** DAC output at each code, steps. */
  readonly dac: Float64Array;
  /** Noise of a pulse that is not zero, DAC steps rms. */
  readonly dacNoise: number;
  /** ADC with a step of 1. */
  readonly adc: Converter;
}

/** Full scale on full scale: the largest pulse on the highest DAC code, the largest possible sum on the highest ADC code. */
export function unmappedRange({ pulses, bound }: SignalHistograms, { dac, adc }: TransferCurves): RangeMap {
  const dacFull = dac.length - 1;
  // An ADC with codes to spare keeps a whole step, as a plain one does.
  const codesPerUnit = Math.min(1, adc.highest / bound);
  return {
    dacFull,
    dacGain: dac[dacFull] / (pulses.length - 1),
    adcZero: 0,
    codesPerUnit,
    zeroCode: 0,
    unitsPerCode: 1 / codesPerUnit,
  };
}

/**
 * The map of least expected error on the signals met. Input: the DAC code of the largest pulse. Output: where sum 0 lies
 * and how many codes a cell level takes. For each candidate the digital gain is the least-squares one through zero (a
 * constant error in a column that is always zero would add up over the planes), and the error is weighted as the
 * histograms are. Mismatch between neighbours, noise and nonlinearity trade off by themselves: a narrow range of codes may
 * be straighter, a wide one drowns noise and rounding.
 */
export function chooseRangeMap(signals: SignalHistograms, curves: TransferCurves): RangeMap {
  return { ...chooseInput(signals.pulses, curves), ...chooseOutput(signals, curves.adc) };
}

function chooseInput(pulses: Float64Array, { dac, dacNoise }: TransferCurves) {
  const largest = pulses.length - 1;
  let best = { dacFull: dac.length - 1, dacGain: dac[dac.length - 1] / largest };
  let least = Infinity;
  for (let dacFull = 1; dacFull < dac.length; dacFull++) {
    const level = (pulse: number) => dac[dacCode(pulse, largest, dacFull)];
    let [cross, square] = [0, 0];
    for (let pulse = 1; pulse <= largest; pulse++) {
      cross += pulses[pulse] * pulse * level(pulse);
      square += pulses[pulse] * pulse * pulse;
    }
    if (!(cross > 0)) continue;
    const dacGain = cross / square;
    let error = 0;
    for (let pulse = 1; pulse <= largest; pulse++) {
      error += pulses[pulse] * ((level(pulse) / dacGain - pulse) ** 2 + (dacNoise / dacGain) ** 2);
    }
    // Of equals the larger signal.
    if (error <= least) [best, least] = [{ dacFull, dacGain }, error];
  }
  return best;
}

/** DAC code of a pulse's size. */
export function dacCode(pulse: number, largest: number, dacFull: number): number {
  return Math.round((pulse * dacFull) / largest);
}

/** Shares of the largest sum met that the highest code may stand for, when the rest is clipped. */
const SPANS = [1, 7 / 8, 3 / 4, 5 / 8, 1 / 2, 3 / 8, 1 / 4, 3 / 16, 1 / 8];

/** Places and ends tried on the ADC's codes, at most so many each. */
const PLACES = 32;

function chooseOutput({ lowestSum, sums }: SignalHistograms, adc: Converter) {
  const most = lowestSum + sums.length - 1;
  const [lowest, highest] = [adc.lowest, adc.highest];
  const stride = Math.ceil((highest - lowest) / PLACES);
  const reach = Math.max(1, most, -lowestSum);
  let best = { adcZero: 0, codesPerUnit: 1, zeroCode: 0, unitsPerCode: 1 };
  let least = Infinity;
  const consider = (adcZero: number, codesPerUnit: number) => {
    const zeroCode = adc.code(adcZero);
    let [cross, square] = [0, 0];
    for (let i = 0; i < sums.length; i++) {
      if (sums[i] === 0) continue;
      const code = adc.code(adcZero + (lowestSum + i) * codesPerUnit) - zeroCode;
      cross += sums[i] * code * (lowestSum + i);
      square += sums[i] * code * code;
    }
    const unitsPerCode = square === 0 ? 1 / codesPerUnit : cross / square;
    let error = 0;
    for (let i = 0; i < sums.length && error < least; i++) {
      if (sums[i] === 0) continue;
      const code = adc.code(adcZero + (lowestSum + i) * codesPerUnit) - zeroCode;
      error += sums[i] * (code * unitsPerCode - lowestSum - i) ** 2;
    }
    if (error < least) [best, least] = [{ adcZero, codesPerUnit, zeroCode, unitsPerCode }, error];
  };
  // The plain placement first, so that what is chosen is never worse.
  consider(0, 1);
  for (const span of SPANS) {
    // Signed sums keep their zero in the middle; unsigned ones may start anywhere.
    for (let zero = lowest < 0 ? 0 : lowest; zero < (lowest < 0 ? 1 : highest); zero += stride) {
      for (let end = highest; end > zero; end -= stride) consider(zero, (end - zero) / (span * reach));
    }
  }
  return best;
}
