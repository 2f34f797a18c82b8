import { checkShape } from '../bitplanes/code-matrix';
import { InputError } from '../errors';
import { checkLimits, type LimitOptions } from './limits';
import { nearestTable } from './nearest-with-mask';

/** Which bits of which polarity every weight may use. */
export interface BitMask {
  /** Bit p of an entry allows 2^p; [rows * columns]. */
  readonly mask: Uint8Array;
  /** 1 or -1: the polarity whose columns hold the bits; 0 only where the mask is 0 and no sign is known. */
  readonly sign: Int8Array;
}

/** The bits that sign-split codes use. */
export function maskOf(codes: Int8Array): BitMask {
  const mask = new Uint8Array(codes.length);
  const sign = new Int8Array(codes.length);
  for (let i = 0; i < codes.length; i++) {
    mask[i] = Math.abs(codes[i]);
    sign[i] = Math.sign(codes[i]);
  }
  return { mask, sign };
}

/** All bits of the weights that are not zero, each in its own polarity: the values may change, the choice stays. */
export function supportOf(codes: Int8Array, weightBits: number): BitMask {
  const { mask, sign } = maskOf(codes);
  return { mask: mask.map((bits) => (bits === 0 ? 0 : 2 ** (weightBits - 1) - 1)), sign };
}

export interface FillOptions extends LimitOptions {
  /** A feasible projection: [rows * columns], row-major. */
  readonly codes: Int8Array;
  /** The weights it came from, in weight units. */
  readonly targets: Float32Array | Float64Array;
  readonly rows: number;
  readonly columns: number;
  readonly tileRows: number;
  /** Weight = code * scale, by output channel. */
  readonly scales: Float32Array;
}

/**
 * The bits of `codes`, and every unused slot of each bit column given to the next best row of that polarity: from the
 * top plane down, the row with the largest rest after its allowed higher bits. Retraining may use those slots for free.
 * With a value limit, rows whose code is zero join only while places are left.
 * @throws InputError for codes that break the limits already
 */
export function fillMask(options: FillOptions): BitMask {
  const { codes, targets, rows, columns, tileRows, scales } = options;
  const limits = checkLimits(options);
  checkShape(options, codes.length);
  if (targets.length !== codes.length)
    throw new InputError(`targets: ${targets.length} for ${codes.length} codes`);
  if (scales.length !== columns)
    throw new InputError(`scales: ${scales.length} numbers for ${columns} columns`);
  const { mask, sign } = maskOf(codes);
  const above = mask.findIndex((bits) => bits > limits.maxMagnitude);
  if (above >= 0)
    throw new InputError(
      `codes: ${codes[above]} at row ${Math.floor(above / columns)}, column ${above % columns} is outside -${limits.maxMagnitude}..${limits.maxMagnitude}`,
    );
  for (let i = 0; i < codes.length; i++) if (sign[i] === 0) sign[i] = Math.sign(targets[i]);
  const nearest = nearestTable();
  const inTile = new Int32Array(Math.min(tileRows, rows));
  const rest = new Float64Array(inTile.length);
  for (let start = 0; start < rows; start += tileRows) {
    const count = Math.min(tileRows, rows - start);
    for (let column = 0; column < columns; column++) {
      const index = (row: number) => (start + row) * columns + column;
      let places = limits.values;
      for (let row = 0; row < count; row++) if (mask[index(row)] !== 0) places--;
      if (places < 0)
        throw new InputError(
          `codes: column ${column} holds more nonzeros in a row tile than ${limits.values}`,
        );
      for (let plane = limits.planes - 1; plane >= 0; plane--) {
        const bit = 1 << plane;
        for (const polarity of [1, -1]) {
          let room = limits.bits[plane];
          let waiting = 0;
          for (let row = 0; row < count; row++) {
            const at = index(row);
            if (sign[at] !== polarity) continue;
            if (mask[at] & bit) {
              room--;
              continue;
            }
            const size = scales[column] > 0 ? (polarity * targets[at]) / scales[column] : 0;
            const higher = mask[at] & ~(2 * bit - 1);
            const twice = Math.min(255, Math.max(0, Math.floor(2 * size)));
            rest[row] = size - nearest[(higher << 8) + twice];
            inTile[waiting++] = row;
          }
          if (room < 0)
            throw new InputError(`codes: column ${column} holds more ones in plane ${plane} than allowed`);
          if (room === 0) continue;
          const queue = inTile.subarray(0, waiting).sort((a, b) => rest[b] - rest[a]);
          for (const row of queue) {
            if (room === 0) break;
            const at = index(row);
            if (mask[at] === 0) {
              if (places <= 0) continue;
              places--;
            }
            mask[at] |= bit;
            room--;
          }
        }
      }
    }
  }
  return { mask, sign };
}
