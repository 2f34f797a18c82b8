import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mixPictures } from '../../src/data/mix-pictures';
import { randomStream } from '../../src/tensor/random';

const CLASSES = 3;
const SIZE = 5;

/** Pictures of one brightness each and one-hot targets. */
function batchOf(brightness: readonly number[]) {
  const count = brightness.length;
  const pixels = Uint8Array.from({ length: count * SIZE }, (_, at) => brightness[Math.floor(at / SIZE)]);
  const targets = new Float32Array(count * CLASSES);
  for (let i = 0; i < count; i++) targets[i * CLASSES + (i % CLASSES)] = 1;
  return { batch: { pixels, count }, targets };
}

const bytes = fc.array(fc.integer({ min: 0, max: 255 }), { minLength: 2, maxLength: 9 });

describe('mixPictures', () => {
  it('gives every picture and its target the same share of the one before it, at most a half', () => {
    fc.assert(
      fc.property(bytes, fc.integer({ min: 0, max: 1000 }), (brightness, seed) => {
        const before = batchOf(brightness);
        const { batch, targets } = batchOf(brightness);
        mixPictures(batch, targets, 1, randomStream(seed, 'mixing'));
        for (let i = 0; i < batch.count; i++) {
          const other = (i + batch.count - 1) % batch.count;
          const mixed = targets.subarray(i * CLASSES, (i + 1) * CLASSES);
          const own = before.targets.subarray(i * CLASSES, (i + 1) * CLASSES);
          const another = before.targets.subarray(other * CLASSES, (other + 1) * CLASSES);
          expect(mixed.reduce((sum, value) => sum + value)).toBeCloseTo(1, 6);
          const place = another.indexOf(1);
          if (own[place] === 1) continue; // the same class: the share does not show
          const share = mixed[place];
          expect(share).toBeLessThanOrEqual(0.5);
          const wanted = brightness[i] + share * (brightness[other] - brightness[i]);
          for (const value of batch.pixels.subarray(i * SIZE, (i + 1) * SIZE))
            expect(Math.abs(value - wanted)).toBeLessThanOrEqual(0.5 + 1e-4);
        }
      }),
    );
  });

  it('leaves pictures alone that it does not choose, and chooses the portion asked for', () => {
    const { batch, targets } = batchOf(Array.from({ length: 3000 }, (_, i) => i % 256));
    mixPictures(batch, targets, 0.25, randomStream(1, 'mixing'));
    let mixed = 0;
    for (let i = 0; i < batch.count; i++) {
      const own = targets[i * CLASSES + (i % CLASSES)];
      if (own < 1) mixed++;
      else expect(batch.pixels[i * SIZE]).toBe(i % 256);
    }
    expect(mixed / batch.count).toBeCloseTo(0.25, 1);
  });
});
