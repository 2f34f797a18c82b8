import { evenTileRows } from '../bitplanes/even-tile-rows';
import type { ConvNode, DenseNode } from '../networks/description';
import { groupCount, groupRows } from '../quantization/channel-groups';
import type { IntegerLayer, IntegerNetwork } from '../quantization/integer-network';
import { crossbarCodes } from '../quantization/row-order';
import { type Tensor, upload } from '../tensor/engine';
import * as k from '../tensor/kernels';
import type { LayerAdc } from './layer-adcs';
import type { CrossbarLayer, LayerResult } from './layer-job';
import type { LayerSimulator } from './layer-simulator';
import { patchGrid } from './patches';

/**
 * A network's layer on crossbars of `tileRows` rows, evenly. Encoding, cells, DACs and flips are those of the network's pruning
 * record; stored row orders and groups become wiring.
 */
export function networkLayer(
  node: ConvNode | DenseNode,
  layer: IntegerLayer,
  { weightBits, pruning }: Pick<IntegerNetwork, 'weightBits' | 'pruning'>,
  { tileRows, adc }: { readonly tileRows: number; readonly adc: LayerAdc },
): CrossbarLayer & Required<Pick<CrossbarLayer, 'wiring' | 'inputRows'>> {
  const { rows, columns, rowOrder, flips, inputBits, inputSigned } = layer;
  const groups = groupCount(node);
  const wiring = Array.from({ length: groups }, (_, group) => {
    const own = groupRows(node, group);
    return rowOrder ? rowOrder.map((row) => own[row]) : own;
  });
  return {
    codes: crossbarCodes(layer),
    rows,
    columns,
    inputRows: rows * groups,
    wiring,
    flips,
    tileRows: evenTileRows(rows, tileRows),
    weightBits,
    encoding: pruning?.encoding,
    cellBits: pruning?.cellBits,
    dacBits: pruning?.dacBits,
    inputBits,
    inputForm: inputSigned ? 'twos-complement' : 'unsigned',
    adc,
  };
}

/** Input codes [N, H, W, C] or [N, K] (whole numbers in float32) as crossbars take them. */
export function inputCodesOf(inputCodes: Tensor, signed: boolean): Uint8Array | Int8Array {
  const values = k.floats(inputCodes);
  return signed ? new Int8Array(values) : new Uint8Array(values);
}

/** Sends input codes of the given shape, [N, H, W, C] or [N, K], through a layer's crossbars. */
export function simulateCodes(
  simulator: LayerSimulator,
  node: ConvNode | DenseNode,
  codes: Uint8Array | Int8Array,
  shape: readonly number[],
  record = false,
): LayerResult {
  if (node.op === 'dense') return simulator.run(codes, shape[0], record);
  const [count, height, width, channels] = shape;
  return simulator.convolve(codes, { count, height, width, channels }, node, record);
}

/** What the crossbars gave as the layer's output before scale and bias, `added` to each output channel: float32. */
export function outputTensor(
  node: ConvNode | DenseNode,
  shape: readonly number[],
  { outputs }: Pick<LayerResult, 'outputs'>,
  added?: Float32Array,
): Tensor {
  const columns = node.op === 'conv' ? node.outChannels : node.outFeatures;
  const values = new Float32Array(outputs);
  if (added) for (let i = 0; i < values.length; i++) values[i] = outputs[i] + added[i % columns];
  if (node.op === 'dense') return upload(values, [shape[0], columns]);
  const [count, height, width, channels] = shape;
  const { outHeight, outWidth } = patchGrid({ height, width, channels }, node);
  return upload(values, [count, outHeight, outWidth, columns]);
}
