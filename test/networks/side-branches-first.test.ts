import { describe, expect, it } from 'vitest';
import type { NetworkDescription, Node } from '../../src/networks/description';
import { networkByName } from '../../src/networks/network-by-name';
import { inputsOf, nodeShapes } from '../../src/networks/node-shapes';
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

  it('puts a side branch behind what it shares with the branch beside it', () => {
    const conv = (name: string, input: string): Node => ({
      ...{ op: 'conv', name, input, inChannels: 2, outChannels: 2 },
      ...{ kernel: 1, stride: 1, padding: 0, groups: 1, bias: true },
    });
    const relu = (name: string, input: string): Node => ({ op: 'relu', name, input });
    const add = (name: string, ...inputs: [string, string]): Node => ({ op: 'add', name, inputs });
    const shared: NetworkDescription = {
      ...{ name: 'shared', input: { height: 4, width: 4, channels: 2 }, classes: 2 },
      nodes: [
        conv('own', 'input'),
        conv('common', 'input'),
        relu('read', 'common'),
        add('both', 'own', 'read'),
        conv('main', 'both'),
        conv('side', 'read'),
        add('end', 'main', 'side'),
        { op: 'globalpool', name: 'pool', input: 'end' },
      ],
    };
    nodeShapes(shared);
    const { nodes } = sideBranchesFirst(shared);
    nodeShapes({ ...shared, nodes });
    expect(nodes.map(({ name }) => name).indexOf('side')).toBeLessThan(4);
  });

  it('leaves networks without convolutions in shortcuts as they are', () => {
    for (const name of ['resnet20', 'vgg16']) {
      const plain = networkByName(name);
      expect(sideBranchesFirst(plain)).toEqual(plain);
    }
  });
});
