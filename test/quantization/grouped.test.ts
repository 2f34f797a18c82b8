import { describe, expect, it } from 'vitest';
import { prunePostTraining } from '../../src/admm/prune-post-training';
import { certifyNetwork } from '../../src/experiments/certify-network';
import { checkCrossbar } from '../../src/experiments/check-crossbar';
import { exportNetwork } from '../../src/experiments/export-network';
import { networkHardware } from '../../src/experiments/network-hardware';
import type { NetworkDescription } from '../../src/networks/description';
import { createInference } from '../../src/networks/inference';
import { groupColumns, groupRows, joinColumns } from '../../src/quantization/channel-groups';
import { crossbarNodes } from '../../src/quantization/crossbar-layers';
import { createIntegerInference } from '../../src/quantization/integer-inference';
import type { IntegerNetwork } from '../../src/quantization/integer-network';
import { relativeDifference } from '../tensor/values';
import { mixedNetwork } from '../training/small-networks';
import { dataset, pictures, smallModel } from './small-model';

/** The mixed network with three grouped convolutions, one of them on the picture. */
const groups: Readonly<Record<string, number>> = { conv1: 3, 'layer1.conv2': 2, 'layer2.conv1': 2 };
const withGroups = (description: NetworkDescription): NetworkDescription => ({
  ...description,
  nodes: description.nodes.map((node) =>
    node.op === 'conv' && groups[node.name] ? { ...node, groups: groups[node.name] } : node,
  ),
});
const { network, folded } = smallModel(withGroups(mixedNetwork()));
const few = { ...pictures, count: 2, pixels: pictures.pixels.subarray(0, 2 * 768) };

/** The same network with full convolutions whose weights between groups are zero. */
function ungrouped({ description, layers, ...rest }: IntegerNetwork): IntegerNetwork {
  const full = crossbarNodes(description).map((node) => {
    const layer = layers.get(node.name)!;
    if (node.op === 'dense' || node.groups === 1) return [node.name, layer] as const;
    const { columns } = layer;
    const rows = layer.rows * node.groups;
    const codes = new Int8Array(rows * columns);
    for (let n = 0; n < columns; n++) {
      const group = Math.floor(n / (columns / node.groups));
      groupRows(node, group).forEach((row, i) => {
        codes[row * columns + n] = layer.codes[i * columns + n];
      });
    }
    return [node.name, { ...layer, rows, codes }] as const;
  });
  const nodes = description.nodes.map((node) => (node.op === 'conv' ? { ...node, groups: 1 } : node));
  return { ...rest, description: { ...description, nodes }, layers: new Map(full) };
}

const logitsOf = (given: IntegerNetwork) => {
  const inference = createIntegerInference(given);
  try {
    return inference.logits(few);
  } finally {
    inference.dispose();
  }
};

describe('grouped convolutions', () => {
  it('have a row for each input of their own group, and compute what zeros between the groups would', () => {
    expect(network.layers.get('conv1')).toMatchObject({ rows: 25, columns: 6 });
    expect(network.layers.get('layer1.conv2')).toMatchObject({ rows: 36, columns: 8 });
    expect(logitsOf(network)).toEqual(logitsOf(ungrouped(network)));
  });

  it('stay close to the float network in 8 bits', () => {
    const float = createInference(folded.description, folded.parameters, dataset);
    expect(relativeDifference(logitsOf(network), float.logits(few))).toBeLessThan(0.1);
    float.dispose();
  });

  it('are pruned group by group, certified, and agree with the crossbar, flips and all', () => {
    const settings = { tileRows: 16, iterations: 1, patches: 100 };
    for (const change of [{ adcBits: 2 }, { adcBits: 4, encoding: 'offset', flip: true }] as const) {
      const { network: pruned, layers } = prunePostTraining(network, folded, pictures, {
        ...settings,
        ...change,
      });
      expect(certifyNetwork(pruned).lossless).toBe(true);
      expect(checkCrossbar(pruned, few, { adcBits: change.adcBits, tileRows: 16 }).agrees).toBe(true);
      for (const { relativeError } of layers) expect(relativeError).toBeLessThan(1);
    }
  });

  it('keep of their 8-bit codes the bits that are chosen beforehand, and every scale', () => {
    for (const method of ['bit-only', 'magnitude'] as const)
      for (const compensation of ['none', 'layer-admm'] as const) {
        const limits = { adcBits: 2, tileRows: 16, iterations: 2, patches: 100 };
        const pruned = prunePostTraining(network, folded, pictures, {
          ...limits,
          method,
          compensation,
        }).network;
        expect(certifyNetwork(pruned).lossless).toBe(true);
        for (const [name, { codes, scales }] of pruned.layers) {
          const own = network.layers.get(name)!;
          expect(scales).toEqual(own.scales);
          codes.forEach((code, i) => {
            if (code !== 0) expect(Math.sign(code)).toBe(Math.sign(own.codes[i]));
            if (method === 'bit-only') expect(Math.abs(code) & ~Math.abs(own.codes[i])).toBe(0);
          });
        }
      }
  });

  it('take arrays of their own for every group', () => {
    const costs = (given: IntegerNetwork) =>
      networkHardware(given, { tileRows: 128, adcBits: () => 7 }).pruned;
    // 14 bit columns a channel: the 8 channels of layer1.conv2 fit one array, its two groups need one each.
    const alike = {
      ...network,
      description: { ...network.description, nodes: ungrouped(network).description.nodes },
    };
    expect(costs(network).conversions).toBe(costs(alike).conversions);
    expect(costs(network).scopes.macro.areaUm2).toBeGreaterThan(costs(alike).scopes.macro.areaUm2);
  });

  it('are a dimension of their own in the workloads of CiMLoop', () => {
    const pruning = {
      method: 'none',
      tileRows: 128,
      encoding: 'sign-split',
      bitLimit: {},
      adcBits: 7,
    } as const;
    const files = exportNetwork({ ...network, pruning }, 'timeloop', { name: 'grouped' });
    for (const node of crossbarNodes(network.description)) {
      const file = files.find(({ path }) => path.endsWith(`-${node.name}.yaml`))!;
      const size = (name: string) => Number(new RegExp(`\\b${name}: (\\d+)`).exec(String(file.content))![1]);
      const { rows, columns } = network.layers.get(node.name)!;
      expect(size('G')).toBe(groups[node.name] ?? 1);
      expect(size('C') * size('R') * size('S')).toBe(rows);
      expect(size('M') * size('G')).toBe(columns);
    }
  });
});

describe('the columns of groups', () => {
  it('are put side by side again', () => {
    const matrix = Int8Array.from({ length: 24 }, (_, i) => i);
    const parts = [0, 1, 2].map((group) => groupColumns(matrix, 6, 3, group));
    expect([...parts[1]]).toEqual([2, 3, 8, 9, 14, 15, 20, 21]);
    expect(joinColumns(parts, 4)).toEqual(matrix);
  });
});
