import { afterEach, describe, expect, it, vi } from 'vitest';
import { layerCandidates } from '../../src/admm/layer-candidates';
import { prunePostTraining } from '../../src/admm/prune-post-training';
import { pruningMemory } from '../../src/admm/pruning-memory';
import { InputError } from '../../src/errors';
import { networkByName } from '../../src/networks/network-by-name';
import { crossbarNodes } from '../../src/quantization/crossbar-layers';
import type { IntegerNetwork } from '../../src/quantization/integer-network';
import { rowCount } from '../../src/quantization/weight-matrix';
import { pictures, smallModel } from '../quantization/small-model';
import { mixedNetwork } from '../training/small-networks';

const GIB = 2 ** 30;

/** As much of an integer network as its memory depends on. */
function shapeOf(name: string): IntegerNetwork {
  const description = networkByName(name);
  const layers = crossbarNodes(description).map((node) => {
    const columns = node.op === 'conv' ? node.outChannels : node.outFeatures;
    return [node.name, { rows: rowCount(node), columns }] as const;
  });
  return { description, layers: new Map(layers) } as unknown as IntegerNetwork;
}

const memoryOf = (name: string, side: number, count: number, patches: number) =>
  pruningMemory(shapeOf(name), { count, height: side, width: side, channels: 3 }, { patches }) / GIB;

describe('pruningMemory', () => {
  it('is what was measured of ResNet-18 on ImageNet, and far less of a CIFAR network', () => {
    expect(memoryOf('resnet18-imagenet', 224, 2250, 98304)).toBeGreaterThan(3.7);
    expect(memoryOf('resnet18-imagenet', 224, 2250, 98304)).toBeLessThan(4.5);
    expect(memoryOf('resnet20', 32, 1024, 24576)).toBeLessThan(1);
  });

  it('grows with patches and pictures, up to those that there are', () => {
    const [few, more] = [24576, 98304].map((patches) => memoryOf('resnet18-imagenet', 224, 2250, patches));
    expect(more).toBeGreaterThan(few + 0.5);
    expect(memoryOf('resnet20', 32, 2048, 24576)).toBeGreaterThan(memoryOf('resnet20', 32, 1024, 24576));
    expect(memoryOf('resnet20', 32, 16, 1e9)).toBe(memoryOf('resnet20', 32, 16, 1e8));
  });
});

describe('pruning with too little memory', () => {
  afterEach(() => void vi.restoreAllMocks());
  const { network, folded } = smallModel(mixedNetwork());
  const settings = { tileRows: 16, patches: 300, iterations: 2 };

  it('is refused in one line that says how much is needed and free, before anything is computed', () => {
    vi.spyOn(process, 'availableMemory').mockReturnValue(0.1 * GIB);
    const progress = vi.fn();
    const prune = () => prunePostTraining(network, folded, pictures, { ...settings, adcBits: 2 }, progress);
    expect(prune).toThrow(InputError);
    expect(prune).toThrow(
      /^pruning mixed on \d+ pictures of 16 x 16 and 300 patches a layer takes about 0\.3 GiB of memory, but 0\.1 are free: fewer pictures or patches are needed$/,
    );
    expect(() => layerCandidates(network, folded, pictures, { ...settings, adcBits: [2] })).toThrow(
      /are free/,
    );
    expect(progress).not.toHaveBeenCalled();
  });
});
