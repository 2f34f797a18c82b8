import { createLayerSimulator } from '../crossbar/layer-simulator';
import { inputCodesOf, networkLayer, simulateCodes } from '../crossbar/network-layer';
import { inputAt } from '../errors';
import type { ConvNode, DenseNode } from '../networks/description';
import type { Pictures } from '../networks/inference';
import type { OnProgress } from '../progress';
import { type AdcBits, adcBitsOf } from '../quantization/adc-bits';
import { crossbarNodes } from '../quantization/crossbar-layers';
import type { IntegerNetwork } from '../quantization/integer-network';
import { read, type Tensor } from '../tensor/engine';
import { observeLayers } from './observe-layers';

export interface CrossbarCheck {
  /** Every output of every layer agreed, and no conversion clipped. */
  readonly agrees: boolean;
  readonly pictures: number;
  readonly outputs: number;
  readonly differing: number;
  readonly conversions: number;
  readonly clipped: number;
  readonly layers: readonly {
    readonly name: string;
    readonly outputs: number;
    readonly differing: number;
    readonly conversions: number;
    readonly clipped: number;
  }[];
}

/**
 * Sends each layer's input codes through the bit-serial crossbar with ADCs of `adcBits` and compares every output with
 * the tensor engine's integer, bit for bit. What the engine gives goes on to the next layer. Encoding, cells, DACs and
 * flips are those of the network's pruning record.
 */
export function checkCrossbar(
  network: IntegerNetwork,
  pictures: Pictures,
  crossbar: { readonly adcBits: AdcBits; readonly tileRows: number },
  onProgress?: OnProgress,
): CrossbarCheck {
  const total = crossbarNodes(network.description).length;
  const layers: CrossbarCheck['layers'][number][] = [];
  observeLayers(network, pictures, (node, inputCodes, exactSums) => {
    onProgress?.({ done: layers.length, total, note: `crossbar: ${node.name}` });
    layers.push(compareLayer(node, network, inputCodes, exactSums(), crossbar));
    return undefined;
  });
  onProgress?.({ done: total, total, note: 'crossbar compared' });
  const sum = (field: 'outputs' | 'differing' | 'conversions' | 'clipped') =>
    layers.reduce((count, layer) => count + layer[field], 0);
  return {
    agrees: sum('differing') === 0 && sum('clipped') === 0,
    pictures: pictures.count,
    outputs: sum('outputs'),
    differing: sum('differing'),
    conversions: sum('conversions'),
    clipped: sum('clipped'),
    layers,
  };
}

function compareLayer(
  node: ConvNode | DenseNode,
  network: IntegerNetwork,
  inputCodes: Tensor,
  sums: Tensor,
  crossbar: { readonly adcBits: AdcBits; readonly tileRows: number },
) {
  const layer = network.layers.get(node.name)!;
  const adc = { bits: adcBitsOf(crossbar.adcBits, node.name) };
  const crossbarLayer = networkLayer(node, layer, network, { tileRows: crossbar.tileRows, adc });
  const simulator = inputAt(`layer ${node.name}`, () => createLayerSimulator(crossbarLayer));
  const codes = inputCodesOf(inputCodes, layer.inputSigned);
  const { outputs, conversions, saturated } = simulateCodes(simulator, node, codes, inputCodes.shape);
  const expected = read(sums);
  let differing = 0;
  outputs.forEach((output, i) => {
    if (output !== expected[i]) differing++;
  });
  return { name: node.name, outputs: expected.length, differing, conversions, clipped: saturated };
}
