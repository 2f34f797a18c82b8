import { afterEach, describe, expect, test, vi } from 'vitest';
import { generatedPictures } from '../../src/data/generated-pictures';
import { certifyNetwork } from '../../src/experiments/certify-network';
import type { ConvNode, DenseNode, NetworkDescription } from '../../src/networks/description';
import { foldBatchNorm } from '../../src/networks/fold-batch-norm';
import type { Pictures } from '../../src/networks/inference';
import { initialParameters } from '../../src/networks/initial-parameters';
import {
  append,
  appendBatchNorm,
  appendConv,
  appendDense,
  appendRelu,
  startChain,
} from '../../src/networks/node-chain';
import type { IntegerNetwork } from '../../src/quantization/integer-network';
import { nativeAvailable } from '../../src/tensor/native-engine';
import { plainConv2d } from '../tensor/plain-convolution';

const KINDS = (['native', 'wasm', 'cpu'] as const).filter((kind) => kind !== 'native' || nativeAvailable());

const description = smallNetwork();
const folded = foldBatchNorm(description, initialParameters(description, 3));
const { train, test: shown, mean, std } = generatedPictures({ train: 32, test: 6, size: 16, classes: 4 });

/** Two convolutions, the second with stride 2, and a dense layer. */
function smallNetwork(): NetworkDescription {
  const chain = startChain();
  appendConv(chain, 'conv1', { from: 3, to: 6, kernel: 3 });
  appendBatchNorm(chain, 'bn1', 6);
  appendRelu(chain, 'relu1');
  appendConv(chain, 'conv2', { from: 6, to: 8, kernel: 3, stride: 2 });
  appendBatchNorm(chain, 'bn2', 8);
  appendRelu(chain, 'relu2');
  append(chain, { op: 'globalpool', name: 'pool', input: chain.end });
  appendDense(chain, 'fc', 8, 4);
  return { name: 'small', input: { height: 16, width: 16, channels: 3 }, classes: 4, nodes: chain.nodes };
}

/** Everything that computes, loaded afresh on engine `kind`. */
async function onEngine(kind: string) {
  vi.resetModules();
  vi.stubEnv('CIM_PRUNING_ENGINE', kind);
  const engine = await import('../../src/tensor/engine.js');
  expect(engine.engineVersion().name).toBe(kind === 'native' ? 'TensorFlow' : `tfjs ${kind}`);
  const kernels = await import('../../src/tensor/kernels.js');
  const { buildIntegerNetwork } = await import('../../src/quantization/build-integer-network.js');
  const { createIntegerInference } = await import('../../src/quantization/integer-inference.js');
  const { prunePostTraining } = await import('../../src/admm/prune-post-training.js');
  return { ...engine, ...kernels, buildIntegerNetwork, createIntegerInference, prunePostTraining };
}

async function pruneOn(kind: string) {
  const { buildIntegerNetwork, prunePostTraining, liveTensors } = await onEngine(kind);
  const before = buildIntegerNetwork(folded.description, folded.parameters, { mean, std }, train, {
    weightBits: 8,
    inputBits: 8,
  });
  const settings = { adcBits: 3, tileRows: 16, iterations: 12, patches: 512 };
  const alive = liveTensors();
  const result = prunePostTraining(before, folded, train, settings);
  // Constants (axes, shapes) stay; nothing that grows with the network may.
  expect(liveTensors() - alive).toBeLessThan(20);
  return result;
}

interface LayerTrace {
  readonly node: ConvNode | DenseNode;
  readonly shape: readonly number[];
  readonly codes: Float32Array;
  readonly sums: Float32Array;
}

/** Input codes and integer sums of every layer. */
async function traceOn(kind: string, network: IntegerNetwork, pictures: Pictures): Promise<LayerTrace[]> {
  const { createIntegerInference, floats } = await onEngine(kind);
  const traces: LayerTrace[] = [];
  const inference = createIntegerInference(network, {
    onLayer(node, input, exactSums) {
      traces.push({ node, shape: input.shape, codes: floats(input), sums: floats(exactSums()) });
      return undefined;
    },
  });
  inference.logits(pictures);
  inference.dispose();
  return traces;
}

function plainSums({ node, shape, codes }: LayerTrace, network: IntegerNetwork): Float64Array {
  const weights = network.layers.get(node.name)!.codes;
  if (node.op === 'conv') {
    const [n, h, w, c] = shape;
    return plainConv2d(codes, [n, h, w, c], weights, [node.kernel, node.kernel, c, node.outChannels], node);
  }
  const [n, c] = shape;
  return plainConv2d(codes, [n, 1, 1, c], weights, [1, 1, c, node.outFeatures], { stride: 1, padding: 0 });
}

describe('without native TensorFlow', () => {
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  test.each(KINDS)('a network is pruned within its limits on engine %s', async (kind) => {
    const { network, layers } = await pruneOn(kind);
    const certificate = certifyNetwork(network);
    expect(certificate.lossless).toBe(true);
    expect(certificate.requiredAdcBits).toBeLessThanOrEqual(3);
    for (const { relativeError } of layers) expect(relativeError).toBeLessThan(0.2);
  });

  test('a pruned network has the same integer sums on every engine, those of plain loops', async () => {
    const { network } = await pruneOn('wasm');
    const traces = await traceAll(network);
    for (const layers of traces)
      layers.forEach((layer, i) => {
        expect(layer.sums.every((sum, at) => sum === traces[0][i].sums[at])).toBe(true);
      });
    for (const layer of traces[0])
      expect(Array.from(layer.sums)).toEqual(Array.from(plainSums(layer, network)));
  });
});

async function traceAll(network: IntegerNetwork): Promise<LayerTrace[][]> {
  const all: LayerTrace[][] = [];
  for (const kind of KINDS) all.push(await traceOn(kind, network, shown));
  return all;
}
