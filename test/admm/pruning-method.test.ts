import { describe, expect, it } from 'vitest';
import type { PostTrainingSettings } from '../../src/admm/post-training-settings';
import { prunePostTraining } from '../../src/admm/prune-post-training';
import { allowedBits, compensations, pruningMethods } from '../../src/admm/pruning-method';
import { InputError } from '../../src/errors';
import { certifyNetwork } from '../../src/experiments/certify-network';
import type { IntegerNetwork } from '../../src/quantization/integer-network';
import { pictures, smallModel } from '../quantization/small-model';
import { mixedNetwork } from '../training/small-networks';

const { network, folded } = smallModel(mixedNetwork());
const settings: PostTrainingSettings = { adcBits: 2, tileRows: 16, iterations: 4, patches: 200 };
const prune = (change: Partial<PostTrainingSettings>) =>
  prunePostTraining(network, folded, pictures, { ...settings, ...change });
const pairs = pruningMethods.flatMap((method) => compensations.map((own) => [method, own] as const));

/** Calls `visit` with codes before and after, for every weight of every layer. */
function eachCode(pruned: IntegerNetwork, visit: (before: number, after: number) => void): void {
  for (const [name, { codes }] of pruned.layers)
    codes.forEach((code, i) => {
      visit(network.layers.get(name)!.codes[i], code);
    });
}

const kept = (pruned: IntegerNetwork) => {
  const { layers } = certifyNetwork(pruned);
  return layers.reduce((sum, { nonzeros }) => sum + nonzeros, 0);
};

describe.each(pairs)('pruning by %s with compensation %s', (method, compensation) => {
  const { network: pruned, layers } = prune({ method, compensation });

  it('keeps the limits it records in every layer', () => {
    const certificate = certifyNetwork(pruned);
    expect(certificate.lossless).toBe(true);
    expect(certificate.requiredAdcBits).toBeLessThanOrEqual(2);
    expect(kept(pruned)).toBeGreaterThan(0);
    for (const { relativeError } of layers) expect(relativeError).toBeLessThan(1.5);
  });

  it('keeps a value limit on top', () => {
    const certificate = certifyNetwork(prune({ method, compensation, valueLimit: 2 }).network);
    expect(certificate.lossless).toBe(true);
    for (const { maxValues } of certificate.layers) expect(maxValues).toBeLessThanOrEqual(2);
  });
});

describe('the sets that the rivals are confined to', () => {
  it.each(compensations)(
    'bit-only never sets a bit, turns a sign or changes a scale (%s)',
    (compensation) => {
      const { network: pruned } = prune({ method: 'bit-only', compensation });
      eachCode(pruned, (before, after) => {
        expect(Math.abs(after) & ~Math.abs(before)).toBe(0);
        expect(after * before).toBeGreaterThanOrEqual(0);
      });
      for (const [name, { scales }] of pruned.layers)
        expect(scales).toEqual(network.layers.get(name)!.scales);
    },
  );

  it.each(compensations)('value-only keeps at most k_b weights a column (%s)', (compensation) => {
    const { layers } = certifyNetwork(prune({ method: 'value-only', compensation }).network);
    for (const { maxValues } of layers) expect(maxValues).toBeLessThanOrEqual(3);
  });

  it('magnitude pruning keeps the weights above the least magnitude that makes all bit columns fit', () => {
    const masks = allowedBits('magnitude', network, 16, () => 3);
    const relative = [...network.layers.values()].flatMap(({ name, codes, columns, scales }) => {
      const sizes = Array.from(codes, (code, i) => Math.abs(code * scales[i % columns]));
      const rms = Math.sqrt(sizes.reduce((sum, size) => sum + size * size, 0) / sizes.length);
      return sizes.map((size, i) => ({ size: size / rms, kept: masks.get(name)!.mask[i] !== 0 }));
    });
    const smallestKept = Math.min(...relative.filter((one) => one.kept).map(({ size }) => size));
    const largestDropped = Math.max(...relative.filter((one) => !one.kept).map(({ size }) => size));
    expect(largestDropped).toBeLessThan(smallestKept);
    const { network: pruned } = prune({ method: 'magnitude', compensation: 'none' });
    eachCode(pruned, (before, after) => {
      expect([0, before]).toContain(after);
    });
    // With the largest dropped weights kept, some column no longer fits.
    const layers = new Map(
      [...network.layers].map(([name, layer]) => {
        const { codes, columns, scales } = layer;
        const sizes = Array.from(codes, (code, i) => Math.abs(code * scales[i % columns]));
        const rms = Math.sqrt(sizes.reduce((sum, size) => sum + size * size, 0) / sizes.length);
        const more = codes.map((code, i) => (sizes[i] / rms >= largestDropped ? code : 0));
        return [name, { ...layer, codes: more }];
      }),
    );
    expect(certifyNetwork({ ...network, layers }, 16).requiredAdcBits).toBe(3);
  });

  it.each(['value-only', 'bit-only', 'greedy'] as const)(
    'layer ADMM lowers the output error of %s, summed over the layers',
    (method) => {
      const error = (compensation: 'none' | 'layer-admm') =>
        prune({ method, compensation, iterations: 12 }).layers.reduce(
          (sum, layer) => sum + layer.relativeError,
          0,
        );
      expect(error('layer-admm')).toBeLessThan(error('none'));
    },
  );
});

describe('ADC bits by layer', () => {
  const names = [...network.layers.keys()];
  const adcBits: Record<string, number> = Object.fromEntries(names.map((name, i) => [name, 1 + (i % 4)]));

  it.each(['lagrangian', 'bit-only', 'magnitude'] as const)('%s keeps every layer at its own', (method) => {
    const { network: pruned } = prune({ method, adcBits });
    const certificate = certifyNetwork(pruned);
    expect(certificate.lossless).toBe(true);
    expect(certificate.adcBits).toEqual(adcBits);
    for (const { name, requiredAdcBits } of certificate.layers)
      expect(requiredAdcBits).toBeLessThanOrEqual(adcBits[name]);
    expect(pruned.pruning?.bitLimit[names[3]]).toBe(15);
  });

  it.each(['lagrangian', 'greedy', 'bit-only'] as const)(
    '%s leaves planes without ADC empty and keeps the others at their own bits',
    (method) => {
      const byPlane = [0, 0, 1, 1, 2, 3, 2];
      const { network: pruned } = prune({ method, adcBits: { ...adcBits, [names[1]]: byPlane } });
      const { layers, lossless } = certifyNetwork(pruned);
      expect(lossless).toBe(true);
      layers[1].maxOnesByPlane.forEach((ones, plane) => {
        expect(ones).toBeLessThan(2 ** byPlane[plane]);
      });
      expect(layers[1].nonzeros).toBeGreaterThan(0);
      expect(pruned.pruning?.bitLimit[names[1]]).toEqual([0, 0, 1, 1, 3, 7, 3]);
    },
  );

  it.each(['truncation', 'value-only', 'magnitude'] as const)(
    '%s takes fewer bits in some planes, but an ADC for every plane',
    (method) => {
      const withFirst = (bits: readonly number[]) => ({ method, adcBits: { ...adcBits, [names[0]]: bits } });
      expect(certifyNetwork(prune(withFirst([1, 2, 2, 2, 2, 2, 2])).network).lossless).toBe(true);
      expect(() => prune(withFirst([0, 2, 2, 2, 2, 2, 2]))).toThrow(
        `method ${method} keeps weights whole: layer '${names[0]}' needs an ADC for every plane`,
      );
    },
  );

  it('refuses what no layer or method can have', () => {
    const { [names[1]]: _, ...missing } = adcBits;
    for (const [change, line] of [
      [
        { adcBits: missing },
        new RegExp(`adcBits of layer '${names[1]}': undefined is not a whole number from 1 to 8`),
      ],
      [
        { adcBits: { ...adcBits, [names[0]]: 9 } },
        new RegExp(`adcBits of layer '${names[0]}': 9 is not a whole number from 1 to 8`),
      ],
      [{ method: 'best' as never }, /method "best" is unknown/],
      [{ compensation: 'all' as never }, /compensation "all" is unknown/],
    ] as const) {
      expect(() => prune(change)).toThrow(InputError);
      expect(() => prune(change)).toThrow(line);
    }
  });
});
