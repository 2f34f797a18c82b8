import { wiredInputs } from '../crossbar/layer-inputs';
import type { LayerInput } from '../crossbar/layer-job';
import { networkLayer } from '../crossbar/network-layer';
import type { ConvNode, DenseNode } from '../networks/description';
import { groupColumns } from '../quantization/channel-groups';
import type { IntegerNetwork } from '../quantization/integer-network';
import type { LayerVectors } from './layer-vectors';

/**
 * What the crossbars of a layer take, one input a channel group, with the rows as they stand on the crossbars. Encoding,
 * cells, DACs and flips are those of the network's pruning record.
 */
export function crossbarInputs(
  network: IntegerNetwork,
  node: ConvNode | DenseNode,
  { inputs, vectors }: LayerVectors,
  tileRows: number,
): LayerInput[] {
  const whole = networkLayer(node, network.layers.get(node.name)!, network, { tileRows, adc: 'lossless' });
  const { wiring, inputRows, codes, flips, columns, ...layer } = whole;
  const groups = wiring.length;
  const Codes = inputs.constructor as new (length: number) => Uint8Array | Int8Array;
  return wiring.map((elements, group) => ({
    ...layer,
    codes: groupColumns(codes, columns, groups, group),
    flips: flips && groupColumns(flips, columns, groups, group),
    columns: columns / groups,
    inputs: wiredInputs(inputs, inputRows, elements, new Codes(vectors * layer.rows)),
    vectors,
  }));
}
