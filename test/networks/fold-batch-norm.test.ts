import { describe, expect, it } from 'vitest';
import { InputError } from '../../src/errors';
import type { ConvNode, NetworkDescription, Node, Parameters } from '../../src/networks/description';
import { foldBatchNorm, foldedDescription } from '../../src/networks/fold-batch-norm';
import { initialParameters } from '../../src/networks/initial-parameters';
import { networkByName, networkNames } from '../../src/networks/network-by-name';
import { nodeShapes } from '../../src/networks/node-shapes';
import { parameterShapes } from '../../src/networks/parameter-shapes';
import { randomStream } from '../../src/tensor/random';
import { MICRO } from './micro-network';
import { parameterDigests } from './parameter-digests';

/** Every parameter random, variances positive. */
function randomParameters(description: NetworkDescription): Parameters {
  const parameters = initialParameters(description, 1);
  for (const [name, { data }] of parameters) {
    const stream = randomStream(2, name);
    for (let i = 0; i < data.length; i++)
      data[i] = name.endsWith('running_var') ? 0.1 + stream.uniform() : stream.normal();
  }
  return parameters;
}

/** One output of a convolution at one place, for the values `patch` under its kernel. */
function convolve(parameters: Parameters, conv: ConvNode, channel: number, patch: Float64Array): number {
  const { data } = parameters.get(`${conv.name}.weight`)!;
  const bias = parameters.get(`${conv.name}.bias`)?.data[channel] ?? 0;
  return patch.reduce((sum, value, i) => sum + value * data[channel * patch.length + i], bias);
}

const isConv = (node: Node): node is ConvNode => node.op === 'conv';

describe('foldBatchNorm', () => {
  it.each(['tiny', 'resnet20-projection'])(
    'keeps what every convolution of %s gives after its norm',
    (name) => {
      const description = networkByName(name);
      const parameters = randomParameters(description);
      const folded = foldBatchNorm(description, parameters);
      const stream = randomStream(3, 'patches');
      for (const conv of description.nodes.filter(isConv)) {
        const norm = description.nodes.find(
          (node) => node.op === 'batchnorm' && node.input === conv.name,
        )!.name;
        const patch = Float64Array.from({ length: conv.inChannels * conv.kernel ** 2 }, () =>
          stream.normal(),
        );
        const channel = stream.integer(conv.outChannels);
        const [gamma, beta, mean, variance] = ['weight', 'bias', 'running_mean', 'running_var'].map(
          (suffix) => parameters.get(`${norm}.${suffix}`)!.data[channel],
        );
        const before = convolve(parameters, conv, channel, patch);
        const expected = ((before - mean) / Math.sqrt(variance + 1e-5)) * gamma + beta;
        expect(convolve(folded.parameters, conv, channel, patch)).toBeCloseTo(expected, 3);
      }
    },
  );

  it('folds the bias of a convolution too', () => {
    const nodes = MICRO.nodes.map((node) => (isConv(node) ? { ...node, bias: true } : node));
    const description = { ...MICRO, nodes };
    const parameters = randomParameters(description);
    const read = (name: string) => parameters.get(name)!.data[1];
    const factor = read('bn.weight') / Math.sqrt(read('bn.running_var') + 1e-5);
    const bias = read('bn.bias') + (read('conv.bias') - read('bn.running_mean')) * factor;
    expect(foldBatchNorm(description, parameters).parameters.get('conv.bias')!.data[1]).toBe(
      Math.fround(bias),
    );
  });

  it('leaves no batch norm, and a bias on every convolution, in every network of the zoo', () => {
    for (const name of networkNames) {
      const folded = foldedDescription(networkByName(name));
      expect(folded.nodes.every((node) => node.op !== 'batchnorm' && (node.op !== 'conv' || node.bias))).toBe(
        true,
      );
      expect(nodeShapes(folded).size).toBeGreaterThan(3);
    }
  });

  it('gives the parameters of the folded description and leaves the given ones alone', () => {
    const description = networkByName('resnet20');
    const parameters = randomParameters(description);
    const before = parameterDigests(parameters);
    const folded = foldBatchNorm(description, parameters);
    expect(new Map([...folded.parameters].map(([name, { shape }]) => [name, shape]))).toEqual(
      parameterShapes(folded.description),
    );
    expect(parameterDigests(parameters)).toEqual(before);
  });

  it('does nothing to a network that is folded already', () => {
    const once = foldBatchNorm(MICRO, randomParameters(MICRO));
    expect(foldBatchNorm(once.description, once.parameters)).toEqual(once);
  });

  it('refuses a batch norm that does not directly and alone follow a convolution', () => {
    const [conv, norm, ...rest] = MICRO.nodes;
    const relu: Node = { op: 'relu', name: 'relu', input: 'conv' };
    const late = { ...MICRO, nodes: [conv, relu, { ...norm, input: 'relu' } as Node, ...rest] };
    expect(() => foldedDescription(late)).toThrow(InputError);
    expect(() => foldedDescription(late)).toThrow(/batch norm 'bn' cannot be folded: it follows 'relu'/);
    const shared = { ...MICRO, nodes: [conv, norm, relu, ...rest] };
    expect(() => foldedDescription(shared)).toThrow(/'conv' is read by another node too/);
  });

  it('refuses a missing parameter and a variance that is not positive', () => {
    const parameters = randomParameters(MICRO);
    parameters.get('bn.running_var')!.data[2] = -1;
    expect(() => foldBatchNorm(MICRO, parameters)).toThrow(/'bn' cannot be folded: channel 2/);
    parameters.delete('bn.running_var');
    expect(() => foldBatchNorm(MICRO, parameters)).toThrow(/'bn\.running_var' is missing/);
  });
});
