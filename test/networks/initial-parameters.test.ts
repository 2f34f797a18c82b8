import { describe, expect, it } from 'vitest';
import { initialParameters } from '../../src/networks/initial-parameters';
import { networkByName } from '../../src/networks/network-by-name';
import { parameterShapes } from '../../src/networks/parameter-shapes';
import { parameterDigests } from './parameter-digests';

const resnet20 = networkByName('resnet20');

describe('initialParameters', () => {
  const parameters = initialParameters(resnet20, 7);

  it('gives every parameter its shape, in network order', () => {
    expect([...parameters].map(([name, { shape }]) => [name, shape])).toEqual([...parameterShapes(resnet20)]);
  });

  it('gives the same numbers for the same seed, others for another', () => {
    expect(parameterDigests(initialParameters(resnet20, 7))).toEqual(parameterDigests(parameters));
    const other = initialParameters(resnet20, 8).get('conv1.weight')!.data;
    expect(other).not.toEqual(parameters.get('conv1.weight')!.data);
  });

  it('draws convolutions with variance 2 / fan-out', () => {
    const { data } = parameters.get('layer3.1.conv1.weight')!;
    const variance = data.reduce((sum, value) => sum + value * value, 0) / data.length;
    expect(variance / (2 / (64 * 9))).toBeCloseTo(1, 1);
  });

  it('draws the dense layer within 1 / sqrt(inFeatures)', () => {
    for (const name of ['linear.weight', 'linear.bias'])
      expect(Math.max(...parameters.get(name)!.data.map(Math.abs))).toBeLessThanOrEqual(1 / 8);
  });

  it('starts batch norm at 1 and 0, and a block at the identity on request', () => {
    const first = (name: string, from = parameters) => from.get(name)!.data[0];
    expect(first('layer1.0.bn2.weight')).toBe(1);
    expect(first('layer1.0.bn2.running_var')).toBe(1);
    expect(first('layer1.0.bn2.bias')).toBe(0);
    expect(first('layer1.0.bn2.running_mean')).toBe(0);
    const zeroed = initialParameters(resnet20, 7, { zeroInitResidual: true });
    expect(first('layer1.0.bn2.weight', zeroed)).toBe(0);
    expect(first('layer1.0.bn1.weight', zeroed)).toBe(1);
  });
});
