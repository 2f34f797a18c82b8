import { type CodeMatrix, checkCodes, checkFlips, checkShape } from './code-matrix';
import { type PlaneEncoding, planeEncoding } from './plane-encoding';

export interface OnesCounts {
  /** Ones (sum of cell digits with multi-bit cells) of each bit column: [tiles][columns][polarities][planes]. */
  readonly counts: Uint16Array | Uint32Array;
  readonly tiles: number;
  readonly columns: number;
  readonly polarities: number;
  readonly planes: number;
}

/** Counts the ones of every bit column of a layer. Plane 0 is the lowest bit; polarity 0 the positive one. */
export function countOnes(matrix: CodeMatrix): OnesCounts {
  const { codes, rows, columns, tileRows, flips } = matrix;
  checkShape(matrix, codes.length);
  const encoding = planeEncoding(matrix.encoding ?? 'sign-split', matrix.weightBits, matrix.cellBits);
  checkCodes(codes, columns, encoding);
  const { polarities, planes } = encoding;
  const slots = polarities * planes;
  const tiles = Math.ceil(rows / tileRows);
  checkFlips(flips, encoding.name, tiles, columns);
  const length = tiles * columns * slots;
  const counts =
    tileRows * (2 ** encoding.cellBits - 1) > 65535 ? new Uint32Array(length) : new Uint16Array(length);
  const { starts, slotOf, digitOf } = nonzeroDigits(encoding);
  for (let row = 0; row < rows; row++) {
    const tileBase = Math.floor(row / tileRows) * columns;
    for (let column = 0; column < columns; column++) {
      const own = codes[row * columns + column];
      const code = (flips?.[tileBase + column] ? -1 - own : own) + 128;
      const base = (tileBase + column) * slots;
      for (let at = starts[code]; at < starts[code + 1]; at++) counts[base + slotOf[at]] += digitOf[at];
    }
  }
  return { counts, tiles, columns, polarities, planes };
}

/** Each code's nonzero cells as lists: pruned layers are mostly zeros, so this visits only what counts. */
function nonzeroDigits(encoding: PlaneEncoding) {
  const slots = encoding.polarities * encoding.planes;
  const starts = new Int32Array(257);
  const slotOf: number[] = [];
  const digitOf: number[] = [];
  for (let code = 0; code < 256; code++) {
    for (let slot = 0; slot < slots; slot++) {
      const digit = encoding.digits[code * slots + slot];
      if (digit === 0) continue;
      slotOf.push(slot);
      digitOf.push(digit);
    }
    starts[code + 1] = slotOf.length;
  }
  return { starts, slotOf: Uint8Array.from(slotOf), digitOf: Uint8Array.from(digitOf) };
}
