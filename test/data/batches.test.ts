import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  batchCount,
  evaluationBatches,
  meanPixel,
  type PictureBatch,
  type TrainingBatchesOptions,
  trainingBatches,
} from '../../src/data/batches';
import type { PictureSet } from '../../src/data/dataset';
import { resizeBilinear } from '../../src/data/resize';
import { InputError } from '../../src/errors';
import { randomStream } from '../../src/tensor/random';

/** Pictures of random bytes; the label is the picture's number. */
function randomPictures(count: number, side: number): PictureSet {
  const random = randomStream(1, 'pictures');
  const pixels = Uint8Array.from({ length: count * side * side * 3 }, () => random.integer(256));
  return {
    count,
    height: side,
    width: side,
    channels: 3,
    pixels,
    labels: Int32Array.from({ length: count }, (_, i) => i),
  };
}

function epochOf(set: PictureSet, options: TrainingBatchesOptions) {
  const pixels: number[] = [];
  const labels: number[] = [];
  for (const batch of trainingBatches(set, options)) {
    pixels.push(...batch.pixels);
    labels.push(...batch.labels);
  }
  return { pixels, labels };
}

const fill = [7, 8, 9];

describe('trainingBatches', () => {
  it('shows every picture once in an epoch, unchanged when no augmentation is asked for', () => {
    const set = randomPictures(20, 4);
    const { pixels, labels } = epochOf(set, { batchSize: 6, seed: 1, epoch: 0, fill, dropLast: false });
    expect([...labels].sort((a, b) => a - b)).toEqual([...set.labels]);
    for (const [i, label] of labels.entries()) {
      expect(pixels.slice(i * 48, i * 48 + 48)).toEqual([
        ...set.pixels.subarray(label * 48, label * 48 + 48),
      ]);
    }
  });

  it('drops the last partial batch unless told otherwise, and counts accordingly', () => {
    const set = randomPictures(20, 2);
    const options = { batchSize: 6, seed: 1, epoch: 0, fill };
    expect(epochOf(set, options).labels).toHaveLength(18);
    expect(epochOf(set, { ...options, dropLast: false }).labels).toHaveLength(20);
    expect(batchCount(set, options)).toBe(3);
    expect(batchCount(set, { ...options, dropLast: false })).toBe(4);
    expect(batchCount(set, { ...options, limit: 12 })).toBe(2);
  });

  it('draws so many pictures from the whole set as it is limited to, for a set may be in the order of its classes', () => {
    const set = randomPictures(200, 1);
    const options = { batchSize: 10, seed: 1, epoch: 0, fill, limit: 40 };
    const { labels } = epochOf(set, options);
    expect(new Set(labels).size).toBe(40);
    for (const first of [0, 50, 100, 150])
      expect(labels.filter((label) => label >= first && label < first + 50).length).toBeGreaterThan(3);
    expect(epochOf(set, options).labels).toEqual(labels);
  });

  it('gives the same epoch for the same seed and epoch, and another for another epoch', () => {
    const set = randomPictures(20, 4);
    const options = { batchSize: 5, seed: 3, epoch: 4, fill, crop: 2, flip: true, cutout: 2 };
    expect(epochOf(set, options)).toEqual(epochOf(set, options));
    expect(epochOf(set, { ...options, epoch: 5 }).labels).not.toEqual(epochOf(set, options).labels);
    expect(epochOf(set, { ...options, seed: 4 }).labels).not.toEqual(epochOf(set, options).labels);
  });

  it('augments a picture the same way whatever the batch size', () => {
    const set = randomPictures(20, 4);
    const options = { seed: 3, epoch: 4, fill, crop: 2, flip: true, cutout: 2, dropLast: false };
    expect(epochOf(set, { ...options, batchSize: 3 })).toEqual(epochOf(set, { ...options, batchSize: 7 }));
  });

  it('shows a window of the padded picture, mirrored or not (checked against a plain definition)', () => {
    fc.assert(
      fc.property(
        fc.record({
          side: fc.integer({ min: 1, max: 6 }),
          crop: fc.integer({ min: 0, max: 4 }),
          flip: fc.boolean(),
          seed: fc.integer(),
        }),
        ({ side, crop, flip, seed }) => {
          const set = randomPictures(3, side);
          const epoch = epochOf(set, { batchSize: 1, seed, epoch: 0, fill, crop, flip });
          const bytes = side * side * 3;
          for (const [i, label] of epoch.labels.entries()) {
            const shown = epoch.pixels.slice(i * bytes, (i + 1) * bytes).join();
            expect(windowsOf(set, label, side, crop, flip)).toContain(shown);
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it('reaches all crops and both directions', () => {
    const set = randomPictures(1, 3);
    const seen = new Set<string>();
    for (let epoch = 0; epoch < 400; epoch++) {
      seen.add(epochOf(set, { batchSize: 1, seed: 0, epoch, fill, crop: 1, flip: true }).pixels.join());
    }
    expect(seen.size).toBe(18);
  });

  it('cuts a smaller picture out of a larger one when a size is given', () => {
    const set = randomPictures(2, 6);
    const [batch] = [...trainingBatches(set, { batchSize: 2, seed: 0, epoch: 0, fill, size: 4 })];
    expect([batch.height, batch.width, batch.pixels.length]).toEqual([4, 4, 2 * 48]);
    expect(windowsOf(set, batch.labels[0], 4, 0, false)).toContain(batch.pixels.subarray(0, 48).join());
  });

  it('resizes what it has augmented, as a picture is resized alone', () => {
    const set = randomPictures(4, 8);
    const options = { batchSize: 2, seed: 5, epoch: 1, fill, crop: 2, flip: true, cutout: 3 };
    // The generator uses its arrays again, so both runs are taken batch by batch.
    const fullBatches = trainingBatches(set, options);
    for (const batch of trainingBatches(set, { ...options, resize: 5 })) {
      const { pixels, labels } = fullBatches.next().value as PictureBatch;
      expect([batch.height, batch.width, batch.pixels.length]).toEqual([5, 5, 2 * 75]);
      expect(batch.labels).toEqual(labels);
      for (let i = 0; i < 2; i++) {
        const picture = pixels.slice(i * 192, (i + 1) * 192);
        const alone = resizeBilinear({ pixels: picture, height: 8, width: 8, channels: 3 }, 5, 5).pixels;
        expect(batch.pixels.subarray(i * 75, (i + 1) * 75)).toEqual(alone);
      }
    }
    expect(() => [...trainingBatches(set, { ...options, resize: 0 })]).toThrow(
      'resize: 0 is not a whole number of at least 1',
    );
  });

  it('hides one square of the stated side with the fill value, clipped at the border', () => {
    const set: PictureSet = { ...randomPictures(1, 8), pixels: new Uint8Array(192).fill(200) };
    const areas = new Set<number>();
    for (let epoch = 0; epoch < 200; epoch++) {
      const { pixels } = epochOf(set, { batchSize: 1, seed: 0, epoch, fill, cutout: 4 });
      const hidden = pixels.filter((value) => value !== 200);
      for (let i = 0; i < hidden.length; i += 3) expect(hidden.slice(i, i + 3)).toEqual(fill);
      areas.add(hidden.length / 3);
    }
    expect(Math.max(...areas)).toBe(16);
    expect(Math.min(...areas)).toBe(4);
  });

  it('shows random rectangles of at least the stated share, brought to the size, in place of crops', () => {
    // Brightness is the place: of a ramp the steps between neighbours tell how wide and high the rectangle was.
    const side = 32;
    const ramp = Uint8Array.from({ length: side * side * 3 }, (_, at) => {
      const pixel = Math.floor(at / 3);
      return 4 * (at % 3 === 0 ? pixel % side : Math.floor(pixel / side));
    });
    const set: PictureSet = { ...randomPictures(1, side), pixels: ramp };
    const areas: number[] = [];
    for (let epoch = 0; epoch < 300; epoch++) {
      const options = { batchSize: 1, seed: 0, epoch, fill, views: 0.3 };
      const [{ pixels }] = [...trainingBatches(set, options)];
      const width = (pixels[(side - 3) * 3] - pixels[2 * 3]) / 4 / (side - 5);
      const height = (pixels[(side - 3) * side * 3 + 1] - pixels[2 * side * 3 + 1]) / 4 / (side - 5);
      areas.push(width * height);
    }
    expect(Math.min(...areas)).toBeGreaterThan(0.24);
    expect(Math.min(...areas)).toBeLessThan(0.36);
    expect(Math.max(...areas)).toBeGreaterThan(0.9);
    expect(Math.max(...areas)).toBeLessThan(1.05);
  });

  it('leaves order and crops alone when flips or cutout are switched on', () => {
    const set = randomPictures(10, 4);
    const options = { batchSize: 5, seed: 3, epoch: 4, fill, crop: 2 };
    expect(epochOf(set, { ...options, cutout: 2, flip: true }).labels).toEqual(epochOf(set, options).labels);
  });

  it('names the option, its value and what is allowed when one is wrong', () => {
    const set = randomPictures(4, 4);
    const options = { batchSize: 2, seed: 0, epoch: 0, fill };
    const first = (change: object) => () => trainingBatches(set, { ...options, ...change }).next();
    expect(first({ batchSize: 0 })).toThrow(InputError);
    expect(first({ batchSize: 0 })).toThrow('batchSize: 0 is not a whole number of at least 1');
    expect(first({ crop: -1 })).toThrow('crop: -1 is not a whole number of at least 0');
    expect(first({ size: 9 })).toThrow(
      'size, of the picture with its padding: 9 is not a whole number from 1 to 4',
    );
    expect(first({ fill: [1] })).toThrow('fill has 1 values');
    expect(first({ views: 1.5 })).toThrow('views is 1.5: allowed is a share of the picture above 0, up to 1');
  });
});

describe('evaluationBatches', () => {
  it('gives the pictures in order, the last batch partial', () => {
    const set = randomPictures(7, 2);
    const batches = [...evaluationBatches(set, { batchSize: 3 })];
    expect(batches.map((batch) => batch.count)).toEqual([3, 3, 1]);
    expect(batches.flatMap((batch) => [...batch.labels])).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(batches.flatMap((batch) => [...batch.pixels])).toEqual([...set.pixels]);
  });

  it('stops at the limit', () => {
    const batches = [...evaluationBatches(randomPictures(7, 2), { batchSize: 3, limit: 4 })];
    expect(batches.map((batch) => batch.count)).toEqual([3, 1]);
  });
});

it('meanPixel rounds the mean to a byte a channel', () => {
  expect(meanPixel({ mean: [0.4914, 0.4822, 0.4465] })).toEqual([125, 123, 114]);
});

/** Every window of the padded picture, as text, by the plain definition. */
function windowsOf(set: PictureSet, picture: number, size: number, crop: number, flip: boolean): string[] {
  const at = (y: number, x: number, c: number) =>
    y < 0 || x < 0 || y >= set.height || x >= set.width
      ? fill[c]
      : set.pixels[((picture * set.height + y) * set.width + x) * 3 + c];
  const windows: string[] = [];
  for (const mirrored of flip ? [false, true] : [false]) {
    for (let top = -crop; top <= set.height + crop - size; top++) {
      for (let left = -crop; left <= set.width + crop - size; left++) {
        const shown = [];
        for (let y = 0; y < size; y++) {
          for (let x = 0; x < size; x++) {
            for (let c = 0; c < 3; c++) shown.push(at(top + y, left + (mirrored ? size - 1 - x : x), c));
          }
        }
        windows.push(shown.join());
      }
    }
  }
  return windows;
}
