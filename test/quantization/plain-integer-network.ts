import type { ConvNode, DenseNode, Node } from '../../src/networks/description';
import { crossbarNodes } from '../../src/quantization/crossbar-layers';
import type { IntegerNetwork } from '../../src/quantization/integer-network';
import { outputSide, plainConv2d } from '../tensor/plain-convolution';

/** A tensor [height, width, channels] of one picture in double precision. */
interface Plain {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly data: Float64Array;
}

export interface PlainResult {
  readonly logits: Float64Array;
  /** Of each crossbar layer: what it read and its integer sums. */
  readonly layers: ReadonlyMap<string, { readonly input: Float64Array; readonly sums: Float64Array }>;
}

/** One picture through an integer network in plain loops: what crossbars with lossless ADCs must give. */
export function plainIntegerNetwork(network: IntegerNetwork, pixels: Uint8Array): PlainResult {
  const { description } = network;
  const codes = new Map<string, Plain>();
  const values = new Map<string, Plain>();
  const layers = new Map<string, { input: Float64Array; sums: Float64Array }>();
  codes.set('input', { ...description.input, data: Float64Array.from(pixels) });
  const readers = new Map(
    crossbarNodes(description).map((node) => [node.input, network.layers.get(node.name)!]),
  );
  let last = codes.get('input')!;
  for (const node of description.nodes) {
    if (node.op === 'conv' || node.op === 'dense') {
      const input = codes.get(node.input)!;
      const sums = product(node, input, network.layers.get(node.name)!.codes);
      layers.set(node.name, { input: input.data, sums: sums.data });
      last = scaled(network, node, input, sums);
    } else last = apply(node, (name) => values.get(name)!);
    const reader = readers.get(node.name);
    if (reader) {
      const low = reader.inputSigned ? -(2 ** (reader.inputBits - 1)) : 0;
      const high = low + 2 ** reader.inputBits - 1;
      const encoded = last.data.map((x) => Math.min(high, Math.max(low, Math.round(x / reader.inputScale))));
      codes.set(node.name, { ...last, data: encoded });
      last = { ...last, data: encoded.map((code) => code * reader.inputScale) };
    }
    values.set(node.name, last);
  }
  return { logits: last.data, layers };
}

function product(node: ConvNode | DenseNode, x: Plain, weights: ArrayLike<number>): Plain {
  const conv =
    node.op === 'conv'
      ? { ...node, channels: node.inChannels, columns: node.outChannels }
      : { kernel: 1, stride: 1, padding: 0, channels: node.inFeatures, columns: node.outFeatures };
  const { kernel, channels, columns } = conv;
  const [h, w] = node.op === 'conv' ? [x.height, x.width] : [1, 1];
  return {
    height: outputSide(h, kernel, conv),
    width: outputSide(w, kernel, conv),
    channels: columns,
    data: plainConv2d(x.data, [1, h, w, channels], weights, [kernel, kernel, channels, columns], conv),
  };
}

/** Sums times scales plus bias; the picture's mean is taken off where the picture is. */
function scaled(
  { layers, mean }: IntegerNetwork,
  node: ConvNode | DenseNode,
  input: Plain,
  sums: Plain,
): Plain {
  const { scales, bias, inputScale, codes } = layers.get(node.name)!;
  const means = input.data.map((_, i) => 255 * mean[i % input.channels]);
  const offset = node.input === 'input' ? product(node, { ...input, data: means }, codes).data : undefined;
  const data = sums.data.map((sum, i) => {
    const n = i % sums.channels;
    return (sum - (offset?.[i] ?? 0)) * scales[n] * inputScale + bias[n];
  });
  return { ...sums, data };
}

function fill(
  height: number,
  width: number,
  channels: number,
  value: (y: number, x: number, c: number) => number,
) {
  const data = new Float64Array(height * width * channels);
  for (let i = 0; i < data.length; i++)
    data[i] = value(Math.floor(i / (width * channels)), Math.floor(i / channels) % width, i % channels);
  return { height, width, channels, data };
}

function apply(node: Exclude<Node, ConvNode | DenseNode>, output: (name: string) => Plain): Plain {
  if (node.op === 'add') {
    const [a, b] = node.inputs.map(output);
    return { ...a, data: a.data.map((value, i) => value + b.data[i]) };
  }
  const x = output(node.input);
  const at = (y: number, col: number, c: number) =>
    y < 0 || y >= x.height || col < 0 || col >= x.width || c < 0 || c >= x.channels
      ? 0
      : x.data[(y * x.width + col) * x.channels + c];
  switch (node.op) {
    case 'relu':
      return { ...x, data: x.data.map((value) => Math.max(0, value)) };
    case 'dropout':
      return x;
    case 'maxpool': {
      const { kernel, stride, padding } = node;
      return fill(
        outputSide(x.height, kernel, node),
        outputSide(x.width, kernel, node),
        x.channels,
        (y, col, c) => {
          let best = Number.NEGATIVE_INFINITY;
          for (let ky = 0; ky < kernel; ky++)
            for (let kx = 0; kx < kernel; kx++)
              best = Math.max(best, at(y * stride - padding + ky, col * stride - padding + kx, c));
          return best;
        },
      );
    }
    case 'subsample-pad': {
      const { stride, padChannels } = node;
      const channels = padChannels[0] + x.channels + padChannels[1];
      return fill(Math.ceil(x.height / stride), Math.ceil(x.width / stride), channels, (y, col, c) =>
        at(y * stride, col * stride, c - padChannels[0]),
      );
    }
    case 'globalpool':
      return gridMean(x, 1, at);
    case 'avgpool':
      return gridMean(x, node.grid, at);
    case 'flatten': {
      const { height, width, channels } = x;
      const place = height * width;
      const flat = fill(1, 1, place * channels, (_, __, i) =>
        at(Math.floor((i % place) / width), i % width, Math.floor(i / place)),
      );
      return flat;
    }
    default:
      throw new Error(`${node.name}: ${node.op}`);
  }
}

function gridMean(x: Plain, grid: number, at: (y: number, col: number, c: number) => number): Plain {
  const [h, w] = [x.height / grid, x.width / grid];
  return fill(grid, grid, x.channels, (y, col, c) => {
    let sum = 0;
    for (let i = 0; i < h; i++) for (let j = 0; j < w; j++) sum += at(y * h + i, col * w + j, c);
    return sum / (h * w);
  });
}
