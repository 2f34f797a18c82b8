import type { LayerInput } from '../crossbar/layer-job';
import type { ConvNode, DenseNode } from '../networks/description';
import { groupColumns, groupCount, groupRows } from '../quantization/channel-groups';
import type { IntegerNetwork } from '../quantization/integer-network';
import { crossbarCodes } from '../quantization/row-order';
import type { LayerVectors } from './layer-vectors';

/**
 * What the crossbars of a layer take, one input a channel group, with the rows as they stand on the crossbars. Encoding,
 * cells, DACs and flips are those of the network's pruning record.
 */
export function crossbarInputs(
  { layers, weightBits, pruning }: IntegerNetwork,
  node: ConvNode | DenseNode,
  { inputs, vectors }: LayerVectors,
  tileRows: number,
): LayerInput[] {
  const layer = layers.get(node.name)!;
  const groups = groupCount(node);
  return Array.from({ length: groups }, (_, group) => {
    const inGroup = groupRows(node, group);
    const placed = layer.rowOrder ? layer.rowOrder.map((row) => inGroup[row]) : inGroup;
    return {
      codes: groupColumns(crossbarCodes(layer), layer.columns, groups, group),
      rows: layer.rows,
      columns: layer.columns / groups,
      inputs: groups === 1 && !layer.rowOrder ? inputs : chosenInputs(inputs, vectors, placed),
      vectors,
      tileRows,
      weightBits,
      encoding: pruning?.encoding,
      cellBits: pruning?.cellBits,
      dacBits: pruning?.dacBits,
      flips: layer.flips && groupColumns(layer.flips, layer.columns, groups, group),
      inputBits: layer.inputBits,
    };
  });
}

/** Some of the rows of patches of all channels, in the given order, [vectors][rows]. */
function chosenInputs<Codes extends Uint8Array | Int8Array>(
  inputs: Codes,
  vectors: number,
  rows: Int32Array,
): Codes {
  const all = inputs.length / vectors;
  const own = new (inputs.constructor as new (length: number) => Codes)(vectors * rows.length);
  for (let vector = 0; vector < vectors; vector++)
    for (let row = 0; row < rows.length; row++)
      own[vector * rows.length + row] = inputs[vector * all + rows[row]];
  return own;
}
