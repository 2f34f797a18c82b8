import type { NetworkDescription } from './description';
import { append, appendBatchNorm, appendConv, appendDense, appendRelu, startChain } from './node-chain';
import { appendResidualBlock, basicBlock } from './residual-block';

const CIFAR = { height: 32, width: 32, channels: 3 } as const;

export type CifarResNetDepth = 20 | 32 | 44 | 56;

/**
 * CIFAR ResNet of 6n + 2 layers (He et al. 2016, section 4.2): three stages of n basic blocks with 16, 32, 64 channels.
 * Shortcuts `A` (no parameters) carry the names of akamaster/pytorch_resnet_cifar10 (`linear` at the end), shortcuts
 * `B` (1x1 convolution and batch norm) those of chenyaofo/pytorch-cifar-models (`downsample.0`, `downsample.1`, `fc`).
 */
export function cifarResNet(
  depth: CifarResNetDepth,
  shortcut: 'A' | 'B' = 'A',
  classes = 10,
): NetworkDescription {
  const chain = startChain();
  appendConv(chain, 'conv1', { from: 3, to: 16, kernel: 3 });
  appendBatchNorm(chain, 'bn1', 16);
  appendRelu(chain, 'relu1');
  let from = 16;
  for (const [stage, width] of [16, 32, 64].entries())
    for (let block = 0; block < (depth - 2) / 6; block++) {
      const convs = basicBlock(from, width, stage > 0 && block === 0 ? 2 : 1);
      appendResidualBlock(chain, `layer${stage + 1}.${block}`, convs, shortcut === 'A' ? 'A' : 'downsample');
      from = width;
    }
  append(chain, { op: 'globalpool', name: 'avgpool', input: chain.end });
  appendDense(chain, shortcut === 'A' ? 'linear' : 'fc', 64, classes);
  const name = `resnet${depth}${shortcut === 'A' ? '' : '-projection'}`;
  return { name, input: CIFAR, classes, nodes: chain.nodes };
}

/**
 * ResNet-18 for 32 x 32 pictures: a 3x3 stem without pooling, then four stages of two basic blocks with 64 to 512
 * channels. Names as in kuangliu/pytorch-cifar (`shortcut.0`, `shortcut.1`, `linear`).
 */
export function resnet18Cifar(classes = 10): NetworkDescription {
  const chain = startChain();
  appendConv(chain, 'conv1', { from: 3, to: 64, kernel: 3 });
  appendBatchNorm(chain, 'bn1', 64);
  appendRelu(chain, 'relu1');
  let from = 64;
  for (const [stage, width] of [64, 128, 256, 512].entries())
    for (let block = 0; block < 2; block++) {
      const convs = basicBlock(from, width, stage > 0 && block === 0 ? 2 : 1);
      appendResidualBlock(chain, `layer${stage + 1}.${block}`, convs, 'shortcut');
      from = width;
    }
  append(chain, { op: 'globalpool', name: 'avgpool', input: chain.end });
  appendDense(chain, 'linear', 512, classes);
  return { name: 'resnet18-cifar', input: CIFAR, classes, nodes: chain.nodes };
}
