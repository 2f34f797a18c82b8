import { checkWhole } from '../check-number';
import { InputError } from '../errors';

/**
 * How an input code becomes pulses.
 * - `unsigned`: codes 0..2^bits-1.
 * - `twos-complement`: codes -2^(bits-1)..2^(bits-1)-1 with 1-bit DACs; the top plane counts negative.
 * - `sign-magnitude`: codes -(2^(bits-1)-1)..2^(bits-1)-1; pulses of either sign, so column sums may be negative.
 */
export type InputForm = 'unsigned' | 'twos-complement' | 'sign-magnitude';

export const inputForms: readonly InputForm[] = ['unsigned', 'twos-complement', 'sign-magnitude'];

/** What the input DACs apply, pulse by pulse: code = sum over planes of weights[plane] * pulse. */
export interface InputSlices {
  readonly form: InputForm;
  readonly bits: number;
  /** Bits of one pulse. */
  readonly dacBits: number;
  /** Pulses an input. Plane 0 is the lowest. */
  readonly planes: number;
  /** What each plane counts for. [planes] */
  readonly weights: Int32Array;
  readonly minCode: number;
  readonly maxCode: number;
  /** Largest pulse size: 2^dacBits-1, or less where the code has fewer bits. */
  readonly maxPulse: number;
  /** Bits that hold a code or its magnitude. */
  readonly storedBits: number;
  /** The pulse of each code: pulses[(code & 255) * planes + plane]. */
  readonly pulses: Int16Array;
}

/** Slices input codes of `bits` bits (1..8; signed forms from 2) for DACs of `dacBits` bits (1..8). */
export function inputSlices(bits: number, dacBits = 1, form: InputForm = 'unsigned'): InputSlices {
  if (!inputForms.includes(form)) {
    throw new InputError(`inputForm: "${form}" is unknown; one of ${inputForms.join(', ')} is needed`);
  }
  const least = form === 'unsigned' ? 1 : 2;
  checkWhole('inputBits', bits, least, 8);
  checkWhole('dacBits', dacBits, 1, 8);
  if (form === 'twos-complement' && dacBits !== 1) {
    throw new InputError(`dacBits: two's complement inputs need 1-bit DACs, not ${dacBits}`);
  }
  const storedBits = form === 'sign-magnitude' ? bits - 1 : bits;
  const planes = Math.ceil(storedBits / dacBits);
  const weights = Int32Array.from({ length: planes }, (_, plane) => 2 ** (plane * dacBits));
  if (form === 'twos-complement') weights[planes - 1] *= -1;
  const maxCode = form === 'unsigned' ? 2 ** bits - 1 : 2 ** (bits - 1) - 1;
  const minCode = form === 'unsigned' ? 0 : form === 'sign-magnitude' ? -maxCode : -maxCode - 1;
  const maxPulse = 2 ** Math.min(dacBits, storedBits) - 1;
  const pulses = new Int16Array(256 * planes);
  for (let code = minCode; code <= maxCode; code++) {
    const word = form === 'sign-magnitude' ? Math.abs(code) : code & 255;
    const sign = form === 'sign-magnitude' && code < 0 ? -1 : 1;
    for (let plane = 0; plane < planes; plane++) {
      const stored = word & (2 ** storedBits - 1);
      pulses[(code & 255) * planes + plane] = sign * ((stored >> (plane * dacBits)) & (2 ** dacBits - 1));
    }
  }
  return { form, bits, dacBits, planes, weights, minCode, maxCode, maxPulse, storedBits, pulses };
}
