import { checkWhole } from '../check-number';
import { InputError } from '../errors';
import type { EncodingName, PlaneEncoding } from './plane-encoding';

/** Integer codes of one layer and how they lie on crossbars. */
export interface CodeMatrix {
  /** [rows, columns], row-major. */
  readonly codes: Int8Array;
  readonly rows: number;
  /** Output channels. */
  readonly columns: number;
  /** Rows summed in one conversion (R). Row tile t holds rows t*R..t*R+R-1; the last may be shorter. */
  readonly tileRows: number;
  readonly weightBits: number;
  /** Default `sign-split`. */
  readonly encoding?: EncodingName;
  /** Default 1. */
  readonly cellBits?: number;
  /**
   * ISAAC's flip, offset encoding only: 1 where a (row tile, output channel) is stored complemented, so that code c has
   * the word of -1 - c. [tiles][columns]; absent: none is.
   */
  readonly flips?: Uint8Array;
}

/** Throws an InputError unless flips are absent, or fit a layer in offset encoding of so many row tiles and columns. */
export function checkFlips(
  flips: Uint8Array | undefined,
  encoding: EncodingName,
  tiles: number,
  columns: number,
): void {
  if (!flips) return;
  if (encoding !== 'offset')
    throw new InputError(`flips: they are for offset encoding only, not ${encoding}`);
  if (flips.length !== tiles * columns) {
    throw new InputError(`flips: ${flips.length} for ${tiles} row tiles x ${columns} columns`);
  }
}

/** Throws an InputError unless sizes are whole, positive and agree. */
export function checkShape(
  matrix: { rows: number; columns: number; tileRows: number },
  length: number,
): void {
  for (const field of ['rows', 'columns'] as const) checkWhole(field, matrix[field], 1, 2 ** 31);
  checkWhole('tileRows', matrix.tileRows, 1, 65535);
  if (length !== matrix.rows * matrix.columns) {
    throw new InputError(`layer of ${matrix.rows} rows x ${matrix.columns} columns holds ${length} weights`);
  }
}

/** Throws an InputError at the first code that the encoding cannot hold. */
export function checkCodes(codes: Int8Array, columns: number, encoding: PlaneEncoding): void {
  const { minCode, maxCode } = encoding;
  for (let i = 0; i < codes.length; i++) {
    if (!(codes[i] >= minCode && codes[i] <= maxCode && Number.isInteger(codes[i]))) {
      const where = `row ${Math.floor(i / columns)}, column ${i % columns}`;
      throw new InputError(
        `code ${codes[i]} at ${where} is outside the whole numbers ${minCode}..${maxCode} of ${encoding.name}`,
      );
    }
  }
}
