import { InputError } from '../errors';

export type Rounding = 'half-even' | 'half-up' | 'floor';

export const roundings: readonly Rounding[] = ['half-even', 'half-up', 'floor'];

/** An ideal ADC: clips and rounds, nothing else. */
export interface AdcSettings {
  /** Resolution, 1..16; a signed one needs 2. */
  readonly bits: number;
  /** Input span of one code, above 0, in units of one cell level times one input level. Default 1. */
  readonly step?: number;
  /** Default `half-even`. */
  readonly rounding?: Rounding;
  /** False (default): codes 0..2^bits-1. True: -(2^(bits-1)-1)..2^(bits-1)-1, as many below zero as above. */
  readonly signed?: boolean;
}

/** `lossless`: every column sum reaches the digital side unchanged, whatever its size. */
export type Adc = 'lossless' | AdcSettings;

/** Lowest and highest code of an ADC. */
export function adcCodes(adc: AdcSettings): { lowest: number; highest: number } {
  const highest = adc.signed ? 2 ** (adc.bits - 1) - 1 : 2 ** adc.bits - 1;
  return { lowest: adc.signed ? -highest : 0, highest };
}

/** The code an ADC of the same step and rounding but endless range would give. */
function unboundedCode(sum: number, adc: AdcSettings): number {
  const exact = sum / (adc.step ?? 1);
  const below = Math.floor(exact);
  const rest = exact - below;
  switch (adc.rounding ?? 'half-even') {
    case 'floor':
      return below;
    case 'half-up':
      return rest >= 0.5 ? below + 1 : below;
    default:
      if (rest === 0.5) return below % 2 === 0 ? below : below + 1;
      return rest > 0.5 ? below + 1 : below;
  }
}

/** The code of a column sum: divided by the step, rounded and clipped to the codes' range. `lossless`: the sum itself. */
export function adcCode(sum: number, adc: Adc): number {
  if (adc === 'lossless') return sum;
  const { lowest, highest } = adcCodes(adc);
  return Math.min(highest, Math.max(lowest, unboundedCode(sum, adc))) + 0; // + 0 makes a negative zero an ordinary one
}

/** What a code counts for; 1 for a lossless ADC. */
export function adcStep(adc: 'lossless' | Pick<AdcSettings, 'step'>): number {
  return adc === 'lossless' ? 1 : (adc.step ?? 1);
}

/** One conversion: the column sum `sum` as the digital side sees it, code * step. Pure; `lossless` returns the sum itself. */
export function convert(sum: number, adc: Adc): number {
  return adcCode(sum, adc) * adcStep(adc);
}

/** Whether the conversion of `sum` is clipped: its rounded value lies outside the codes' range. */
export function clips(sum: number, adc: Adc): boolean {
  if (adc === 'lossless') return false;
  const { lowest, highest } = adcCodes(adc);
  const code = unboundedCode(sum, adc);
  return code < lowest || code > highest;
}

/** Throws an InputError unless the ADC's fields are within range. `field` names it in the message. */
export function checkAdc(adc: Adc, field = 'adc'): void {
  if (adc === 'lossless') return;
  if (typeof adc !== 'object' || adc === null) {
    throw new InputError(`${field}: ${JSON.stringify(adc)} is neither "lossless" nor an object with bits`);
  }
  const least = adc.signed ? 2 : 1;
  if (!Number.isInteger(adc.bits) || adc.bits < least || adc.bits > 16) {
    throw new InputError(
      `${field}.bits: ${adc.bits} is not a whole number from ${least} to 16 (no ADC is "lossless")`,
    );
  }
  const step = adc.step ?? 1;
  if (typeof step !== 'number' || !(step > 0 && step < Infinity)) {
    throw new InputError(`${field}.step: ${step} is not a number above 0`);
  }
  if (adc.rounding !== undefined && !roundings.includes(adc.rounding)) {
    throw new InputError(`${field}.rounding: "${adc.rounding}" is unknown; one of ${roundings.join(', ')}`);
  }
}
