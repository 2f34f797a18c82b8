import { type CodeMatrix, checkCodes, checkFlips, checkShape } from '../../src/bitplanes/code-matrix';
import { planeEncoding } from '../../src/bitplanes/plane-encoding';
import { InputError } from '../../src/errors';

export interface PackedPlanes {
  /** One bit a cell: [tiles][columns][polarities][planes][wordsPerColumn]; row r of a tile is bit r % 32 of word r / 32. */
  readonly words: Uint32Array;
  readonly tiles: number;
  readonly polarities: number;
  readonly planes: number;
  readonly wordsPerColumn: number;
}

/** An oracle for counting: packs every bit column of a layer into 32-bit words (1-bit cells only). Rows beyond a short last tile are zero. */
export function packPlanes(matrix: CodeMatrix): PackedPlanes {
  const { codes, rows, columns, tileRows, flips } = matrix;
  if ((matrix.cellBits ?? 1) !== 1)
    throw new InputError(`cellBits: packing needs 1-bit cells, not ${matrix.cellBits}`);
  checkShape(matrix, codes.length);
  const encoding = planeEncoding(matrix.encoding ?? 'sign-split', matrix.weightBits);
  checkCodes(codes, columns, encoding);
  const { polarities, planes, digits } = encoding;
  const slots = polarities * planes;
  const tiles = Math.ceil(rows / tileRows);
  checkFlips(flips, encoding.name, tiles, columns);
  const wordsPerColumn = Math.ceil(tileRows / 32);
  const words = new Uint32Array(tiles * columns * slots * wordsPerColumn);
  for (let row = 0; row < rows; row++) {
    const tile = Math.floor(row / tileRows);
    const word = (row - tile * tileRows) >>> 5;
    const bit = 1 << ((row - tile * tileRows) & 31);
    for (let column = 0; column < columns; column++) {
      const own = codes[row * columns + column];
      const at = ((flips?.[tile * columns + column] ? -1 - own : own) + 128) * slots;
      const base = (tile * columns + column) * slots;
      for (let slot = 0; slot < slots; slot++) {
        if (digits[at + slot] !== 0) words[(base + slot) * wordsPerColumn + word] |= bit;
      }
    }
  }
  return { words, tiles, polarities, planes, wordsPerColumn };
}
