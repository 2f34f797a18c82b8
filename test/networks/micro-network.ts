import type { NetworkDescription } from '../../src/networks/description';
import { append, appendBatchNorm, appendConv, appendDense, startChain } from '../../src/networks/node-chain';
import { parameterShapes } from '../../src/networks/parameter-shapes';
import { elementCount } from '../../src/networks/stored-tensor';

function describeMicro(): NetworkDescription {
  const chain = startChain();
  appendConv(chain, 'conv', { from: 3, to: 4, kernel: 3 });
  appendBatchNorm(chain, 'bn', 4);
  append(chain, { op: 'globalpool', name: 'pool', input: chain.end });
  appendDense(chain, 'fc', 4, 2);
  return { name: 'micro', input: { height: 4, width: 4, channels: 3 }, classes: 2, nodes: chain.nodes };
}

/** The network whose weights `test/fixtures/torch/*.pth` hold. */
export const MICRO = describeMicro();

/** Its parameters there: the i-th tensor counts up from i + 1. */
export const microParameters = () =>
  new Map(
    [...parameterShapes(MICRO)].map(([name, shape], i) => {
      const data = Float32Array.from({ length: elementCount(shape) }, (_, j) => i + 1 + j);
      return [name, { shape, data }];
    }),
  );

export const fixture = (name: string) => `${__dirname}/../fixtures/torch/${name}`;
