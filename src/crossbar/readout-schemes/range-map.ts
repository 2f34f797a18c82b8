import type { Converter } from '../build-converter';
import type { SignalHistograms } from './signal-histograms';

/** Where a layer's pulses lie on its DACs' curve, and its column sums on its ADCs'. */
export interface Placement {
  /** DAC code of the largest pulse; a pulse p is driven as code round(p * dacFull / maxPulse), zero as zero. */
  readonly dacFull: number;
  /** ADC code at which a sum of 0 is placed. */
  readonly adcZero: number;
  /** ADC codes a sum rises by for each cell level, before the ADC's own errors. */
  readonly codesPerUnit: number;
}

/** A placement, and how the digital side reads what comes of it. */
export interface RangeMap extends Placement {
  /** DAC steps that are taken for a pulse of 1. */
  readonly dacGain: number;
  /** Code that is taken for a sum of 0. */
  readonly zeroCode: number;
  /** Cell levels that are taken for each code. */
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
export function fullScale({ bound }: SignalHistograms, { dac, adc }: TransferCurves): Placement {
  // An ADC with codes to spare keeps a whole step, as a plain one does.
  return { dacFull: dac.length - 1, adcZero: 0, codesPerUnit: Math.min(1, adc.highest / bound) };
}

/** Reads a placement as if both curves were straight. */
export function nominalGains(
  placement: Placement,
  { pulses }: SignalHistograms,
  { dac }: TransferCurves,
): RangeMap {
  const { dacFull, adcZero, codesPerUnit } = placement;
  const dacGain = (dac[dac.length - 1] * dacFull) / ((dac.length - 1) * (pulses.length - 1));
  return { ...placement, dacGain, zeroCode: adcZero, unitsPerCode: 1 / codesPerUnit };
}

/**
 * Reads a placement by gains fitted to the curves: least squares over the signals met, through zero. (A constant error in
 * a column that is always zero would add up over the planes.)
 */
export function fitGains(placement: Placement, signals: SignalHistograms, curves: TransferCurves): RangeMap {
  const { dacGain } = fitInput(placement.dacFull, signals.pulses, curves);
  const { zeroCode, unitsPerCode } = fitOutput(placement, signals, curves.adc);
  return { ...placement, dacGain, zeroCode, unitsPerCode };
}

/**
 * The placement of least expected error on the signals met, each read by fitted gains. Input: the DAC code of the largest
 * pulse. Output: where sum 0 lies and how many codes a cell level takes. Nonlinearity, rounding, clipping and noise trade
 * off by themselves: a narrow range of codes may be straighter, a wide one drowns noise and rounding.
 */
export function choosePlacement(signals: SignalHistograms, curves: TransferCurves): Placement {
  let dacFull = curves.dac.length - 1;
  let least = Infinity;
  for (let full = 1; full < curves.dac.length; full++) {
    const { error } = fitInput(full, signals.pulses, curves);
    // Of equals the larger signal.
    if (error <= least) [dacFull, least] = [full, error];
  }
  return { dacFull, ...chooseOutput(signals, curves.adc) };
}

/** DAC code of a pulse's size. */
export function dacCode(pulse: number, largest: number, dacFull: number): number {
  return Math.round((pulse * dacFull) / largest);
}

function fitInput(dacFull: number, pulses: Float64Array, { dac, dacNoise }: TransferCurves) {
  const largest = pulses.length - 1;
  const level = (pulse: number) => dac[dacCode(pulse, largest, dacFull)];
  let [cross, square] = [0, 0];
  for (let pulse = 1; pulse <= largest; pulse++) {
    cross += pulses[pulse] * pulse * level(pulse);
    square += pulses[pulse] * pulse * pulse;
  }
  // No pulse was met, or none that this range would drive.
  if (!(cross > 0)) return { dacGain: dac[dac.length - 1] / largest, error: Infinity };
  const dacGain = cross / square;
  let error = 0;
  for (let pulse = 1; pulse <= largest; pulse++) {
    error += pulses[pulse] * ((level(pulse) / dacGain - pulse) ** 2 + (dacNoise / dacGain) ** 2);
  }
  return { dacGain, error };
}

/** Shares of the largest sum met that the highest code may stand for, when the rest is clipped. */
const SPANS = [1, 7 / 8, 3 / 4, 5 / 8, 1 / 2, 3 / 8, 1 / 4, 3 / 16, 1 / 8];

/** Places and ends tried on the ADC's codes, at most so many each. */
const PLACES = 32;

function chooseOutput(signals: SignalHistograms, adc: Converter): Omit<Placement, 'dacFull'> {
  const { lowestSum, sums } = signals;
  const { lowest, highest } = adc;
  const stride = Math.ceil((highest - lowest) / PLACES);
  const reach = Math.max(1, lowestSum + sums.length - 1, -lowestSum);
  let best = { adcZero: 0, codesPerUnit: 1 };
  let least = Infinity;
  const consider = (adcZero: number, codesPerUnit: number) => {
    const candidate = { adcZero, codesPerUnit };
    const { error } = fitOutput(candidate, signals, adc);
    if (error < least) [best, least] = [candidate, error];
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

function fitOutput(
  { adcZero, codesPerUnit }: Omit<Placement, 'dacFull'>,
  { lowestSum, sums }: SignalHistograms,
  adc: Converter,
) {
  const zeroCode = adc.code(adcZero);
  let [cross, square, own] = [0, 0, 0];
  for (let i = 0; i < sums.length; i++) {
    if (sums[i] === 0) continue;
    const sum = lowestSum + i;
    const code = adc.code(adcZero + sum * codesPerUnit) - zeroCode;
    cross += sums[i] * code * sum;
    square += sums[i] * code * code;
    own += sums[i] * sum * sum;
  }
  const unitsPerCode = square === 0 ? 1 / codesPerUnit : cross / square;
  // Sum of (gain * code - sum)^2, multiplied out; rounding may take it below 0.
  return { zeroCode, unitsPerCode, error: Math.max(0, own - (square === 0 ? 0 : cross * unitsPerCode)) };
}
