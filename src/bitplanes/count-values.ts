import { checkShape } from './code-matrix';

/** Nonzero weights of every (row tile, output channel): [tiles][columns]. */
export function countValues(matrix: {
  readonly codes: Int8Array;
  readonly rows: number;
  readonly columns: number;
  readonly tileRows: number;
}): { counts: Uint16Array; tiles: number } {
  const { codes, rows, columns, tileRows } = matrix;
  checkShape(matrix, codes.length);
  const tiles = Math.ceil(rows / tileRows);
  const counts = new Uint16Array(tiles * columns);
  for (let row = 0; row < rows; row++) {
    const base = Math.floor(row / tileRows) * columns;
    for (let column = 0; column < columns; column++) {
      if (codes[row * columns + column] !== 0) counts[base + column]++;
    }
  }
  return { counts, tiles };
}
