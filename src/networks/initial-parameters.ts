import { randomStream } from '../tensor/random';
import type { ConvNode, DenseNode, NetworkDescription, Node, Parameters } from './description';
import { parameterShapes } from './parameter-shapes';

export interface InitialisationOptions {
  /**
   * Start the last batch norm of every residual block at weight 0, so that each block starts as the identity
   * (Goyal et al. 2017). Default false.
   */
  readonly zeroInitResidual?: boolean;
}

/** Normal with variance 2 / fan-out (He et al. 2015), as torchvision starts convolutions: groups do not count. */
function heNormal(node: ConvNode, count: number, seed: number): Float32Array {
  const deviation = Math.sqrt(2 / (node.outChannels * node.kernel ** 2));
  const stream = randomStream(seed, `${node.name}.weight`);
  return Float32Array.from({ length: count }, () => stream.normal() * deviation);
}

/** Uniform within 1 / sqrt(inFeatures), as `torch.nn.Linear` starts its weight and its bias. */
function denseUniform(node: DenseNode, count: number, seed: number, suffix: string): Float32Array {
  const limit = 1 / Math.sqrt(node.inFeatures);
  const stream = randomStream(seed, `${node.name}.${suffix}`);
  return Float32Array.from({ length: count }, () => (2 * stream.uniform() - 1) * limit);
}

/** Batch norms that end the main path of a residual block: the first input of an addition. */
function residualEnds(description: NetworkDescription): Set<string> {
  return new Set(description.nodes.flatMap((node) => (node.op === 'add' ? [node.inputs[0]] : [])));
}

function startOf(node: Node, suffix: string, count: number, seed: number, zeroWeight: boolean): Float32Array {
  if (node.op === 'conv' && suffix === 'weight') return heNormal(node, count, seed);
  if (node.op === 'dense') return denseUniform(node, count, seed, suffix);
  const one = node.op === 'batchnorm' && (suffix === 'running_var' || (suffix === 'weight' && !zeroWeight));
  return new Float32Array(count).fill(one ? 1 : 0);
}

/**
 * Fresh parameters: He normal (fan-out) convolutions with zero bias, dense layers as PyTorch starts them, batch norm at
 * weight 1 and bias 0 with statistics 0 and 1. Every tensor has its own random stream of `seed`, so the same name
 * starts alike in every network of the same shape.
 */
export function initialParameters(
  description: NetworkDescription,
  seed: number,
  { zeroInitResidual = false }: InitialisationOptions = {},
): Parameters {
  const nodes = new Map(description.nodes.map((node) => [node.name, node]));
  const zeroed = zeroInitResidual ? residualEnds(description) : new Set<string>();
  const parameters: Parameters = new Map();
  for (const [name, shape] of parameterShapes(description)) {
    const dot = name.lastIndexOf('.');
    const node = nodes.get(name.slice(0, dot))!;
    const count = shape.reduce((product, side) => product * side, 1);
    parameters.set(name, {
      shape,
      data: startOf(node, name.slice(dot + 1), count, seed, zeroed.has(node.name)),
    });
  }
  return parameters;
}
