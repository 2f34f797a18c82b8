import { describe, expect, it } from 'vitest';
import { InputError } from '../../src/errors';
import { macCounts } from '../../src/networks/mac-counts';
import { networkByName, networkNames } from '../../src/networks/network-by-name';
import { nodeShapes } from '../../src/networks/node-shapes';
import { parameterCount, parameterShapes } from '../../src/networks/parameter-shapes';

describe('networkByName', () => {
  // Counts: He et al. and akamaster (option A), chenyaofo/pytorch-cifar-models, kuangliu/pytorch-cifar, torchvision.
  it.each([
    ['resnet20', 269_722],
    ['resnet32', 464_154],
    ['resnet44', 658_586],
    ['resnet56', 853_018],
    ['resnet20-projection', 272_474],
    ['resnet32-projection', 466_906],
    ['resnet44-projection', 661_338],
    ['resnet56-projection', 855_770],
    ['resnet18-cifar', 11_173_962],
    ['vgg11', 9_231_114],
    ['vgg13', 9_416_010],
    ['vgg16', 14_728_266],
    ['vgg19', 20_040_522],
    ['vgg11-mlp', 9_756_426],
    ['vgg13-mlp', 9_941_322],
    ['vgg16-mlp', 15_253_578],
    ['vgg19-mlp', 20_565_834],
    ['resnet18-imagenet', 11_689_512],
    ['resnet34-imagenet', 21_797_672],
    ['resnet50-imagenet', 25_557_032],
    ['vgg16-imagenet', 138_365_992],
    ['tiny', 19_546],
  ])('gives %s the published number of parameters, %i', (name, count) => {
    expect(parameterCount(networkByName(name))).toBe(count);
  });

  it('gives every network a consistent description under its own name', () => {
    for (const name of networkNames) {
      const network = networkByName(name);
      expect(network.name).toBe(name);
      expect(nodeShapes(network).get(network.nodes.at(-1)!.name)).toEqual([1, 1, network.classes]);
    }
  });

  it('changes the number of classes on request', () => {
    expect(parameterShapes(networkByName('resnet20', { classes: 100 })).get('linear.weight')).toEqual([
      100, 64,
    ]);
    expect(networkByName('vgg16-imagenet', { classes: 10 }).classes).toBe(10);
  });

  it('refuses an unknown network and lists the known ones', () => {
    expect(() => networkByName('resnet19')).toThrow(InputError);
    expect(() => networkByName('resnet19')).toThrow(/unknown network 'resnet19'.*resnet20.*vgg16/);
    expect(() => networkByName('constructor')).toThrow(/unknown network/);
    expect(() => networkByName('resnet20', { classes: 1.5 })).toThrow(
      /classes: 1.5 is not a whole number of at least 2/,
    );
  });
});

describe('macCounts', () => {
  const total = (name: string) =>
    [...macCounts(networkByName(name)).values()].reduce((sum, macs) => sum + macs, 0);

  it.each([
    ['resnet20', 40_551_040],
    ['resnet56', 125_485_696],
    ['vgg16', 313_201_664],
    ['resnet18-imagenet', 1_814_073_344],
    ['resnet50-imagenet', 4_089_184_256],
    ['vgg16-imagenet', 15_470_264_320],
  ])('gives %s %i multiply-accumulates', (name, macs) => {
    expect(total(name)).toBe(macs);
  });
});
