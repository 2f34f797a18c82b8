import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { positionsIn, randomPositions, sampleOutputs, samplePatches } from '../../src/admm/patch-samples';
import { inputPatches } from '../../src/crossbar/patches';
import type { ConvNode } from '../../src/networks/description';
import { randomStream } from '../../src/tensor/random';

const node: ConvNode = {
  op: 'conv',
  name: 'conv',
  input: 'x',
  inChannels: 3,
  outChannels: 1,
  kernel: 3,
  stride: 2,
  padding: 1,
  groups: 1,
  bias: false,
};
const codes = Uint8Array.from({ length: 2 * 6 * 5 * 3 }, (_, i) => 1 + (i % 250));
const shape = [2, 6, 5, 3];
const drawn = (count: number, pictures = 2) =>
  randomPositions(node, [pictures, 6, 5, 3], count, randomStream(1, 'places'));

describe('randomPositions', () => {
  it('takes equally many of each picture, none twice, and all where there are no more', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 7 }), fc.integer({ min: 0, max: 80 }), (pictures, count) => {
        const { places, count: own } = drawn(count, pictures);
        expect(own).toBe(Math.min(count, 9 * pictures));
        const list = Array.from({ length: own }, (_, i) => [...places.subarray(3 * i, 3 * i + 3)]);
        expect(new Set(list.map(String)).size).toBe(own);
        for (let picture = 0; picture < pictures; picture++) {
          const share = list.filter(([of]) => of === picture).length;
          expect([Math.floor(own / pictures), Math.ceil(own / pictures)]).toContain(share);
        }
        for (const [, row, column] of list) {
          expect(row).toBeLessThan(3);
          expect(column).toBeLessThan(3);
        }
      }),
    );
  });
});

describe('samplePatches', () => {
  it('takes, at all positions, the patches of the crossbar', () => {
    const { places, count } = drawn(1000);
    const patches = samplePatches(node, Float32Array.from(codes), shape, { places, count });
    const { inputs, vectors } = inputPatches(codes, { count: 2, height: 6, width: 5, channels: 3 }, node);
    expect(count).toBe(vectors);
    for (let i = 0; i < count; i++) {
      const at = (places[3 * i] * 3 + places[3 * i + 1]) * 3 + places[3 * i + 2];
      expect(patches.slice(27 * i, 27 * i + 27)).toEqual(
        Float32Array.from(inputs.slice(27 * at, 27 * at + 27)),
      );
    }
  });

  it('adds the offsets of channels within the picture, its surroundings staying 0', () => {
    const values = samplePatches(node, new Float32Array(180).fill(4), shape, drawn(7), [-1, 10, 20]);
    expect(new Set(values)).toEqual(new Set([0, 3, 14, 24]));
  });

  it('takes batch by batch what it takes of all pictures at once', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 40 }), (batch, count) => {
        const pictures = 5;
        const stored = Float32Array.from({ length: pictures * 90 }, (_, i) => i);
        const places = drawn(count, pictures);
        const whole = samplePatches(node, stored, [pictures, 6, 5, 3], places);
        const outputs = Float32Array.from({ length: pictures * 9 * 4 }, (_, i) => i);
        const wholeOutputs = sampleOutputs(outputs, [pictures, 3, 3, 4], places);
        const [parts, outputParts]: [number[], number[]] = [[], []];
        for (let first = 0; first < pictures; first += batch) {
          const own = Math.min(batch, pictures - first);
          const here = positionsIn(places, first, own);
          parts.push(...samplePatches(node, stored.subarray(first * 90), [own, 6, 5, 3], here));
          outputParts.push(...sampleOutputs(outputs.subarray(first * 36), [own, 3, 3, 4], here));
        }
        expect(parts).toEqual([...whole]);
        expect(outputParts).toEqual([...wholeOutputs]);
      }),
      { numRuns: 40 },
    );
  });
});
