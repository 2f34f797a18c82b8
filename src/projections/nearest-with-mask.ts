import { InputError } from '../errors';

let shared: Uint8Array | undefined;

/**
 * Nearest magnitude that a set of allowed bits can make: table[(mask << 8) + min(255, floor(2 * magnitude))].
 * From the top plane down a bit is taken iff the rest is at least (2^p + sum of the lower allowed bits) / 2; all
 * those thresholds are multiples of a half, so the floor of twice the magnitude decides exactly. [128 * 256]
 */
export function nearestTable(): Uint8Array {
  if (shared) return shared;
  const table = new Uint8Array(128 * 256);
  for (let mask = 0; mask < 128; mask++) {
    for (let twice = 0; twice < 256; twice++) {
      let rest = twice;
      let code = 0;
      for (let bit = 64; bit > 0; bit >>= 1) {
        if ((mask & bit) === 0 || rest < bit + (mask & (bit - 1))) continue;
        code |= bit;
        rest -= 2 * bit;
      }
      table[(mask << 8) + twice] = code;
    }
  }
  shared = table;
  return table;
}

/** Where `nearestTable` has the code nearest to a magnitude under a mask; magnitudes below 0 count as 0. */
function nearestPlace(magnitude: number, mask: number): number {
  // Towards zero is down where magnitudes are above it.
  const twice = magnitude <= 0 ? 0 : magnitude >= 127.5 ? 255 : (2 * magnitude) | 0;
  return ((mask & 127) << 8) + twice;
}

export interface MaskedTargets {
  /** Weights in units of the scale. */
  readonly targets: Float32Array | Float64Array;
  /** Bits each weight may use: bit p of an entry stands for 2^p; 0..127. */
  readonly mask: Uint8Array;
  /** Polarity whose columns hold the weight's bits: 1 or -1 (0: no bits, the weight is zero). */
  readonly sign: Int8Array;
}

/** The exact nearest code of every weight under frozen bits; a target of the other sign gives 0. */
export function nearestWithMask({ targets, mask, sign }: MaskedTargets): Int8Array {
  const length = targets.length;
  if (mask.length !== length || sign.length !== length) {
    throw new InputError(`masks: ${mask.length} masks and ${sign.length} signs for ${length} weights`);
  }
  const table = nearestTable();
  const codes = new Int8Array(length);
  for (let i = 0; i < length; i++) {
    const magnitude = targets[i] * sign[i];
    if (!(Math.abs(sign[i]) <= 1)) throw new InputError(`sign ${i}: ${sign[i]} is not -1, 0 or 1`);
    if (Number.isNaN(magnitude)) throw new InputError(`weight ${i} is not a number`);
    codes[i] = sign[i] * table[nearestPlace(magnitude, mask[i])];
  }
  return codes;
}
