import { inputCodesOf } from '../crossbar/network-layer';
import { inputPatches } from '../crossbar/patches';
import type { ConvNode, DenseNode } from '../networks/description';
import type { IntegerLayer } from '../quantization/integer-network';
import type { Tensor } from '../tensor/engine';

/** Input codes of a layer as the crossbar takes them, [vectors, rows]. */
export interface LayerVectors {
  readonly inputs: Uint8Array | Int8Array;
  readonly vectors: number;
}

/** The crossbar's input vectors of a layer from its input codes (whole numbers in float32). */
export function layerVectors(
  node: ConvNode | DenseNode,
  layer: Pick<IntegerLayer, 'inputSigned'>,
  inputCodes: Tensor,
): LayerVectors {
  const codes = inputCodesOf(inputCodes, layer.inputSigned);
  if (node.op === 'dense') return { inputs: codes, vectors: inputCodes.shape[0] };
  const [count, height, width, channels] = inputCodes.shape;
  return inputPatches<Uint8Array | Int8Array>(codes, { count, height, width, channels }, node);
}
