import { InputError } from '../errors';
import type { InputSlices } from './input-slices';

/**
 * Pulses as sums of on-off patterns: what a row sees in plane p is the sum over terms t of coefficients[t] * (0 or 1). With
 * 1-bit unsigned pulses there is one term, the pulse itself.
 */
export interface PulseTerms {
  /** Terms a plane. */
  readonly terms: number;
  /** [terms] */
  readonly coefficients: Float64Array;
  /** What a term adds to the square of the pulse; right only where the terms are asked for `alone`. [terms] */
  readonly squares: Float64Array;
  /** The terms that a code's pulses contain, as plane * terms + term: members[starts[code & 255]..starts[(code & 255) + 1]-1]. */
  readonly members: Uint16Array;
  /** [257] */
  readonly starts: Int32Array;
}

/**
 * Takes the pulses of `slices` apart: into bits, or, with `alone`, into one term for each pulse size, of which a pulse has just one:
 * what squares of pulses and pulse sizes of their own need.
 *
 * @param levels what the DAC applies for each pulse size 0..maxPulse, in units of an ideal pulse of 1; default the size itself
 */
export function pulseTerms(
  slices: InputSlices,
  { alone = false, levels }: { readonly alone?: boolean; readonly levels?: readonly number[] } = {},
): PulseTerms {
  const { planes, maxPulse, form, pulses } = slices;
  if (levels !== undefined) checkDacLevels(levels, maxPulse);
  const sizes: { coefficient: number; square: number; has: (size: number) => boolean }[] = [];
  if (alone || levels !== undefined) {
    for (let size = 1; size <= maxPulse; size++) {
      const level = levels?.[size] ?? size;
      sizes.push({ coefficient: level, square: level ** 2, has: (other) => other === size });
    }
  } else {
    for (let bit = 1; bit <= maxPulse; bit *= 2) {
      sizes.push({ coefficient: bit, square: bit ** 2, has: (size) => (size & bit) !== 0 });
    }
  }
  const signs = form === 'sign-magnitude' ? [1, -1] : [1];
  const terms = signs.flatMap((sign) => sizes.map((size) => ({ ...size, sign })));
  const members: number[] = [];
  const starts = new Int32Array(257);
  for (let byte = 0; byte < 256; byte++) {
    for (let plane = 0; plane < planes; plane++) {
      // Bytes that are no code have no pulses.
      const pulse = pulses[byte * planes + plane];
      terms.forEach(({ sign, has }, term) => {
        if (sign * pulse > 0 && has(sign * pulse)) members.push(plane * terms.length + term);
      });
    }
    starts[byte + 1] = members.length;
  }
  return {
    terms: terms.length,
    coefficients: Float64Array.from(terms, ({ sign, coefficient }) => sign * coefficient),
    squares: Float64Array.from(terms, ({ square }) => square),
    members: Uint16Array.from(members),
    starts,
  };
}

function checkDacLevels(levels: readonly number[], maxPulse: number): void {
  if (!Array.isArray(levels) || levels.length !== maxPulse + 1) {
    throw new InputError(
      `dacLevels: ${levels?.length} where ${maxPulse + 1} are needed, one for each pulse size`,
    );
  }
  if (levels[0] !== 0) throw new InputError(`dacLevels[0]: ${levels[0]}; no pulse is 0`);
  levels.forEach((level, size) => {
    if (!Number.isFinite(level)) throw new InputError(`dacLevels[${size}]: ${level} is not a number`);
  });
}
