import { describe, expect, it } from 'vitest';
import { layerCandidates } from '../../src/admm/layer-candidates';
import { layerSensitivity } from '../../src/admm/layer-sensitivity';
import { measureLayer } from '../../src/admm/measure-layer';
import { repeatChannels, spreadChannels } from '../../src/admm/some-channels';
import { throughLayers } from '../../src/admm/through-layers';
import { certifyNetwork } from '../../src/experiments/certify-network';
import { useFastEngines } from '../../src/experiments/fast-engines';
import { meanDivergence } from '../../src/networks/divergence';
import { createIntegerInference } from '../../src/quantization/integer-inference';
import type { IntegerLayer } from '../../src/quantization/integer-network';
import { liveTensors } from '../../src/tensor/engine';
import { randomStream } from '../../src/tensor/random';
import { pictures, smallModel } from '../quantization/small-model';
import { mixedNetwork } from '../training/small-networks';

useFastEngines({ threads: 1 });

const { network, folded } = smallModel(mixedNetwork());
const settings = { tileRows: 16, patches: 200, compared: 32, adcBits: [1, 2, 4] };
const measure = (more: object) => layerCandidates(network, folded, pictures, { ...settings, ...more });

describe('layerCandidates', () => {
  it('prunes some output channels as it prunes them among all, where columns are projected one by one', () => {
    const all = measure({ compensation: 'none' });
    const some = measure({ compensation: 'none', channels: 3 });
    for (const [name, own] of some) {
      const { columns } = network.layers.get(name)!;
      const node = network.description.nodes.find((each) => each.name === name)!;
      if (node.op !== 'conv' && node.op !== 'dense') throw new Error(name);
      const channels = spreadChannels(node, columns, 3);
      own.forEach(({ layer }, i) => {
        const whole = all.get(name)![i].layer;
        expect(layer.columns).toBe(channels.length);
        channels.forEach((channel, at) => {
          for (let row = 0; row < layer.rows; row++)
            expect(layer.codes[row * layer.columns + at]).toBe(whole.codes[row * columns + channel]);
          expect(layer.scales[at]).toBe(whole.scales[channel]);
        });
      });
    }
  });

  it('tells errors of all channels from some, and expects of these as many nats as the layer is sensitive', () => {
    const all = measure({});
    const some = measure({ channels: 4 });
    for (const [name, own] of some) {
      const sensitivity = own[0].divergence / own[0].relativeError;
      own.forEach(({ relativeError, divergence }, i) => {
        const whole = all.get(name)![i];
        expect(relativeError).toBeGreaterThan(0.2 * whole.relativeError);
        expect(relativeError).toBeLessThan(5 * whole.relativeError);
        expect(divergence / relativeError).toBeCloseTo(sensitivity, 9);
        if (whole.relativeError < 0.01)
          expect(whole.divergence / whole.relativeError).toBeCloseTo(sensitivity, 9);
      });
    }
  });

  it('measures large errors of whole layers', () => {
    const few = { ...pictures, count: 32, pixels: pictures.pixels.subarray(0, 32 * 768) };
    const logitsOf = (changed: typeof network) => {
      const inference = createIntegerInference(changed);
      try {
        return inference.logits(few);
      } finally {
        inference.dispose();
      }
    };
    const wanted = logitsOf(network);
    let large = 0;
    for (const [name, own] of measure({}))
      for (const { layer, relativeError, divergence } of own) {
        if (relativeError < 0.01) continue;
        large++;
        const changed = { ...network, layers: new Map([...network.layers, [name, layer]]) };
        expect(divergence).toBe(meanDivergence(wanted, logitsOf(changed), network.description.classes));
      }
    expect(large).toBeGreaterThan(0);
  });

  it('finds together what it finds for each resolution alone, with rows dealt to tiles or not', () => {
    const together = measure({ balancedRows: true });
    const orders = new Set<boolean>();
    settings.adcBits.forEach((bits, i) => {
      for (const [name, [own]] of measure({ balancedRows: true, adcBits: [bits] })) {
        expect(together.get(name)![i]).toEqual(own);
        orders.add(own.layer.rowOrder !== undefined);
      }
    });
    expect(orders).toEqual(new Set([true, false]));
  });

  it('frees every tensor', () => {
    measure({ channels: 4 });
    const before = liveTensors();
    measure({ channels: 4 });
    expect(liveTensors()).toBe(before);
  });
});

describe('layerSensitivity', () => {
  it('is in proportion to what a unit of output error does, and 0 where outputs do not change', () => {
    throughLayers(network, folded, pictures, {}, undefined, ({ node, ...step }) => {
      const layer = network.layers.get(node.name)!;
      const { moments } = measureLayer({ node, ...step }, network, { tileRows: 16, patches: 400 });
      const power = (of: IntegerLayer) =>
        of.codes.reduce((sum, code, at) => sum + (code - layer.codes[at]) ** 2, 0);
      const sensitivity = (nats: (noisy: IntegerLayer) => number) =>
        layerSensitivity(node, network, moments, nats, randomStream(1, node.name));
      const one = sensitivity(power);
      expect(one).toBeGreaterThan(0);
      expect(sensitivity((noisy) => 3 * power(noisy))).toBeCloseTo(3 * one, 6);
      const still = { ...moments, hessian: moments.hessian.map(() => 0), cross: moments.cross.map(() => 0) };
      expect(layerSensitivity(node, network, still, power, randomStream(1, node.name))).toBe(0);
      return layer;
    });
  });

  it('keeps the mean outputs, and codes within their range', () => {
    throughLayers(network, folded, pictures, {}, undefined, ({ node, ...step }) => {
      const layer = network.layers.get(node.name)!;
      const { moments } = measureLayer({ node, ...step }, network, { tileRows: 16, patches: 400 });
      const few = { ...network, weightBits: 3, layers: new Map([[node.name, toBits(layer, 3)]]) };
      layerSensitivity(
        node,
        few,
        moments,
        (noisy) => {
          expect(Math.max(...noisy.codes)).toBeLessThanOrEqual(3);
          expect(Math.min(...noisy.codes)).toBeGreaterThanOrEqual(-3);
          expect(noisy.bias.every(Number.isFinite)).toBe(true);
          return 0;
        },
        randomStream(1, node.name),
      );
      return layer;
    });
  });
});

describe('repeatChannels', () => {
  it('stands for all channels of a layer with some of them', () => {
    const layer = [...network.layers.values()][0];
    const [{ layer: some }] = measure({ compensation: 'none', channels: 3 }).get(layer.name)!;
    const whole = repeatChannels(some, layer.columns);
    expect(whole.codes.length).toBe(layer.codes.length);
    for (let at = 0; at < whole.codes.length; at++) {
      const [row, column] = [Math.floor(at / layer.columns), at % layer.columns];
      expect(whole.codes[at]).toBe(some.codes[row * some.columns + (column % some.columns)]);
    }
    expect(
      certifyNetwork({ ...network, layers: new Map([[layer.name, whole]]) }, 16).requiredAdcBits,
    ).toBeLessThanOrEqual(1);
  });
});

/** Codes of fewer bits. */
function toBits(layer: IntegerLayer, bits: number): IntegerLayer {
  const largest = 2 ** (bits - 1) - 1;
  return { ...layer, codes: layer.codes.map((code) => Math.round((code * largest) / 127)) };
}
