import { checkWhole } from '../check-number';

/**
 * Rows of a layer's row tiles on crossbars of R rows: K rows need ceil(K / R) arrays, and lie on them evenly, ceil(K /
 * arrays) rows on each and what is left on the last (144 rows at R = 128: 72 + 72). Evenly, as many ones are allowed to
 * as many rows everywhere; full arrays beside a nearly empty one would waste that one's share (CrossSim splits alike
 * where arrays divide K).
 * @throws InputError unless both are whole, from 1
 */
export function evenTileRows(rows: number, crossbarRows: number): number {
  checkWhole('rows', rows, 1);
  checkWhole('crossbarRows', crossbarRows, 1);
  return Math.ceil(rows / Math.ceil(rows / crossbarRows));
}
