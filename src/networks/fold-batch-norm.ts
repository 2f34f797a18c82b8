import { InputError } from '../errors';
import type { BatchNormNode, ConvNode, NetworkDescription, Node, Parameters } from './description';
import { inputsOf } from './node-shapes';
import { requireParameters } from './require-parameters';

/** The convolution that each batch norm follows, by the batch norm's name. */
function foldedConvolutions(description: NetworkDescription): Map<string, ConvNode> {
  const nodes = new Map(description.nodes.map((node) => [node.name, node]));
  const readers = new Map<string, number>();
  for (const node of description.nodes)
    for (const name of inputsOf(node)) readers.set(name, (readers.get(name) ?? 0) + 1);
  const pairs = new Map<string, ConvNode>();
  for (const node of description.nodes) {
    if (node.op !== 'batchnorm') continue;
    const conv = nodes.get(node.input);
    const where = `network ${description.name}: batch norm '${node.name}' cannot be folded`;
    if (conv?.op !== 'conv')
      throw new InputError(
        `${where}: it follows '${node.input}' (${conv?.op ?? 'the picture'}), not a convolution`,
      );
    if (readers.get(conv.name) !== 1)
      throw new InputError(`${where}: its convolution '${conv.name}' is read by another node too`);
    pairs.set(node.name, conv);
  }
  return pairs;
}

/** The batch norm that follows a convolution, by the convolution's name. @throws InputError as `foldedDescription` */
export function foldedNorms(description: NetworkDescription): Map<string, BatchNormNode> {
  const norms = new Map<string, BatchNormNode>();
  for (const [name, conv] of foldedConvolutions(description))
    norms.set(conv.name, description.nodes.find((node) => node.name === name) as BatchNormNode);
  return norms;
}

function redirected(node: Node, renamed: (name: string) => string): Node {
  if (node.op === 'add') return { ...node, inputs: [renamed(node.inputs[0]), renamed(node.inputs[1])] };
  const moved = { ...node, input: renamed(node.input) };
  return moved.op === 'conv' ? { ...moved, bias: true } : moved;
}

/**
 * `description` without its batch norms: what read one reads its convolution, and every convolution has a bias.
 * Throws InputError for a batch norm that does not directly and alone follow a convolution.
 */
export function foldedDescription(description: NetworkDescription): NetworkDescription {
  const pairs = foldedConvolutions(description);
  const renamed = (name: string) => pairs.get(name)?.name ?? name;
  const nodes = description.nodes
    .filter((node) => node.op !== 'batchnorm')
    .map((node) => redirected(node, renamed));
  return { ...description, nodes };
}

/**
 * What a batch norm does to each channel at inference: y = factor * (x - mean) + beta, from the running statistics.
 * @throws InputError where a factor is not finite
 */
export function channelMap(norm: BatchNormNode, parameters: Parameters) {
  const read = (suffix: string) => parameters.get(`${norm.name}.${suffix}`)!.data;
  const [gamma, beta, mean, variance] = ['weight', 'bias', 'running_mean', 'running_var'].map(read);
  const factor = Float64Array.from(gamma, (g, c) => g / Math.sqrt(variance[c] + norm.epsilon));
  const bad = factor.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0)
    throw new InputError(
      `batch norm '${norm.name}' cannot be folded: channel ${bad} has weight ${gamma[bad]} and running variance ${variance[bad]}`,
    );
  return { factor, mean, beta };
}

function foldOne(
  conv: ConvNode,
  norm: BatchNormNode | undefined,
  parameters: Parameters,
  folded: Parameters,
): void {
  const weight = parameters.get(`${conv.name}.weight`)!;
  const bias = parameters.get(`${conv.name}.bias`)?.data ?? new Float32Array(conv.outChannels);
  const shape = [conv.outChannels];
  if (!norm) {
    folded.set(`${conv.name}.weight`, weight);
    folded.set(`${conv.name}.bias`, { shape, data: bias });
    return;
  }
  const { factor, mean, beta } = channelMap(norm, parameters);
  const perChannel = weight.data.length / conv.outChannels;
  folded.set(`${conv.name}.weight`, {
    shape: weight.shape,
    data: weight.data.map((value, i) => value * factor[Math.floor(i / perChannel)]),
  });
  folded.set(`${conv.name}.bias`, {
    shape,
    data: bias.map((value, c) => beta[c] + (value - mean[c]) * factor[c]),
  });
}

/**
 * Folds every batch norm into the convolution before it, with s = weight / sqrt(running_var + epsilon):
 * W' = s W and b' = bias + s (b - running_mean) for each output channel, in double precision, rounded once to float32.
 * The logits are those of the network at inference up to float32 rounding. Parameters of other nodes are shared, not
 * copied. Throws InputError where a batch norm does not directly follow a convolution or a parameter is missing.
 */
export function foldBatchNorm(
  description: NetworkDescription,
  parameters: Parameters,
): { description: NetworkDescription; parameters: Parameters } {
  requireParameters(description, parameters);
  const norms = foldedNorms(description);
  const folded: Parameters = new Map();
  for (const node of description.nodes) {
    if (node.op === 'conv') foldOne(node, norms.get(node.name), parameters, folded);
    if (node.op === 'dense')
      for (const name of [`${node.name}.weight`, `${node.name}.bias`])
        if (parameters.has(name)) folded.set(name, parameters.get(name)!);
  }
  return { description: foldedDescription(description), parameters: folded };
}
