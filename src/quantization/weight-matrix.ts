import type { ConvNode, DenseNode, Parameters } from '../networks/description';
import type { InferenceOptions } from '../networks/inference';
import { toTensorFlow } from '../networks/weight-layout';
import { groupCount } from './channel-groups';

/** Rows of a layer on crossbars: one for each weight of an output channel, which sees the inputs of its group only. */
export function rowCount(node: ConvNode | DenseNode): number {
  return node.op === 'conv' ? (node.kernel * node.kernel * node.inChannels) / node.groups : node.inFeatures;
}

/**
 * Real weights as the crossbar has them, [rows, columns] with rows in the order (ky, kx, c). The layer that takes the
 * picture has the pixels' 1 / (255 std) folded in, so that its input is the uint8 picture.
 */
export function weightMatrix(
  node: ConvNode | DenseNode,
  parameters: Parameters,
  { std }: Pick<InferenceOptions, 'std'>,
): Float32Array {
  const { data, shape } = parameters.get(`${node.name}.weight`)!;
  const matrix = toTensorFlow(data, shape);
  if (node.input !== 'input') return matrix;
  const divisor = pixelDivisor(node, shape[0], std);
  return matrix.map((weight, i) => weight / divisor(i));
}

/** What element i of a layer's matrix is divided by for the crossbar: 255 std of its channel where the layer takes the picture, else 1. */
export function pixelDivisor(
  node: ConvNode | DenseNode,
  columns: number,
  std: readonly number[],
): (i: number) => number {
  if (node.input !== 'input') return () => 1;
  const perGroup = std.length / groupCount(node);
  const width = columns / groupCount(node);
  return (i) => {
    const group = Math.floor((i % columns) / width);
    return 255 * std[group * perGroup + (Math.floor(i / columns) % perGroup)];
  };
}
