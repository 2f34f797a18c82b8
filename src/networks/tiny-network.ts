import type { NetworkDescription } from './description';
import { append, appendBatchNorm, appendConv, appendDense, appendRelu, startChain } from './node-chain';

export interface TinyNetworkOptions {
  readonly height?: number;
  readonly width?: number;
  readonly channels?: number;
  readonly classes?: number;
}

/**
 * Three convolutions (16, 32, 48 channels; the last two with stride 2) and a dense layer, about 20,000 parameters:
 * for the generated pictures and for tests.
 */
export function tinyNetwork(options: TinyNetworkOptions = {}): NetworkDescription {
  const { height = 32, width = 32, channels = 3, classes = 10 } = options;
  const chain = startChain();
  let from = channels;
  for (const [i, to] of [16, 32, 48].entries()) {
    appendConv(chain, `conv${i + 1}`, { from, to, kernel: 3, stride: i === 0 ? 1 : 2 });
    appendBatchNorm(chain, `bn${i + 1}`, to);
    appendRelu(chain, `relu${i + 1}`);
    from = to;
  }
  append(chain, { op: 'globalpool', name: 'avgpool', input: chain.end });
  appendDense(chain, 'fc', from, classes);
  return { name: 'tiny', input: { height, width, channels }, classes, nodes: chain.nodes };
}
