import { checkWhole } from '../check-number';
import { InputError } from '../errors';

/**
 * How K rows are laid on arrays of R rows.
 * - `fixed`: tile t holds rows t*R..t*R+R-1, the last what is left.
 * - `even`: as many tiles, sizes that differ by at most one, the larger first. Where the tiles divide K this is what
 *   CrossSim does (K = 144 at R = 128 becomes 72 + 72).
 */
export type RowSplit = 'fixed' | 'even';

export const rowSplits: readonly RowSplit[] = ['fixed', 'even'];

/** First row of each tile, and the number of rows at the end: tile t holds rows starts[t]..starts[t + 1] - 1. */
export function rowTiles(rows: number, tileRows: number, split: RowSplit = 'fixed'): Int32Array {
  checkWhole('rows', rows, 1, 2 ** 24);
  checkWhole('tileRows', tileRows, 1, 2 ** 24);
  if (!rowSplits.includes(split)) {
    throw new InputError(`rowSplit: "${split}" is unknown; one of ${rowSplits.join(', ')} is needed`);
  }
  const tiles = Math.ceil(rows / tileRows);
  const starts = new Int32Array(tiles + 1);
  for (let tile = 0; tile < tiles; tile++) {
    const even = Math.floor(rows / tiles) + (tile < rows % tiles ? 1 : 0);
    starts[tile + 1] = split === 'even' ? starts[tile] + even : Math.min(rows, (tile + 1) * tileRows);
  }
  return starts;
}
