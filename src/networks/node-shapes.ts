import { checkWhole } from '../check-number';
import { InputError } from '../errors';
import type { NetworkDescription, Node } from './description';
import { isNonNegative } from './non-negative';

/** [height, width, channels] of one picture; a vector of C features is [1, 1, C]. */
export type NodeShape = readonly [height: number, width: number, channels: number];

/** A node's shape, and whether it is a vector ([N, C] in the forward pass) or a picture ([N, H, W, C]). */
interface Inferred {
  readonly shape: NodeShape;
  readonly vector: boolean;
}

/** The names of the nodes that `node` reads. */
export function inputsOf(node: Node): readonly string[] {
  return node.op === 'add' ? node.inputs : [node.input];
}

const picture = (height: number, width: number, channels: number): Inferred => ({
  shape: [height, width, channels],
  vector: false,
});

const vector = (channels: number): Inferred => ({ shape: [1, 1, channels], vector: true });

/** Side of the output of a sliding window (floor, as PyTorch has it). */
const windowed = (side: number, kernel: number, stride: number, padding: number) =>
  Math.floor((side + 2 * padding - kernel) / stride) + 1;

function requireName(where: string, name: unknown): void {
  if (typeof name !== 'string' || name === '')
    throw new InputError(`${where}: name ${JSON.stringify(name)}; a text that is not empty is needed`);
}

function requireChannels(where: string, field: string, stated: number, arriving: number): void {
  if (stated !== arriving)
    throw new InputError(`${where}: ${field} is ${stated}, but its input has ${arriving} channels`);
}

function slide(
  where: string,
  [height, width]: NodeShape,
  kernel: number,
  stride: number,
  padding: number,
  channels: number,
): Inferred {
  checkWhole(`${where}: kernel`, kernel, 1);
  checkWhole(`${where}: stride`, stride, 1);
  checkWhole(`${where}: padding`, padding, 0);
  if (padding >= kernel)
    throw new InputError(`${where}: padding is ${padding}; it must be below the kernel's ${kernel}`);
  const out = picture(
    windowed(height, kernel, stride, padding),
    windowed(width, kernel, stride, padding),
    channels,
  );
  if (out.shape[0] < 1 || out.shape[1] < 1)
    throw new InputError(
      `${where}: a ${kernel} x ${kernel} kernel with padding ${padding} does not fit its ${height} x ${width} input`,
    );
  return out;
}

function inferAdd(where: string, a: Inferred, b: Inferred): Inferred {
  if (a.vector !== b.vector || a.shape.some((side, i) => side !== b.shape[i]))
    throw new InputError(
      `${where}: cannot add shapes ${a.shape.join(' x ')} and ${b.shape.join(' x ')} (height x width x channels)`,
    );
  return a;
}

function inferPicture(where: string, node: Node, shape: NodeShape): Inferred {
  const [height, width, channels] = shape;
  switch (node.op) {
    case 'conv':
      checkWhole(`${where}: outChannels`, node.outChannels, 1);
      checkWhole(`${where}: groups`, node.groups, 1);
      requireChannels(where, 'inChannels', node.inChannels, channels);
      if (node.inChannels % node.groups !== 0 || node.outChannels % node.groups !== 0)
        throw new InputError(
          `${where}: groups is ${node.groups}, which must divide inChannels ${node.inChannels} and outChannels ${node.outChannels}`,
        );
      return slide(where, shape, node.kernel, node.stride, node.padding, node.outChannels);
    case 'maxpool':
      return slide(where, shape, node.kernel, node.stride, node.padding, channels);
    case 'subsample-pad': {
      checkWhole(`${where}: stride`, node.stride, 1);
      for (const pad of node.padChannels) checkWhole(`${where}: padChannels`, pad, 0);
      return picture(
        Math.ceil(height / node.stride),
        Math.ceil(width / node.stride),
        channels + node.padChannels[0] + node.padChannels[1],
      );
    }
    case 'globalpool':
      return vector(channels);
    case 'avgpool':
      checkWhole(`${where}: grid`, node.grid, 1);
      if (height % node.grid !== 0 || width % node.grid !== 0)
        throw new InputError(
          `${where}: grid is ${node.grid}, which must divide its ${height} x ${width} input`,
        );
      return picture(node.grid, node.grid, channels);
    case 'flatten':
      return vector(height * width * channels);
    default:
      throw new InputError(`${where}: unknown op`);
  }
}

function infer(where: string, node: Node, input: Inferred): Inferred {
  switch (node.op) {
    case 'relu':
      return input;
    case 'dropout':
      if (!(node.rate >= 0 && node.rate < 1))
        throw new InputError(`${where}: rate is ${node.rate}; a number from 0 to below 1 is needed`);
      return input;
    case 'batchnorm':
      if (!(node.epsilon > 0 && node.epsilon < Infinity))
        throw new InputError(`${where}: epsilon is ${node.epsilon}; a number above 0 is needed`);
      requireChannels(where, 'channels', node.channels, input.shape[2]);
      return input;
    case 'dense':
      checkWhole(`${where}: outFeatures`, node.outFeatures, 1);
      if (!input.vector)
        throw new InputError(`${where}: a dense layer reads a vector; put a flatten or globalpool before it`);
      requireChannels(where, 'inFeatures', node.inFeatures, input.shape[2]);
      return vector(node.outFeatures);
    default:
      if (input.vector)
        throw new InputError(
          `${where}: ${node.op} needs a picture, but its input '${inputsOf(node)[0]}' is a vector`,
        );
      return inferPicture(where, node, input.shape);
  }
}

/**
 * Shape of what each node puts out, by node name, with `'input'` for the picture itself. Throws InputError, naming
 * the node, where a name is missing or used twice, where channels or sizes do not fit, where padding would come before a
 * largest value, or where the last node does not give `classes` logits. `size` overrides the picture's height and width.
 */
export function nodeShapes(
  description: NetworkDescription,
  size: { readonly height?: number; readonly width?: number } = {},
): Map<string, NodeShape> {
  const { height, width, channels } = { ...description.input, ...size };
  requireName('network', description.name);
  for (const [field, value] of Object.entries({ height, width, channels, classes: description.classes }))
    checkWhole(`network ${description.name}: ${field}`, value, 1);
  const known = new Map<string, Inferred>([['input', picture(height, width, channels)]]);
  let last: Inferred | undefined;
  for (const node of description.nodes) {
    requireName(`network ${description.name}, node (${node.op})`, node.name);
    const where = `network ${description.name}, node '${node.name}' (${node.op})`;
    if (known.has(node.name)) throw new InputError(`${where}: the name is used twice`);
    const inputs = inputsOf(node).map((name) => {
      const input = known.get(name);
      if (!input) throw new InputError(`${where}: its input '${name}' is no earlier node`);
      return input;
    });
    if (node.op === 'add' && inputs.length !== 2)
      throw new InputError(`${where}: it has ${inputs.length} inputs, two are needed`);
    if (node.op === 'maxpool' && node.padding > 0 && !isNonNegative(description, node.input))
      throw new InputError(
        `${where}: padding is ${node.padding}; the zeros that it adds need an input that is nowhere negative, as after a relu`,
      );
    last = node.op === 'add' ? inferAdd(where, inputs[0], inputs[1]) : infer(where, node, inputs[0]);
    known.set(node.name, last);
  }
  if (!last?.vector || last.shape[2] !== description.classes)
    throw new InputError(
      `network ${description.name}: the last node must give ${description.classes} logits, but gives ${last ? last.shape.join(' x ') : 'nothing'}`,
    );
  return new Map([...known].map(([name, { shape }]) => [name, shape]));
}

/** Throws InputError where `description` is no well-formed network; see `nodeShapes`. */
export function validateDescription(description: NetworkDescription): void {
  nodeShapes(description);
}
