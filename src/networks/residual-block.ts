import {
  append,
  appendBatchNorm,
  appendConv,
  appendRelu,
  type ConvShape,
  type NodeChain,
} from './node-chain';

/**
 * What joins a block's input to its end where the shape changes: `A` drops pixels and pads channels (no parameters),
 * else the PyTorch module name of a 1x1 convolution (`.0`) and its batch norm (`.1`).
 */
export type Shortcut = 'A' | 'downsample' | 'shortcut';

function appendShortcut(
  chain: NodeChain,
  block: string,
  shortcut: Shortcut,
  input: string,
  shape: ConvShape,
): void {
  if (shortcut === 'A') {
    const pad = (shape.to - shape.from) / 2;
    append(chain, {
      op: 'subsample-pad',
      name: `${block}.shortcut`,
      input,
      stride: shape.stride ?? 1,
      padChannels: [pad, pad],
    });
    return;
  }
  appendConv(chain, `${block}.${shortcut}.0`, { ...shape, kernel: 1 }, input);
  appendBatchNorm(chain, `${block}.${shortcut}.1`, shape.to);
}

/**
 * Appends a residual block (He et al. 2016): the convolutions of `convs`, each with batch norm, ReLU between, then the
 * sum with the shortcut and a last ReLU. Parameters come in PyTorch's order: main path first, then the shortcut.
 */
export function appendResidualBlock(
  chain: NodeChain,
  block: string,
  convs: readonly ConvShape[],
  shortcut: Shortcut,
): void {
  const start = chain.end;
  const from = convs[0].from;
  const to = convs[convs.length - 1].to;
  const stride = convs.reduce((product, conv) => product * (conv.stride ?? 1), 1);
  for (const [i, conv] of convs.entries()) {
    appendConv(chain, `${block}.conv${i + 1}`, conv);
    appendBatchNorm(chain, `${block}.bn${i + 1}`, conv.to);
    if (i < convs.length - 1) appendRelu(chain, `${block}.relu${i + 1}`);
  }
  const main = chain.end;
  let side = start;
  if (stride !== 1 || from !== to) {
    appendShortcut(chain, block, shortcut, start, { from, to, kernel: 1, stride });
    side = chain.end;
  }
  append(chain, { op: 'add', name: `${block}.add`, inputs: [main, side] });
  appendRelu(chain, `${block}.relu${convs.length}`);
}

/** Two 3x3 convolutions; the first carries the stride. */
export const basicBlock = (from: number, to: number, stride: number): ConvShape[] => [
  { from, to, kernel: 3, stride },
  { from: to, to, kernel: 3 },
];

/** 1x1, 3x3, 1x1 with four times the width at the end; the stride is on the 3x3 (torchvision, "v1.5"). */
export const bottleneckBlock = (from: number, width: number, stride: number): ConvShape[] => [
  { from, to: width, kernel: 1 },
  { from: width, to: width, kernel: 3, stride },
  { from: width, to: 4 * width, kernel: 1 },
];
