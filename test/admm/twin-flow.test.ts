import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { picturesBefore } from '../../src/admm/flow-memory';
import { prunePostTraining } from '../../src/admm/prune-post-training';
import { throughLayers } from '../../src/admm/through-layers';
import { lastUses } from '../../src/networks/last-uses';
import { nodeShapes } from '../../src/networks/node-shapes';
import { liveTensors, scope } from '../../src/tensor/engine';
import * as k from '../../src/tensor/kernels';
import { pictures, smallModel } from '../quantization/small-model';
import { relativeDifference } from '../tensor/values';
import { mixedNetwork } from '../training/small-networks';

const { network, folded } = smallModel(mixedNetwork());
const { description } = network;
const layers = prunePostTraining(network, folded, pictures, {
  adcBits: 2,
  tileRows: 16,
  iterations: 2,
  patches: 300,
}).network.layers;

/** What each layer sees of a picture: codes of its input, wanted output; and how many pictures there are. */
function seen(activationBytes: number, batchSize = 5) {
  const result = new Map<string, { pictures: number; codes: number[][]; wanted: number[][] }>();
  throughLayers(
    network,
    folded,
    pictures,
    { activationBytes, batchSize },
    undefined,
    ({ node, flow, inputShape }) => {
      const codes: number[][] = [];
      const wanted: number[][] = [];
      for (const { first, count, ...views } of flow.batches())
        scope(() => {
          for (const [list, tensor] of [
            [codes, views.codes(node.input)],
            [wanted, views.reference(node.name)],
          ] as const) {
            const values = k.floats(tensor);
            const size = values.length / count;
            for (let i = 0; i < count; i++) list[first + i] = [...values.subarray(i * size, (i + 1) * size)];
          }
          return undefined;
        });
      expect(flow.pictures()).toBe(codes.length);
      expect(inputShape[0]).toBe(codes.length);
      result.set(node.name, { pictures: codes.length, codes, wanted });
      return layers.get(node.name)!;
    },
  );
  return result;
}

describe('twin flow', () => {
  it('shows wide layers fewer pictures where memory is short, and those that follow later as if they had always been there', () => {
    const all = seen(2 ** 40);
    // Shapes of batches are constants that stay.
    seen(20_000, 3);
    const before = liveTensors();
    seen(20_000, 3);
    expect(liveTensors()).toBe(before);
    for (const [bytes, batchSize] of [
      [60_000, 5],
      [60_000, 32],
      [20_000, 3],
    ]) {
      const some = seen(bytes, batchSize);
      const counts = [...some.values()].map((layer) => layer.pictures);
      expect(counts[0]).toBeLessThan(pictures.count);
      expect(counts.at(-1)).toBeGreaterThan(counts[0]);
      for (const [name, layer] of some) {
        const whole = all.get(name)!;
        expect(whole.pictures).toBe(pictures.count);
        layer.codes.forEach((codes, i) => {
          expect(codes).toEqual(whole.codes[i]);
          expect(relativeDifference(layer.wanted[i], whole.wanted[i])).toBeLessThan(1e-5);
        });
      }
    }
  });

  it('holds no more bytes than it may before any node, never lets pictures go, and always has one', () => {
    const shapes = nodeShapes(description, pictures);
    const last = lastUses(description);
    const names = ['input', ...description.nodes.map(({ name }) => name)];
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300_000 }), fc.integer({ min: 1, max: 50 }), (bytes, count) => {
        const room = picturesBefore(description, { shapes, bytesOf: () => 5, pictures: count, bytes });
        room.forEach((number, at) => {
          let held = 0;
          names.forEach((name, i) => {
            const [height, width, channels] = shapes.get(name)!;
            if (i <= at && last.get(name)! >= at) held += 5 * height * width * channels * number;
          });
          expect(number).toBeGreaterThanOrEqual(Math.max(1, room[at - 1] ?? 1));
          expect(number).toBeLessThanOrEqual(count);
          if (number > 1) expect(held).toBeLessThanOrEqual(bytes);
        });
      }),
    );
    const plenty = picturesBefore(description, { shapes, bytesOf: () => 5, pictures: 9, bytes: 2 ** 40 });
    expect(plenty).toEqual(description.nodes.map(() => 9));
  });
});
