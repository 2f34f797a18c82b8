import type { ConvNode, DenseNode } from '../networks/description';
import type { BitMask } from '../projections/bit-mask';
import { chosenColumns, groupCount } from '../quantization/channel-groups';
import type { IntegerLayer } from '../quantization/integer-network';
import type { LayerInputs } from './prune-layer';
import type { ReferenceNetwork } from './through-layers';

/** At most so many of a layer's output channels, evenly spread; all of a grouped convolution. */
export function spreadChannels(node: ConvNode | DenseNode, columns: number, most: number): Int32Array {
  const count = groupCount(node) > 1 ? columns : Math.min(columns, most);
  return Int32Array.from({ length: count }, (_, i) => Math.floor((i * columns) / count));
}

/** The inputs as if the layer had the chosen output channels only: columns share nothing but their inputs. */
export function onlyChannels(inputs: LayerInputs, channels: Int32Array): LayerInputs {
  const { node, network, reference, measured } = inputs;
  const layer = network.layers.get(node.name)!;
  if (channels.length === layer.columns) return inputs;
  const columns = channels.length;
  const { moments, samples } = measured;
  const { cross, targetMean, targetVariance } = moments;
  const own = <Values extends Float32Array | Int8Array>(values: Values) =>
    chosenColumns(values, layer.columns, channels);
  return {
    node: node.op === 'conv' ? { ...node, outChannels: columns } : { ...node, outFeatures: columns },
    network: {
      ...network,
      layers: new Map([
        ...network.layers,
        [
          node.name,
          { ...layer, columns, codes: own(layer.codes), scales: own(layer.scales), bias: own(layer.bias) },
        ],
      ]),
    },
    reference: { ...reference, parameters: parametersOf(reference, node.name, channels) },
    measured: {
      ...measured,
      moments: {
        ...moments,
        columns,
        cross: own(cross),
        targetMean: own(targetMean),
        targetVariance: own(targetVariance),
      },
      samples: samples && {
        ...samples,
        targets: own(samples.targets),
        beside: samples.beside && own(samples.beside),
      },
    },
  };
}

/** A mask's chosen columns. */
export function maskOfChannels({ mask, sign }: BitMask, columns: number, channels: Int32Array): BitMask {
  return { mask: chosenColumns(mask, columns, channels), sign: chosenColumns(sign, columns, channels) };
}

/** A layer of `columns` output channels that has those of `some`, which stands for it, again and again. */
export function repeatChannels(some: IntegerLayer, columns: number): IntegerLayer {
  if (some.columns === columns) return some;
  const channels = Int32Array.from({ length: columns }, (_, i) => i % some.columns);
  return {
    ...some,
    columns,
    codes: chosenColumns(some.codes, some.columns, channels),
    scales: chosenColumns(some.scales, some.columns, channels),
    bias: chosenColumns(some.bias, some.columns, channels),
    ...(some.flips && { flips: chosenColumns(some.flips, some.columns, channels) }),
  };
}

/** Weights of PyTorch's layout, [output channels, ...]. */
function parametersOf({ parameters }: ReferenceNetwork, name: string, channels: Int32Array) {
  const { data, shape } = parameters.get(`${name}.weight`)!;
  const size = data.length / shape[0];
  const chosen = new Float32Array(channels.length * size);
  channels.forEach((channel, i) => {
    chosen.set(data.subarray(channel * size, (channel + 1) * size), i * size);
  });
  return new Map([
    ...parameters,
    [`${name}.weight`, { shape: [channels.length, ...shape.slice(1)], data: chosen }] as const,
  ]);
}
