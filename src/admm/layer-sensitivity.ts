import type { ConvNode, DenseNode } from '../networks/description';
import { groupColumns, groupCount, groupRows, joinColumns } from '../quantization/channel-groups';
import type { IntegerLayer, IntegerNetwork } from '../quantization/integer-network';
import type { RandomStream } from '../tensor/random';
import { correctOutputs } from './correct-outputs';
import { relativeError } from './layer-admm';
import { momentsOf, type SecondMoments } from './second-moments';

/** Output error over output variance at which the network is watched: far above what rounding of activations does. */
export const SMALL_ERROR = 0.01;

/** Independent noises: one alone is right within a factor of about 1.5. */
const DRAWS = 2;

/**
 * Nats a picture by which the network's answers move for a layer's output error of the size of its outputs' variance,
 * from small errors on: noise in the weights of one layer, its means made good. Small errors of different layers and
 * kinds add up in proportion to their size (the linearity theorem of Malinovskii et al. 2024, arXiv 2411.17525), so one
 * number a layer tells what any pruning of it will do.
 * @param divergenceOf mean divergence, in nats a picture, of the network with this layer in its place
 * @returns 0 for a layer whose outputs do not change
 */
export function layerSensitivity(
  node: ConvNode | DenseNode,
  network: IntegerNetwork,
  moments: SecondMoments,
  divergenceOf: (layer: IntegerLayer) => number,
  random: RandomStream,
): number {
  let nats = 0;
  let errors = 0;
  for (let draw = 0; draw < DRAWS; draw++) {
    const { layer, error } = noisyLayer(node, network, moments, random);
    if (error === 0) continue;
    errors += error;
    nats += divergenceOf(layer);
  }
  return errors > 0 ? nats / errors : 0;
}

/** The layer with normal noise in its codes, the same share of each channel's, of about the wanted output error. */
function noisyLayer(
  node: ConvNode | DenseNode,
  network: IntegerNetwork,
  moments: SecondMoments,
  random: RandomStream,
): { layer: IntegerLayer; error: number } {
  const layer = network.layers.get(node.name)!;
  const { codes, columns, rows } = layer;
  const largest = 2 ** (network.weightBits - 1) - 1;
  const size = new Float64Array(columns);
  codes.forEach((code, at) => {
    size[at % columns] += (code * code) / rows;
  });
  const noise = Float64Array.from(codes, (_, at) => random.normal() * Math.sqrt(size[at % columns]));
  const parts = partsOf(node, layer, moments);
  const before = parts.error(codes);
  let share = Math.sqrt(SMALL_ERROR);
  let noisy = codes;
  let error = 0;
  // Rounding to codes lets the error miss its aim.
  for (let round = 0; round < 8; round++) {
    noisy = codes.map((code, at) =>
      Math.max(-largest, Math.min(largest, Math.round(code + share * noise[at]))),
    );
    error = Math.max(0, parts.error(noisy) - before);
    if (error > 0.8 * SMALL_ERROR && error < 1.25 * SMALL_ERROR) break;
    share *= error > 0 ? Math.min(4, Math.max(0.25, Math.sqrt(SMALL_ERROR / error))) : 4;
  }
  return { layer: { ...layer, codes: noisy, bias: parts.bias(noisy) }, error };
}

/** Mean output error over the groups of codes, and the bias that keeps the mean outputs. */
function partsOf(node: ConvNode | DenseNode, { columns, scales }: IntegerLayer, moments: SecondMoments) {
  const groups = groupCount(node);
  const parts = Array.from({ length: groups }, (_, group) => ({
    group,
    own: momentsOf(moments, groupRows(node, group), groups, group),
    scales: groupColumns(scales, columns, groups, group),
  }));
  const codesOf = (codes: Int8Array, group: number) => groupColumns(codes, columns, groups, group);
  return {
    error: (codes: Int8Array) =>
      parts.reduce((sum, part) => sum + relativeError(part.own, codesOf(codes, part.group), part.scales), 0) /
      groups,
    bias: (codes: Int8Array) =>
      joinColumns(
        parts.map((part) => correctOutputs(part.own, codesOf(codes, part.group), part.scales, 0).bias),
        1,
      ),
  };
}
