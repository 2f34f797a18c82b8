import type { RandomStream } from '../tensor/random';
import { type AdcSettings, adcCodes, checkAdc } from './adc';
import { type ConverterErrors, type ConverterModel, checkConverter } from './converter-model';

/** One converter as made: its errors are drawn once and stay. */
export interface Converter {
  readonly adc: AdcSettings;
  readonly lowest: number;
  readonly highest: number;
  /** Input at which the code rises from lowest + i to the next, LSB, never falling; without noise. [highest - lowest] */
  readonly levels: Float64Array;
  /** Where to look first: code - lowest is near floor(slope * input + shift), whatever gain and offset. */
  readonly guess: { readonly slope: number; readonly shift: number };
  /** Inputs below the first or from the second on lie outside the range, LSB. */
  readonly limits: readonly [below: number, above: number];
  /** Noise of the input, rms, in units of the sums. */
  readonly inputNoise: number;
  /** Noise of the comparator, LSB rms. */
  readonly comparatorNoise: number;
  /** The code of a sum whose input noise is in it already. Without a stream the comparator adds none. */
  decide(sum: number, noise?: RandomStream): number;
  /** The code of a column sum. Without a stream no noise is added. */
  code(sum: number, noise?: RandomStream): number;
  /** The column sum as the digital side sees it: code * step. */
  convert(sum: number, noise?: RandomStream): number;
  /** Whether the sum lies outside the range. */
  clips(sum: number): boolean;
}

/**
 * Makes one converter of the kind `model` with the resolution, step and rounding of `adc`, its errors drawn from `stream`.
 * With all errors zero it is `convert` of adc.ts to the bit.
 */
export function buildConverter(adc: AdcSettings, model: ConverterModel, stream: RandomStream): Converter {
  checkAdc(adc);
  checkConverter(model, adc);
  const { lowest, highest } = adcCodes(adc);
  const step = adc.step ?? 1;
  // A gain drawn at 0 or below would be no converter.
  const gain = Math.max(1e-3, 1 + (model.gainError ?? 0) + draw(model.gainSigma, stream));
  const offset = (model.offset ?? 0) + draw(model.offsetSigma, stream);
  const place = (level: number) => (level - offset) / gain;

  const shift = adc.rounding === 'floor' ? 0 : 0.5;
  const decisions = ownLevels(adc, model, stream);
  const inl = nonlinearity(model, highest - lowest, stream);
  for (let i = 0; i < decisions.length; i++) {
    decisions[i] = inclusive(place(decisions[i] - shift + inl[i]), lowest + i + 1, adc);
  }
  const levels = settled(decisions, adc, model.type);
  const limits = [
    inclusive(place(lowest - shift), lowest, adc),
    inclusive(place(highest + 1 - shift), highest + 1, adc),
  ] as const;

  const guess = { slope: gain, shift: offset + shift - lowest };
  const inputNoise = (model.noise ?? 0) * step;
  const comparatorNoise = model.comparatorNoise ?? 0;
  const decide = (sum: number, noise?: RandomStream): number => {
    const input = sum / step;
    if (!noise || comparatorNoise === 0) return lowest + codeIndex(levels, guess, input);
    return oneByOne[model.type](decisions, adc, input, comparatorNoise, noise);
  };
  const code = (sum: number, noise?: RandomStream): number =>
    decide(noise && inputNoise > 0 ? sum + inputNoise * noise.normal() : sum, noise);
  return {
    adc,
    lowest,
    highest,
    levels,
    guess,
    limits,
    inputNoise,
    comparatorNoise,
    decide,
    code,
    convert: (sum, noise) => code(sum, noise) * step + 0,
    clips: (sum) => sum / step < limits[0] || sum / step >= limits[1],
  };
}

/** How many of the sorted transition levels an input reaches: a guess, then a walk. */
function codeIndex(levels: Float64Array, { slope, shift }: Converter['guess'], input: number): number {
  const last = levels.length;
  let at = Math.min(last, Math.max(0, Math.floor(input * slope + shift)));
  while (at < last && input >= levels[at]) at++;
  while (at > 0 && input < levels[at - 1]) at--;
  return at;
}

function draw(sigma: number | undefined, stream: RandomStream): number {
  // Drawn even when it is not used, so that one error does not change what another draws.
  const normal = stream.normal();
  return sigma ? sigma * normal : 0;
}

/** Levels that the kind of converter compares with, LSB, before rounding, gain, offset and tables. */
function ownLevels(adc: AdcSettings, model: ConverterModel, stream: RandomStream): Float64Array {
  switch (model.type) {
    case 'sar':
      return sarLevels(adc, model.capacitorSigma ?? 0, stream);
    case 'flash':
      return flashLevels(adc, model.comparatorSigma ?? 0, stream);
    default:
      return rampLevels(adc, model.curvature ?? 0);
  }
}

/** Output of a binary-weighted capacitor array with a terminating unit, for every code above the lowest. */
function sarLevels(adc: AdcSettings, sigma: number, stream: RandomStream): Float64Array {
  const { lowest, highest } = adcCodes(adc);
  const capacitors = Float64Array.from({ length: adc.bits }, (_, bit) => {
    const units = 2 ** bit;
    return units + draw(sigma * Math.sqrt(units), stream);
  });
  let total = 1 + draw(sigma, stream);
  for (const capacitor of capacitors) total += capacitor;
  const middle = adc.signed ? 2 ** (adc.bits - 1) : 0;
  return Float64Array.from({ length: highest - lowest }, (_, i) => {
    const word = lowest + i + 1 + middle;
    let charge = 0;
    for (let bit = 0; bit < adc.bits; bit++) if ((word >> bit) & 1) charge += capacitors[bit];
    return (2 ** adc.bits * charge) / total - middle;
  });
}

function flashLevels(adc: AdcSettings, sigma: number, stream: RandomStream): Float64Array {
  const { lowest, highest } = adcCodes(adc);
  return Float64Array.from({ length: highest - lowest }, (_, i) => lowest + i + 1 + draw(sigma, stream));
}

/** A ramp that sags reaches a given count's level lower than its chord: the level moves down by the sag. */
function rampLevels(adc: AdcSettings, curvature: number): Float64Array {
  const { lowest, highest } = adcCodes(adc);
  const span = highest - lowest - 1;
  return Float64Array.from({ length: highest - lowest }, (_, i) => {
    const along = span > 0 ? i / span : 0;
    return lowest + i + 1 - 4 * curvature * along * (1 - along);
  });
}

/** Displacement of each transition level by the tables and their random counterparts, LSB. */
function nonlinearity(model: ConverterErrors, count: number, stream: RandomStream): Float64Array {
  const inl = new Float64Array(count);
  let walk = 0;
  for (let i = 0; i < count; i++) {
    if (i > 0) {
      walk += (model.dnl?.[i - 1] ?? 0) + draw(model.dnlSigma, stream);
    }
    inl[i] = walk + (model.inl?.[i] ?? 0) + draw(model.inlSigma, stream);
  }
  return inl;
}

/** The least input that reads `code` or more: the level itself, or the next number where a tie goes to the lower code. */
function inclusive(level: number, code: number, adc: AdcSettings): number {
  const tieGoesDown = (adc.rounding ?? 'half-even') === 'half-even' && code % 2 !== 0;
  return tieGoesDown ? nextUp(level) : level;
}

const bitsOf = new DataView(new ArrayBuffer(8));

function nextUp(x: number): number {
  if (x === 0) return Number.MIN_VALUE;
  bitsOf.setFloat64(0, x);
  bitsOf.setBigInt64(0, bitsOf.getBigInt64(0) + (x > 0 ? 1n : -1n));
  return bitsOf.getFloat64(0);
}

/** Transition levels of the noiseless converter: sorted, whatever the comparators' order. */
function settled(decisions: Float64Array, adc: AdcSettings, type: ConverterModel['type']): Float64Array {
  const levels = decisions.slice();
  if (type === 'flash') return levels.sort(); // counting ones sorts the thermometer
  if (type === 'ramp') {
    // A ramp that has passed the input once has stopped the counter.
    for (let i = 1; i < levels.length; i++) levels[i] = Math.max(levels[i], levels[i - 1]);
    return levels;
  }
  // A SAR never comes back to a half that it has ruled out: each level counts only between those decided before it.
  const { lowest } = adcCodes(adc);
  const first = lowest + 1 + (adc.signed ? 2 ** (adc.bits - 1) : 0);
  const clamp = (word: number, bit: number, least: number, most: number) => {
    const at = word - first;
    const level = at < 0 ? least : Math.min(most, Math.max(least, decisions[at]));
    if (at >= 0) levels[at] = level;
    if (bit === 0) return;
    clamp(word - 2 ** (bit - 1), bit - 1, least, level);
    clamp(word + 2 ** (bit - 1), bit - 1, level, most);
  };
  clamp(2 ** (adc.bits - 1), adc.bits - 1, -Infinity, Infinity);
  return levels;
}

type Decide = (
  decisions: Float64Array,
  adc: AdcSettings,
  input: number,
  noise: number,
  stream: RandomStream,
) => number;

/** The decisions one by one, each with comparator noise of its own. */
const oneByOne: Record<ConverterModel['type'], Decide> = {
  sar: (decisions, adc, input, noise, stream) => {
    const { lowest } = adcCodes(adc);
    const middle = adc.signed ? 2 ** (adc.bits - 1) : 0;
    const first = lowest + 1 + middle;
    let word = 0;
    for (let bit = adc.bits - 1; bit >= 0; bit--) {
      const trial = word + 2 ** bit;
      const level = trial < first ? -Infinity : decisions[trial - first];
      if (input + noise * stream.normal() >= level) word = trial;
    }
    return Math.max(lowest, word - middle);
  },
  flash: (decisions, adc, input, noise, stream) => {
    let code = adcCodes(adc).lowest;
    for (const level of decisions) {
      // Eight sigma away the decision is certain (1e-15), and drawing 2^bits normals would cost more than all the rest.
      const distance = input - level;
      if (distance >= 8 * noise) code++;
      else if (distance > -8 * noise && distance + noise * stream.normal() >= 0) code++;
    }
    return code;
  },
  ramp: (decisions, adc, input, noise, stream) => {
    let code = adcCodes(adc).lowest;
    for (const level of decisions) {
      const distance = input - level;
      if (distance < 8 * noise && distance + noise * stream.normal() < 0) break;
      code++;
    }
    return code;
  },
};
