import type { CodeMatrix } from '../bitplanes/code-matrix';
import { evenTileRows } from '../bitplanes/even-tile-rows';
import type { IntegerLayer, IntegerNetwork } from './integer-network';
import { crossbarCodes } from './row-order';

/** A layer's codes as they lie on crossbars of R rows: rows in their stored order, evenly on the tiles, coded as the pruning record says. */
export function layerCodeMatrix(
  layer: IntegerLayer,
  { weightBits, pruning }: Pick<IntegerNetwork, 'weightBits' | 'pruning'>,
  crossbarRows: number,
): CodeMatrix {
  const { rows, columns, flips } = layer;
  const { encoding, cellBits } = pruning ?? {};
  const tileRows = evenTileRows(rows, crossbarRows);
  return { codes: crossbarCodes(layer), rows, columns, tileRows, weightBits, encoding, cellBits, flips };
}
