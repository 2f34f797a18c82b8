import { simulateLayer } from '../crossbar/simulate-layer';
import type { ConvNode, DenseNode } from '../networks/description';
import type { Pictures } from '../networks/inference';
import type { OnProgress } from '../progress';
import { crossbarNodes } from '../quantization/crossbar-layers';
import { createIntegerInference } from '../quantization/integer-inference';
import type { IntegerLayer, IntegerNetwork } from '../quantization/integer-network';
import { read, type Tensor } from '../tensor/engine';
import { layerVectors } from './layer-vectors';

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
 * the tensor engine's integer, bit for bit. What the engine gives goes on to the next layer.
 */
export function checkCrossbar(
  network: IntegerNetwork,
  pictures: Pictures,
  { adcBits, tileRows }: { readonly adcBits: number; readonly tileRows: number },
  onProgress?: OnProgress,
): CrossbarCheck {
  const total = crossbarNodes(network.description).length;
  const layers: CrossbarCheck['layers'][number][] = [];
  const inference = createIntegerInference(network, {
    onLayer: (node, inputCodes, sums) => {
      onProgress?.({ done: layers.length, total, note: `crossbar: ${node.name}` });
      const layer = network.layers.get(node.name)!;
      layers.push(compareLayer(node, layer, network.weightBits, inputCodes, sums, adcBits, tileRows));
      return undefined;
    },
  });
  try {
    inference.logits(pictures);
  } finally {
    inference.dispose();
  }
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
  layer: IntegerLayer,
  weightBits: number,
  inputCodes: Tensor,
  sums: Tensor,
  adcBits: number,
  tileRows: number,
) {
  const { inputs, vectors } = layerVectors(node, layer, inputCodes);
  const { outputs, saturated, conversions } = simulateLayer({
    codes: layer.codes,
    rows: layer.rows,
    columns: layer.columns,
    inputs,
    vectors,
    tileRows,
    weightBits,
    inputBits: layer.inputBits,
    adc: { bits: adcBits },
  });
  const expected = read(sums);
  let differing = 0;
  for (let i = 0; i < outputs.length; i++) if (outputs[i] !== expected[i]) differing++;
  return { name: node.name, outputs: outputs.length, differing, conversions, clipped: saturated };
}
