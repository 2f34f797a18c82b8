import { describe, expect, it } from 'vitest';
import { InputError } from '../../src/errors';
import type { NetworkDescription, Node } from '../../src/networks/description';
import { networkByName } from '../../src/networks/network-by-name';
import { nodeShapes, validateDescription } from '../../src/networks/node-shapes';
import { MICRO } from './micro-network';

/** MICRO with some fields of node `name` changed. */
function changed(name: string, fields: object): NetworkDescription {
  return {
    ...MICRO,
    nodes: MICRO.nodes.map((node) => (node.name === name ? ({ ...node, ...fields } as Node) : node)),
  };
}

/** MICRO with a padded max pooling right behind its convolution. */
const padded: NetworkDescription = {
  ...changed('bn', { input: 'largest' }),
  nodes: changed('bn', { input: 'largest' }).nodes.flatMap((node): Node[] =>
    node.name === 'conv'
      ? [node, { op: 'maxpool', name: 'largest', input: 'conv', kernel: 3, stride: 1, padding: 1 }]
      : [node],
  ),
};

describe('nodeShapes', () => {
  it('gives height, width and channels of every node', () => {
    const shapes = nodeShapes(networkByName('resnet20'));
    expect(shapes.get('input')).toEqual([32, 32, 3]);
    expect(shapes.get('layer2.0.shortcut')).toEqual([16, 16, 32]);
    expect(shapes.get('layer3.2.relu2')).toEqual([8, 8, 64]);
    expect(shapes.get('avgpool')).toEqual([1, 1, 64]);
    const large = nodeShapes(networkByName('resnet50-imagenet'));
    expect(large.get('maxpool')).toEqual([56, 56, 64]);
    expect(large.get('layer4.2.relu3')).toEqual([7, 7, 2048]);
    expect(nodeShapes(networkByName('vgg16-imagenet')).get('flatten')).toEqual([1, 1, 25088]);
  });

  it('takes another picture size', () => {
    const shapes = nodeShapes(networkByName('resnet18-imagenet'), { height: 112, width: 96 });
    expect(shapes.get('layer4.1.relu2')).toEqual([4, 3, 512]);
  });

  it('pads the option-A shortcut with a quarter of the new channels on both sides', () => {
    const node = networkByName('resnet20').nodes.find(({ name }) => name === 'layer3.0.shortcut');
    expect(node).toMatchObject({
      op: 'subsample-pad',
      stride: 2,
      padChannels: [16, 16],
      input: 'layer2.2.relu2',
    });
  });

  it.each<[string, NetworkDescription, RegExp]>([
    [
      'channels that do not fit',
      changed('conv', { inChannels: 5 }),
      /node 'conv' \(conv\): inChannels is 5.*has 3/,
    ],
    ['norm channels that do not fit', changed('bn', { channels: 8 }), /node 'bn'.*channels is 8.*has 4/],
    ['features that do not fit', changed('fc', { inFeatures: 16 }), /inFeatures is 16.*has 4/],
    [
      'a kernel larger than its input',
      changed('conv', { kernel: 9, padding: 0 }),
      /does not fit its 4 x 4 input/,
    ],
    ['groups that do not divide', changed('conv', { groups: 2 }), /groups is 2/],
    ['padding as wide as the kernel', changed('conv', { padding: 3 }), /padding is 3.*below the kernel's 3/],
    [
      'a padded largest value of what can be negative',
      padded,
      /node 'largest' \(maxpool\): padding is 1; the zeros that it adds need an input that is nowhere negative/,
    ],
    ['a norm without epsilon', changed('bn', { epsilon: 0 }), /node 'bn'.*epsilon is 0; a number above 0/],
    ['a name that is no text', changed('conv', { name: 7 }), /node \(conv\): name 7; a text/],
    ['a network without a name', { ...MICRO, name: '' }, /network: name ""; a text/],
    [
      'a picture of half a pixel',
      { ...MICRO, input: { ...MICRO.input, height: 4.5 } },
      /height: 4.5 is not a whole number of at least 1/,
    ],
    [
      'a picture of no channels',
      { ...MICRO, input: { ...MICRO.input, channels: 0 } },
      /channels: 0 is not a whole number of at least 1/,
    ],
    ['a stride of zero', changed('conv', { stride: 0 }), /stride: 0 is not a whole number of at least 1/],
    ['an input that comes later', changed('bn', { input: 'fc' }), /its input 'fc' is no earlier node/],
    ['a name used twice', changed('bn', { name: 'conv' }), /the name is used twice/],
    ['a dense layer on a picture', changed('fc', { input: 'bn' }), /put a flatten or globalpool before/],
    ['a pool on a vector', changed('fc', { op: 'maxpool' }), /needs a picture/],
    ['another number of logits', { ...MICRO, classes: 3 }, /must give 3 logits/],
    ['no nodes', { ...MICRO, nodes: [] }, /gives nothing/],
    [
      'a sum of unlike shapes',
      changed('pool', { op: 'add', inputs: ['bn', 'input'] }),
      /cannot add shapes 4 x 4 x 4 and 4 x 4 x 3/,
    ],
  ])('refuses %s', (_, description, message) => {
    expect(() => validateDescription(description)).toThrow(InputError);
    expect(() => validateDescription(description)).toThrow(message);
  });
});
