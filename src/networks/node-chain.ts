import type { Node } from './description';

/** PyTorch's default, and that of every network here. */
const EPSILON = 1e-5;

/** Nodes being appended one after the other; `end` is the name of the last. */
export interface NodeChain {
  readonly nodes: Node[];
  end: string;
}

export interface ConvShape {
  readonly from: number;
  readonly to: number;
  readonly kernel: number;
  readonly stride?: number;
  readonly bias?: boolean;
}

export const startChain = (): NodeChain => ({ nodes: [], end: 'input' });

/** Appends `node`, which becomes the end of the chain. */
export function append(chain: NodeChain, node: Node): void {
  chain.nodes.push(node);
  chain.end = node.name;
}

/** Appends a convolution (padded by half its kernel) that reads the end of the chain, or `input`. */
export function appendConv(chain: NodeChain, name: string, shape: ConvShape, input = chain.end): void {
  append(chain, {
    op: 'conv',
    name,
    input,
    inChannels: shape.from,
    outChannels: shape.to,
    kernel: shape.kernel,
    stride: shape.stride ?? 1,
    padding: (shape.kernel - 1) / 2,
    groups: 1,
    bias: shape.bias ?? false,
  });
}

export function appendBatchNorm(chain: NodeChain, name: string, channels: number): void {
  append(chain, { op: 'batchnorm', name, input: chain.end, channels, epsilon: EPSILON });
}

export function appendRelu(chain: NodeChain, name: string): void {
  append(chain, { op: 'relu', name, input: chain.end });
}

export function appendDense(chain: NodeChain, name: string, inFeatures: number, outFeatures: number): void {
  append(chain, { op: 'dense', name, input: chain.end, inFeatures, outFeatures, bias: true });
}
