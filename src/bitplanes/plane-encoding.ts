import { checkWhole } from '../check-number';
import { InputError } from '../errors';

/**
 * How a signed weight code is laid into unsigned cells.
 * - `sign-split` (differential): magnitudes of positive and negative codes in separate physical columns.
 * - `twos-complement`: one column a bit, the top one subtracted.
 * - `offset`: code + 2^(bits-1), the offset taken off digitally (ISAAC's bias column).
 * - `csd`: canonical signed digits, +1 and -1 digits in separate physical columns.
 */
export type EncodingName = 'sign-split' | 'twos-complement' | 'offset' | 'csd';

export const encodingNames: readonly EncodingName[] = ['sign-split', 'twos-complement', 'offset', 'csd'];

export interface PlaneEncoding {
  readonly name: EncodingName;
  readonly weightBits: number;
  /** Bits held by one cell; 1 unless multi-bit cells are asked for. */
  readonly cellBits: number;
  /** Physical columns of each plane: 2 with signs apart, else 1. */
  readonly polarities: number;
  readonly planes: number;
  readonly minCode: number;
  readonly maxCode: number;
  /** What a plane's column sum counts for: sum over (polarity, plane) of weight * digit + offset = code. [polarities * planes] */
  readonly weights: Int32Array;
  /** Added digitally to every weight. */
  readonly offset: number;
  /** The cell of each code: digits[((code + 128) * polarities + polarity) * planes + plane]; 0..2^cellBits-1. */
  readonly digits: Uint8Array;
}

const cache = new Map<string, PlaneEncoding>();

/**
 * The encoding `name` of `weightBits`-bit codes (2..8) in cells of `cellBits` bits (1..4; canonical signed digits: 1 only).
 * Codes run over -2^(b-1)..2^(b-1)-1, without the lowest for sign-split and csd.
 */
export function planeEncoding(name: EncodingName, weightBits: number, cellBits = 1): PlaneEncoding {
  if (!encodingNames.includes(name)) {
    throw new InputError(`encoding: "${name}" is unknown; one of ${encodingNames.join(', ')} is needed`);
  }
  checkWhole('weightBits', weightBits, 2, 8);
  checkWhole('cellBits', cellBits, 1, 4);
  if (name === 'csd' && cellBits !== 1) {
    throw new InputError(`cellBits: canonical signed digits need 1-bit cells, not ${cellBits}`);
  }
  const key = `${name}/${weightBits}/${cellBits}`;
  let encoding = cache.get(key);
  if (!encoding) {
    encoding = build(name, weightBits, cellBits);
    cache.set(key, encoding);
  }
  return encoding;
}

function build(name: EncodingName, weightBits: number, cellBits: number): PlaneEncoding {
  const half = 2 ** (weightBits - 1);
  const split = name === 'sign-split' || name === 'csd';
  const storedBits = name === 'sign-split' ? weightBits - 1 : weightBits;
  const polarities = split ? 2 : 1;
  // The top bit of two's complement is subtracted, so it must not share a cell with added bits.
  const signPlane = name === 'twos-complement' && cellBits > 1 ? 1 : 0;
  const planes = Math.ceil((storedBits - signPlane) / cellBits) + signPlane;
  const minCode = split ? 1 - half : -half;
  const maxCode = half - 1;
  const weights = new Int32Array(polarities * planes);
  for (let plane = 0; plane < planes; plane++) {
    weights[plane] = 2 ** (plane * cellBits);
    if (split) weights[planes + plane] = -weights[plane];
  }
  if (name === 'twos-complement') weights[planes - 1] = -half;
  const digits = new Uint8Array(256 * polarities * planes);
  for (let code = minCode; code <= maxCode; code++) {
    const stored = storedWords(name, code, half);
    for (let polarity = 0; polarity < polarities; polarity++) {
      for (let plane = 0; plane < planes; plane++) {
        const isSign = signPlane === 1 && plane === planes - 1;
        const word = signPlane === 1 && !isSign ? stored[polarity] & (half - 1) : stored[polarity];
        const shift = isSign ? weightBits - 1 : plane * cellBits;
        digits[((code + 128) * polarities + polarity) * planes + plane] =
          (word >> shift) & (2 ** cellBits - 1);
      }
    }
  }
  const offset = name === 'offset' ? -half : 0;
  return { name, weightBits, cellBits, polarities, planes, minCode, maxCode, weights, offset, digits };
}

/** The unsigned word each polarity stores for a code. */
function storedWords(name: EncodingName, code: number, half: number): number[] {
  const magnitude = Math.abs(code);
  if (name === 'twos-complement') return [code & (2 * half - 1)];
  if (name === 'offset') return [code + half];
  if (name === 'sign-split') return code >= 0 ? [magnitude, 0] : [0, magnitude];
  // Non-adjacent form: the +1 and -1 digits of x are the bits of 3x and x that differ, shifted (Prodinger 2000).
  const triple = 3 * magnitude;
  const plus = (triple & ~magnitude) >> 1;
  const minus = (magnitude & ~triple) >> 1;
  return code >= 0 ? [plus, minus] : [minus, plus];
}
