import type { NetworkDescription } from '../../src/networks/description';
import {
  append,
  appendBatchNorm,
  appendConv,
  appendDense,
  appendRelu,
  startChain,
} from '../../src/networks/node-chain';
import { appendResidualBlock, basicBlock } from '../../src/networks/residual-block';

interface SmallOptions {
  readonly size?: number;
  readonly classes?: number;
  readonly dropout?: number;
}

/**
 * Every kind of node in a few thousand parameters: a convolution with bias and batch norm, max pooling with padding,
 * residual blocks with both kinds of shortcut, grid pooling, flatten, dropout on pictures and on vectors.
 */
export function mixedNetwork({
  size = 16,
  classes = 4,
  dropout = 0.2,
}: SmallOptions = {}): NetworkDescription {
  const chain = startChain();
  appendConv(chain, 'conv1', { from: 3, to: 6, kernel: 5, bias: true });
  appendBatchNorm(chain, 'bn1', 6);
  appendRelu(chain, 'relu1');
  append(chain, { op: 'maxpool', name: 'pool', input: chain.end, kernel: 3, stride: 2, padding: 1 });
  appendResidualBlock(chain, 'layer1', basicBlock(6, 8, 2), 'A');
  append(chain, { op: 'dropout', name: 'drop1', input: chain.end, rate: dropout });
  appendResidualBlock(chain, 'layer2', basicBlock(8, 10, 1), 'downsample');
  append(chain, { op: 'avgpool', name: 'avgpool', input: chain.end, grid: 2 });
  append(chain, { op: 'flatten', name: 'flatten', input: chain.end });
  appendDense(chain, 'fc1', 40, 12);
  appendRelu(chain, 'relu2');
  append(chain, { op: 'dropout', name: 'drop2', input: chain.end, rate: dropout });
  appendDense(chain, 'fc2', 12, classes);
  return { name: 'mixed', input: { height: size, width: size, channels: 3 }, classes, nodes: chain.nodes };
}

/** Dense layers alone. */
export function denseNetwork({ size = 16, classes = 4 }: SmallOptions = {}): NetworkDescription {
  const chain = startChain();
  append(chain, { op: 'flatten', name: 'flatten', input: 'input' });
  appendDense(chain, 'fc1', 3 * size * size, 8);
  appendRelu(chain, 'relu');
  appendDense(chain, 'fc2', 8, classes);
  return { name: 'dense', input: { height: size, width: size, channels: 3 }, classes, nodes: chain.nodes };
}
