import { simulateLayer } from '../crossbar/simulate-layer';
import type { ConvNode, DenseNode } from '../networks/description';
import type { Pictures } from '../networks/inference';
import type { OnProgress } from '../progress';
import { groupColumns, groupCount, groupRows } from '../quantization/channel-groups';
import { crossbarNodes } from '../quantization/crossbar-layers';
import { createIntegerInference } from '../quantization/integer-inference';
import type { IntegerLayer, IntegerNetwork } from '../quantization/integer-network';
import { crossbarCodes } from '../quantization/row-order';
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
 * the tensor engine's integer, bit for bit. What the engine gives goes on to the next layer. Encoding, cells, DACs and
 * flips are those of the network's pruning record.
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
      layers.push(compareLayer(node, layer, network, inputCodes, sums, adcBits, tileRows));
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
  { weightBits, pruning }: IntegerNetwork,
  inputCodes: Tensor,
  sums: Tensor,
  adcBits: number,
  tileRows: number,
) {
  const { inputs, vectors } = layerVectors(node, layer, inputCodes);
  const expected = read(sums);
  const { columns } = layer;
  const groups = groupCount(node);
  const width = columns / groups;
  let differing = 0;
  let conversions = 0;
  let clipped = 0;
  for (let group = 0; group < groups; group++) {
    const inGroup = groupRows(node, group);
    const placed = layer.rowOrder ? layer.rowOrder.map((row) => inGroup[row]) : inGroup;
    const result = simulateLayer({
      codes: groupColumns(crossbarCodes(layer), columns, groups, group),
      rows: layer.rows,
      columns: width,
      inputs: groups === 1 && !layer.rowOrder ? inputs : chosenInputs(inputs, vectors, placed),
      vectors,
      tileRows,
      weightBits,
      encoding: pruning?.encoding,
      cellBits: pruning?.cellBits,
      dacBits: pruning?.dacBits,
      flips: layer.flips && groupColumns(layer.flips, columns, groups, group),
      inputBits: layer.inputBits,
      adc: { bits: adcBits },
    });
    conversions += result.conversions;
    clipped += result.saturated;
    result.outputs.forEach((output, i) => {
      const at = Math.floor(i / width) * columns + group * width + (i % width);
      if (output !== expected[at]) differing++;
    });
  }
  return { name: node.name, outputs: expected.length, differing, conversions, clipped };
}

/** Some of the rows of patches of all channels, in the given order, [vectors][rows]. */
export function chosenInputs<Codes extends Uint8Array | Int8Array>(
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
