import { describe, expect, it } from 'vitest';
import type { NetworkDescription } from '../../src/networks/description';
import { foldBatchNorm } from '../../src/networks/fold-batch-norm';
import { createInference, type Precision } from '../../src/networks/inference';
import { initialParameters } from '../../src/networks/initial-parameters';
import { joinedLayers } from '../../src/networks/joined-layers';
import { networkByName } from '../../src/networks/network-by-name';
import { normals, relativeDifference } from '../tensor/values';

const folded = (name: string) => {
  const network = networkByName(name);
  return foldBatchNorm(network, initialParameters(network, 1));
};

describe('joinedLayers', () => {
  it('joins a convolution with the ReLU that alone reads it', () => {
    const joined = joinedLayers(folded('vgg11').description);
    expect([...joined.values()].every(({ plus, relu, nodes }) => relu && !plus && nodes.length === 1)).toBe(
      true,
    );
    expect(joined.size).toBe(8);
  });

  it('joins the end of a residual block with what is there before: the input, or the convolution of the other way', () => {
    const resnet = joinedLayers(folded('resnet18-cifar').description);
    const inner = resnet.get('layer1.0.conv2')!;
    expect(inner).toEqual({ plus: 'relu1', relu: true, nodes: ['layer1.0.add', 'layer1.0.relu2'] });
    // The shortcut's convolution comes last and takes what the main one gave.
    expect(resnet.has('layer2.0.conv2')).toBe(false);
    expect(resnet.get('layer2.0.shortcut.0')).toEqual({
      plus: 'layer2.0.conv2',
      relu: true,
      nodes: ['layer2.0.add', 'layer2.0.relu2'],
    });
  });

  it('joins nothing with an output that others read too, and no ReLU with a shortcut without parameters', () => {
    const conv = {
      op: 'conv',
      inChannels: 2,
      outChannels: 2,
      kernel: 1,
      stride: 1,
      padding: 0,
      groups: 1,
    } as const;
    const shared: NetworkDescription = {
      name: 'shared',
      input: { height: 2, width: 2, channels: 2 },
      classes: 2,
      nodes: [
        { ...conv, name: 'conv', input: 'input', bias: true },
        { op: 'relu', name: 'relu', input: 'conv' },
        { op: 'add', name: 'add', inputs: ['conv', 'relu'] },
        { op: 'globalpool', name: 'pool', input: 'add' },
      ],
    };
    expect(joinedLayers(shared).size).toBe(0);
    expect(joinedLayers(folded('resnet20').description).has('layer2.0.conv2')).toBe(false);
  });
});

describe('inference of joined layers', () => {
  const mean = [0.5, 0.5, 0.5];
  const std = [0.25, 0.25, 0.25];
  const count = 4;
  const pixels = Uint8Array.from(normals(count * 3072, 'pixels'), (value) => 128 + 40 * value);
  const pictures = { pixels, count, height: 32, width: 32, channels: 3 };

  const logits = (name: string, precision: Precision, watched: boolean) => {
    const { description, parameters } = folded(name);
    const hooks = watched ? { afterNode: <T>(_: unknown, output: T) => output } : {};
    const inference = createInference(description, parameters, { mean, std, precision, ...hooks });
    const result = inference.logits(pictures);
    inference.dispose();
    return result;
  };

  it.each(['resnet20', 'resnet18-cifar', 'vgg11'])(
    'gives %s the logits that its layers give one by one, in bfloat16 to its eight bits',
    (name) => {
      const apart = logits(name, 'float32', true);
      expect(relativeDifference(logits(name, 'float32', false), apart)).toBeLessThan(1e-4);
      const rough = relativeDifference(logits(name, 'bfloat16', false), apart);
      expect(rough).toBeGreaterThan(1e-4);
      expect(rough).toBeLessThan(0.05);
    },
  );
});
