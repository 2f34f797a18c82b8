import { InputError } from '../errors';
import type { ConvNode, DenseNode, Node } from '../networks/description';
import { nodeShapes } from '../networks/node-shapes';
import type { IntegerLayer, IntegerNetwork } from './integer-network';
import { floatField, integerField, joined, nestedField, type ProtobufMessage } from './protobuf-fields';

// Element types and attribute types of the ONNX format.
const FLOAT = 1;
const UINT8 = 2;
const INT8 = 3;
const INT64 = 7;
const ATTRIBUTE = { float: 1, integer: 2, integers: 7 } as const;

const OPSET = 13;
const IR_VERSION = 8;

type Attribute = number | readonly number[];

/**
 * The network as an ONNX model (opset 13) with its integer codes: weights are int8 behind DequantizeLinear with a scale
 * each output channel, activations pass QuantizeLinear and DequantizeLinear. Input `picture`, uint8 [N, C, H, W] as the
 * pixels are; output `logits`. The pruning record is metadata `pruning`, JSON.
 */
export function toOnnx(network: IntegerNetwork): Uint8Array {
  const { description, layers, pruning } = network;
  const { height, width, channels } = description.input;
  const graph = new Graph();
  const shapes = nodeShapes(description);
  const codings = new Map<string, IntegerLayer>();
  for (const layer of layers.values()) {
    const node = description.nodes.find(({ name }) => name === layer.name) as ConvNode | DenseNode;
    if (!codings.has(node.input)) codings.set(node.input, layer);
  }
  const outputs = new Map<string, string>();
  const first = codings.get('input');
  if (first) outputs.set('input', centredPicture(graph, network.mean, first.inputScale));
  for (const node of description.nodes) {
    if (node.name === 'logits' || node.name === 'picture')
      throw new InputError(`ONNX: node '${node.name}': that is the name of the file's input or output`);
    const input = (name: string) => outputs.get(name)!;
    const output = addNode(graph, node, input, network, shapes);
    const coding = codings.get(node.name);
    outputs.set(node.name, coding ? coded(graph, output, coding, node.name) : output);
  }
  graph.add('Identity', [outputs.get(description.nodes[description.nodes.length - 1].name)!], 'logits');
  const body: ProtobufMessage = [
    ...graph.nodes,
    nestedField(2, description.name),
    ...graph.constants,
    nestedField(11, valueInfo('picture', UINT8, ['N', channels, height, width])),
    nestedField(12, valueInfo('logits', FLOAT, ['N', description.classes])),
  ];
  return joined([
    integerField(1, IR_VERSION),
    nestedField(2, 'cim-pruning'),
    nestedField(7, body),
    nestedField(8, [nestedField(1, ''), integerField(2, OPSET)]),
    ...(pruning
      ? [nestedField(14, [nestedField(1, 'pruning'), nestedField(2, JSON.stringify(pruning))])]
      : []),
  ]);
}

/** Nodes and constants of a graph in the making. */
class Graph {
  readonly nodes: Uint8Array[] = [];
  readonly constants: Uint8Array[] = [];

  /** Adds a node and gives the name of its output. */
  add(
    operator: string,
    inputs: readonly string[],
    output: string,
    attributes: Readonly<Record<string, Attribute>> = {},
  ): string {
    this.nodes.push(
      nestedField(1, [
        ...inputs.map((name) => nestedField(1, name)),
        nestedField(2, output),
        nestedField(3, output),
        nestedField(4, operator),
        ...Object.entries(attributes).map(([name, value]) => nestedField(5, attribute(name, value))),
      ]),
    );
    return output;
  }

  floats(name: string, values: readonly number[] | Float32Array, dims: readonly number[] = []): string {
    return this.constant(name, FLOAT, dims, bytesOf(Float32Array.from(values)));
  }

  codes(name: string, values: Int8Array, dims: readonly number[]): string {
    return this.constant(name, INT8, dims, bytesOf(values));
  }

  integers(name: string, values: readonly number[]): string {
    return this.constant(name, INT64, [values.length], bytesOf(BigInt64Array.from(values, BigInt)));
  }

  constant(name: string, type: number, dims: readonly number[], bytes: Uint8Array): string {
    this.constants.push(
      nestedField(5, [
        ...dims.map((dim) => integerField(1, dim)),
        integerField(2, type),
        nestedField(8, name),
        nestedField(9, bytes),
      ]),
    );
    return name;
  }
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);
}

function attribute(name: string, value: Attribute): ProtobufMessage {
  if (typeof value === 'number')
    return Number.isInteger(value)
      ? [nestedField(1, name), integerField(3, value), integerField(20, ATTRIBUTE.integer)]
      : [nestedField(1, name), floatField(2, value), integerField(20, ATTRIBUTE.float)];
  return [
    nestedField(1, name),
    ...value.map((item) => integerField(8, item)),
    integerField(20, ATTRIBUTE.integers),
  ];
}

function valueInfo(name: string, type: number, dims: readonly (string | number)[]): ProtobufMessage {
  const shape = dims.map((dim) =>
    nestedField(1, [typeof dim === 'string' ? nestedField(2, dim) : integerField(1, dim)]),
  );
  return [
    nestedField(1, name),
    nestedField(2, [nestedField(1, [integerField(1, type), nestedField(2, shape)])]),
  ];
}

/** (pixel - 255 mean) times the scale of the first layer's inputs: zero where its padding is. */
function centredPicture(graph: Graph, mean: readonly number[], scale: number): string {
  const floats = graph.add('Cast', ['picture'], 'picture.float', { to: FLOAT });
  const offset = graph.floats(
    'picture.mean',
    mean.map((value) => 255 * value),
    [mean.length, 1, 1],
  );
  const centred = graph.add('Sub', [floats, offset], 'picture.centred');
  return graph.add('Mul', [centred, graph.floats('picture.scale', [scale])], 'picture.scaled');
}

/** The tensor as its codes make it. */
function coded(graph: Graph, input: string, layer: IntegerLayer, name: string): string {
  const { inputScale, inputBits, inputSigned } = layer;
  const lowest = inputSigned ? -(2 ** (inputBits - 1)) : 0;
  const highest = lowest + 2 ** inputBits - 1;
  const scale = graph.floats(`${name}.scale`, [inputScale]);
  const zero = graph.constant(`${name}.zero`, inputSigned ? INT8 : UINT8, [], Uint8Array.of(0));
  const low = graph.floats(`${name}.low`, [lowest * inputScale]);
  const high = graph.floats(`${name}.high`, [highest * inputScale]);
  const clipped = graph.add('Clip', [input, low, high], `${name}.clipped`);
  const codes = graph.add('QuantizeLinear', [clipped, scale, zero], `${name}.codes`);
  return graph.add('DequantizeLinear', [codes, scale, zero], `${name}.coded`);
}

function addNode(
  graph: Graph,
  node: Node,
  input: (name: string) => string,
  { layers }: IntegerNetwork,
  shapes: ReadonlyMap<string, readonly number[]>,
): string {
  const { name } = node;
  switch (node.op) {
    case 'conv': {
      const { inChannels, outChannels, kernel, padding, stride, groups } = node;
      const dims = [outChannels, inChannels / groups, kernel, kernel];
      const inputs = [input(node.input), ...weights(graph, layers.get(name)!, dims, 0)];
      return graph.add('Conv', inputs, name, {
        kernel_shape: [kernel, kernel],
        strides: [stride, stride],
        pads: [padding, padding, padding, padding],
        group: groups,
      });
    }
    case 'dense': {
      const dims = [node.inFeatures, node.outFeatures];
      return graph.add('Gemm', [input(node.input), ...weights(graph, layers.get(name)!, dims, 1)], name);
    }
    case 'batchnorm':
      throw new Error(`${name}: an integer network has its batch norms folded`);
    case 'relu':
      return graph.add('Relu', [input(node.input)], name);
    case 'add':
      return graph.add('Add', node.inputs.map(input), name);
    case 'maxpool': {
      const { kernel, stride, padding } = node;
      const padded =
        padding === 0
          ? input(node.input)
          : padZeros(graph, input(node.input), name, [0, 0, padding, padding, 0, 0, padding, padding]);
      return graph.add('MaxPool', [padded], name, {
        kernel_shape: [kernel, kernel],
        strides: [stride, stride],
      });
    }
    case 'subsample-pad': {
      const constants = [
        graph.integers(`${name}.starts`, [0, 0]),
        graph.integers(`${name}.ends`, [65535, 65535]),
        graph.integers(`${name}.axes`, [2, 3]),
        graph.integers(`${name}.steps`, [node.stride, node.stride]),
      ];
      const sampled = graph.add('Slice', [input(node.input), ...constants], `${name}.sampled`);
      const [before, after] = node.padChannels;
      return padZeros(graph, sampled, name, [0, before, 0, 0, 0, after, 0, 0], name);
    }
    case 'globalpool':
      return graph.add(
        'Flatten',
        [graph.add('GlobalAveragePool', [input(node.input)], `${name}.pool`)],
        name,
      );
    case 'avgpool': {
      const [height, width] = shapes.get(node.input)!;
      const size = [height / node.grid, width / node.grid];
      return graph.add('AveragePool', [input(node.input)], name, { kernel_shape: size, strides: size });
    }
    case 'flatten':
      return graph.add('Flatten', [input(node.input)], name);
    case 'dropout':
      return graph.add('Identity', [input(node.input)], name);
  }
}

function padZeros(
  graph: Graph,
  input: string,
  name: string,
  pads: readonly number[],
  output = `${name}.padded`,
): string {
  return graph.add('Pad', [input, graph.integers(`${name}.pads`, pads)], output);
}

/** Dequantised weights and the bias of a layer. */
function weights(graph: Graph, layer: IntegerLayer, dims: readonly number[], axis: number): string[] {
  const { name, columns, scales, bias } = layer;
  const codes = graph.codes(
    `${name}.weight.codes`,
    axis === 0 ? outputsFirst(layer, dims) : layer.codes,
    dims,
  );
  const scale = graph.floats(`${name}.weight.scales`, scales, [columns]);
  const zero = graph.codes(`${name}.weight.zeros`, new Int8Array(columns), [columns]);
  const real = graph.add('DequantizeLinear', [codes, scale, zero], `${name}.weight`, { axis });
  return [real, graph.floats(`${name}.bias`, bias, [columns])];
}

/** Codes [(ky, kx, c), out] as [out, c, ky, kx]. */
function outputsFirst(
  { codes, columns }: IntegerLayer,
  [, channels, height, width]: readonly number[],
): Int8Array {
  const result = new Int8Array(codes.length);
  let at = 0;
  for (let column = 0; column < columns; column++)
    for (let c = 0; c < channels; c++)
      for (let tap = 0; tap < height * width; tap++)
        result[at++] = codes[(tap * channels + c) * columns + column];
  return result;
}
