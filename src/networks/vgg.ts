import type { NetworkDescription } from './description';
import {
  append,
  appendBatchNorm,
  appendConv,
  appendDense,
  appendRelu,
  type NodeChain,
  startChain,
} from './node-chain';

/** Convolutions of each stage (Simonyan and Zisserman 2015, table 1: A, B, D, E); a 2x2 max pool ends every stage. */
const STAGES = {
  11: [1, 1, 2, 2, 2],
  13: [2, 2, 2, 2, 2],
  16: [2, 2, 3, 3, 3],
  19: [2, 2, 4, 4, 4],
} as const;
const WIDTHS = [64, 128, 256, 512, 512] as const;

export type VggDepth = keyof typeof STAGES;

/** Appends `features.0`, `features.1`, ...: convolution (with bias, as all three PyTorch forms have it), norm, ReLU, pool. */
function appendFeatures(chain: NodeChain, depth: VggDepth): void {
  let index = 0;
  const next = () => `features.${index++}`;
  let from = 3;
  for (const [stage, width] of WIDTHS.entries()) {
    for (let i = 0; i < STAGES[depth][stage]; i++) {
      appendConv(chain, next(), { from, to: width, kernel: 3, bias: true });
      appendBatchNorm(chain, next(), width);
      appendRelu(chain, next());
      from = width;
    }
    append(chain, { op: 'maxpool', name: next(), input: chain.end, kernel: 2, stride: 2, padding: 0 });
  }
}

/** Appends `classifier.0` ... `classifier.6`: three dense layers with ReLU and dropout between. */
function appendClassifier(chain: NodeChain, inFeatures: number, hidden: number, classes: number): void {
  appendDense(chain, 'classifier.0', inFeatures, hidden);
  appendRelu(chain, 'classifier.1');
  append(chain, { op: 'dropout', name: 'classifier.2', input: chain.end, rate: 0.5 });
  appendDense(chain, 'classifier.3', hidden, hidden);
  appendRelu(chain, 'classifier.4');
  append(chain, { op: 'dropout', name: 'classifier.5', input: chain.end, rate: 0.5 });
  appendDense(chain, 'classifier.6', hidden, classes);
}

/**
 * VGG with batch norm for 32 x 32 pictures. Two heads are in use: `linear` (kuangliu/pytorch-cifar: one dense layer
 * `classifier`; the default here) and `mlp` (chenyaofo/pytorch-cifar-models: `classifier.0`, `.3`, `.6` of 512).
 */
export function cifarVgg(
  depth: VggDepth,
  head: 'linear' | 'mlp' = 'linear',
  classes = 10,
): NetworkDescription {
  const chain = startChain();
  appendFeatures(chain, depth);
  append(chain, { op: 'flatten', name: 'flatten', input: chain.end });
  if (head === 'linear') appendDense(chain, 'classifier', 512, classes);
  else appendClassifier(chain, 512, 512, classes);
  const name = `vgg${depth}${head === 'linear' ? '' : '-mlp'}`;
  return { name, input: { height: 32, width: 32, channels: 3 }, classes, nodes: chain.nodes };
}

/** ImageNet VGG with batch norm and torchvision's names (7 x 7 mean grid, three dense layers of 4096). */
export function imagenetVgg(depth: VggDepth = 16, classes = 1000): NetworkDescription {
  const chain = startChain();
  appendFeatures(chain, depth);
  append(chain, { op: 'avgpool', name: 'avgpool', input: chain.end, grid: 7 });
  append(chain, { op: 'flatten', name: 'flatten', input: chain.end });
  appendClassifier(chain, 7 * 7 * 512, 4096, classes);
  const input = { height: 224, width: 224, channels: 3 };
  return { name: `vgg${depth}-imagenet`, input, classes, nodes: chain.nodes };
}
