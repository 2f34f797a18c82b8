import { describe, expect, it } from 'vitest';
import { networkByName } from '../../src/networks/network-by-name';
import { inputsOf } from '../../src/networks/node-shapes';
import { sideBranchesFirst } from '../../src/networks/side-branches-first';

describe('sideBranchesFirst', () => {
  const resnet = networkByName('resnet18-imagenet');
  const ordered = sideBranchesFirst(resnet);
  const place = (name: string) => ordered.nodes.findIndex((node) => node.name === name);

  it('puts a projection shortcut before the convolutions beside it', () => {
    expect(place('layer2.0.downsample.0')).toBeLessThan(place('layer2.0.conv1'));
    expect(place('layer2.0.downsample.0')).toBeGreaterThan(place('layer1.1.conv2'));
  });

  it('keeps all nodes, each behind what it reads', () => {
    expect([...ordered.nodes].sort((a, b) => (a.name < b.name ? -1 : 1))).toEqual(
      [...resnet.nodes].sort((a, b) => (a.name < b.name ? -1 : 1)),
    );
    for (const node of ordered.nodes)
      for (const input of inputsOf(node))
        if (input !== 'input') expect(place(input)).toBeLessThan(place(node.name));
  });

  it('leaves networks without convolutions in shortcuts as they are', () => {
    for (const name of ['resnet20', 'vgg16']) {
      const plain = networkByName(name);
      expect(sideBranchesFirst(plain)).toEqual(plain);
    }
  });
});
