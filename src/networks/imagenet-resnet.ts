import type { NetworkDescription } from './description';
import { append, appendBatchNorm, appendConv, appendDense, appendRelu, startChain } from './node-chain';
import { appendResidualBlock, basicBlock, bottleneckBlock } from './residual-block';

const WIDTHS = [64, 128, 256, 512] as const;
const BLOCKS = { 18: [2, 2, 2, 2], 34: [3, 4, 6, 3], 50: [3, 4, 6, 3] } as const;

export type ImagenetResNetDepth = keyof typeof BLOCKS;

/** ImageNet ResNet-18, -34 (basic blocks) or -50 (bottlenecks, stride on the 3x3) with torchvision's names. */
export function imagenetResNet(depth: ImagenetResNetDepth, classes = 1000): NetworkDescription {
  const chain = startChain();
  appendConv(chain, 'conv1', { from: 3, to: 64, kernel: 7, stride: 2 });
  appendBatchNorm(chain, 'bn1', 64);
  appendRelu(chain, 'relu');
  append(chain, { op: 'maxpool', name: 'maxpool', input: chain.end, kernel: 3, stride: 2, padding: 1 });
  const expansion = depth === 50 ? 4 : 1;
  let from = 64;
  for (const [stage, width] of WIDTHS.entries())
    for (let block = 0; block < BLOCKS[depth][stage]; block++) {
      const stride = stage > 0 && block === 0 ? 2 : 1;
      const convs = (depth === 50 ? bottleneckBlock : basicBlock)(from, width, stride);
      appendResidualBlock(chain, `layer${stage + 1}.${block}`, convs, 'downsample');
      from = expansion * width;
    }
  append(chain, { op: 'globalpool', name: 'avgpool', input: chain.end });
  appendDense(chain, 'fc', from, classes);
  const input = { height: 224, width: 224, channels: 3 };
  return { name: `resnet${depth}-imagenet`, input, classes, nodes: chain.nodes };
}
