import { randomStream } from '../tensor/random';
import type { PictureSet } from './dataset';

export interface PictureBatch {
  /** [count, height, width, channels]; the memory is used again for the next batch. */
  readonly pixels: Uint8Array;
  readonly labels: Int32Array;
  readonly count: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

export interface Augmentation {
  /** Pixels of padding from which a picture-sized window is cut at random; 0: none. */
  readonly crop: number;
  /** Mirror half of the pictures. */
  readonly flip: boolean;
  /** Side of a square blotted out at a random place (DeVries and Taylor 2017); 0: none. */
  readonly cutout: number;
  /** Pixel that fills padding and cutout, one value a channel: the data's mean. */
  readonly fill: readonly number[];
}

export interface TrainingBatchOptions extends Augmentation {
  readonly batchSize: number;
  readonly seed: number;
  /** Order and augmentation depend on seed and epoch alone, so training can resume at any epoch. */
  readonly epoch: number;
}

/** One epoch in random order with augmentation; the last partial batch is dropped. */
export function* trainingBatches(set: PictureSet, options: TrainingBatchOptions): Generator<PictureBatch> {
  const { batchSize } = options;
  const random = randomStream(options.seed, `pictures of epoch ${options.epoch}`);
  const order = random.permutation(set.count);
  const batch = emptyBatch(set, batchSize);
  for (let at = 0; at + batchSize <= set.count; at += batchSize) {
    for (let i = 0; i < batchSize; i++) {
      const index = order[at + i];
      batch.labels[i] = set.labels[index];
      augment(set, index, batch.pixels, i, options, random);
    }
    yield batch;
  }
}

/** All pictures in order as they are; the last batch may be smaller. */
export function* evaluationBatches(set: PictureSet, batchSize: number): Generator<PictureBatch> {
  const size = set.height * set.width * set.channels;
  for (let at = 0; at < set.count; at += batchSize) {
    const count = Math.min(batchSize, set.count - at);
    yield {
      ...emptyBatch(set, 0),
      pixels: set.pixels.subarray(at * size, (at + count) * size),
      labels: set.labels.subarray(at, at + count),
      count,
    };
  }
}

function emptyBatch({ height, width, channels }: PictureSet, count: number): PictureBatch {
  return {
    pixels: new Uint8Array(count * height * width * channels),
    labels: new Int32Array(count),
    count,
    height,
    width,
    channels,
  };
}

function augment(
  set: PictureSet,
  index: number,
  target: Uint8Array,
  place: number,
  { crop, flip, cutout, fill }: Augmentation,
  random: { integer(n: number): number },
): void {
  const { height, width, channels } = set;
  const dy = random.integer(2 * crop + 1) - crop;
  const dx = random.integer(2 * crop + 1) - crop;
  const mirrored = flip && random.integer(2) === 1;
  const size = height * width * channels;
  const source = set.pixels.subarray(index * size, (index + 1) * size);
  const picture = target.subarray(place * size, (place + 1) * size);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const sy = y + dy;
      const sx = (mirrored ? width - 1 - x : x) + dx;
      const inside = sy >= 0 && sy < height && sx >= 0 && sx < width;
      const to = (y * width + x) * channels;
      const from = (sy * width + sx) * channels;
      for (let c = 0; c < channels; c++) picture[to + c] = inside ? source[from + c] : fill[c];
    }
  }
  if (cutout > 0) blot(picture, height, width, channels, cutout, fill, random);
}

/** Centre anywhere in the picture, so that the square may hang over the edge, as in the paper. */
function blot(
  picture: Uint8Array,
  height: number,
  width: number,
  channels: number,
  side: number,
  fill: readonly number[],
  random: { integer(n: number): number },
): void {
  const top = random.integer(height) - (side >> 1);
  const left = random.integer(width) - (side >> 1);
  for (let y = Math.max(0, top); y < Math.min(height, top + side); y++)
    for (let x = Math.max(0, left); x < Math.min(width, left + side); x++)
      for (let c = 0; c < channels; c++) picture[(y * width + x) * channels + c] = fill[c];
}
