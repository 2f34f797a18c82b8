import { checkWhole } from '../check-number';
import { InputError } from '../errors';
import { type RandomStream, randomStream } from '../tensor/random';
import type { Dataset, PictureSet } from './dataset';
import { mirrored, randomRectangle } from './random-views';
import { resizeBilinear } from './resize';

/** Pictures for one step. The arrays are used again for the next batch: read them before asking for it. */
export interface PictureBatch {
  /** [count, height, width, channels] */
  readonly pixels: Uint8Array;
  readonly labels: Int32Array;
  readonly count: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

export interface TrainingBatchesOptions {
  readonly batchSize: number;
  readonly seed: number;
  /** From 0. Order and augmentation depend on `seed` and `epoch` alone, so an epoch can be repeated on its own. */
  readonly epoch: number;
  /** Uint8 per channel, shown where padding and cutout hide the picture: `meanPixel(dataset)`. */
  readonly fill: readonly number[];
  /** Pixels of padding on each side before a random crop; 0 (the default): none. */
  readonly crop?: number;
  /**
   * In place of the crop a random rectangle brought to the picture's size, of at least this share of its area (0..1,
   * above 0), a quarter narrower or wider than high; default: none.
   */
  readonly views?: number;
  /** Mirror every other picture, at random. Default false. */
  readonly flip?: boolean;
  /** Side of the hidden square in pixels, its centre anywhere in the picture (DeVries, Taylor 2017); 0 (the default): none. */
  readonly cutout?: number;
  /** Side of the crop in pixels. Default: the pictures as they are. */
  readonly size?: number;
  /** Side in pixels to which the augmented picture is resized (bilinear); default: as it is. */
  readonly resize?: number;
  /** Only so many pictures, drawn at random. Default: all. */
  readonly limit?: number;
  /** Leave out the last batch if it is not full. Default true. */
  readonly dropLast?: boolean;
}

/** How many batches an epoch has. */
export function batchCount(
  set: PictureSet,
  { batchSize, limit, dropLast = true }: Pick<TrainingBatchesOptions, 'batchSize' | 'limit' | 'dropLast'>,
): number {
  const batches = Math.min(limit ?? set.count, set.count) / batchSize;
  return dropLast ? Math.floor(batches) : Math.ceil(batches);
}

/** The mean picture element of a data set, rounded to uint8: it becomes about 0 after normalisation. */
export function meanPixel(dataset: Pick<Dataset, 'mean'>): number[] {
  return dataset.mean.map((mean) => Math.round(mean * 255));
}

/** The batches of one training epoch in random order, augmented. */
export function* trainingBatches(set: PictureSet, options: TrainingBatchesOptions): Generator<PictureBatch> {
  const { batchSize, seed, epoch, fill, crop = 0, flip = false, cutout = 0 } = options;
  check(set, options);
  const height = options.size ?? set.height;
  const width = options.size ?? set.width;
  // Of the whole set, which may be in the order of its classes.
  const all = randomStream(seed, `epoch ${epoch} order`).permutation(set.count);
  const order = all.subarray(0, options.limit ?? set.count);
  // One stream each, so that switching one augmentation on leaves the others as they were.
  const crops = randomStream(seed, `epoch ${epoch} crop`);
  const flips = randomStream(seed, `epoch ${epoch} flip`);
  const cutouts = randomStream(seed, `epoch ${epoch} cutout`);
  const views = randomStream(seed, `epoch ${epoch} views`);
  const pictureBytes = height * width * set.channels;
  const pixels = new Uint8Array(batchSize * pictureBytes);
  const labels = new Int32Array(batchSize);
  const blank = Uint8Array.from({ length: pictureBytes }, (_, i) => fill[i % fill.length]);
  const batches = batchCount(set, options);

  for (let batch = 0; batch < batches; batch++) {
    const count = Math.min(batchSize, order.length - batch * batchSize);
    for (let i = 0; i < count; i++) {
      const picture = order[batch * batchSize + i];
      labels[i] = set.labels[picture];
      const target = { pixels, at: i * pictureBytes, height, width, channels: set.channels };
      const top = crops.integer(set.height + 2 * crop - height + 1) - crop;
      const left = crops.integer(set.width + 2 * crop - width + 1) - crop;
      const mirror = flip && flips.uint32() >= 0x80000000;
      if (options.views) copyView(set, picture, options.views, views, mirror, target);
      else copyWindow(set, picture, top, left, mirror, target, blank);
      if (cutout > 0) hideSquare(target, cutouts.integer(height), cutouts.integer(width), cutout, blank);
    }
    const full = batchOf(pixels, labels, count, height, width, set.channels);
    yield options.resize ? resized(full, options.resize) : full;
  }
}

/** The batch with every picture resized to `side` x `side`. */
function resized(batch: PictureBatch, side: number): PictureBatch {
  const { height, width, channels, count } = batch;
  const from = height * width * channels;
  const to = side * side * channels;
  const pixels = new Uint8Array(count * to);
  for (let i = 0; i < count; i++) {
    const picture = batch.pixels.subarray(i * from, (i + 1) * from);
    pixels.set(resizeBilinear({ pixels: picture, height, width, channels }, side, side).pixels, i * to);
  }
  return { ...batch, pixels, height: side, width: side };
}

/** The pictures in their order as they are; the last batch may be smaller. */
export function* evaluationBatches(
  set: PictureSet,
  { batchSize, limit = set.count }: { readonly batchSize: number; readonly limit?: number },
): Generator<PictureBatch> {
  checkWhole('batchSize', batchSize, 1);
  checkWhole('limit', limit, 0);
  const pictureBytes = set.height * set.width * set.channels;
  const end = Math.min(limit, set.count);
  for (let first = 0; first < end; first += batchSize) {
    const last = Math.min(first + batchSize, end);
    const pixels = set.pixels.subarray(first * pictureBytes, last * pictureBytes);
    const labels = set.labels.subarray(first, last);
    yield batchOf(pixels, labels, last - first, set.height, set.width, set.channels);
  }
}

function batchOf(
  pixels: Uint8Array,
  labels: Int32Array,
  count: number,
  height: number,
  width: number,
  channels: number,
): PictureBatch {
  return {
    pixels: pixels.subarray(0, count * height * width * channels),
    labels: labels.subarray(0, count),
    count,
    height,
    width,
    channels,
  };
}

/** A picture in a batch's buffer, from byte `at`. */
interface Target {
  readonly pixels: Uint8Array;
  readonly at: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/** Copies the window whose upper left corner is (top, left), either possibly negative; `blank` where it leaves the picture. */
function copyWindow(
  set: PictureSet,
  picture: number,
  top: number,
  left: number,
  mirror: boolean,
  { pixels, at, height, width, channels }: Target,
  blank: Uint8Array,
): void {
  const source = set.pixels;
  const from = picture * set.height * set.width * channels;
  const firstRow = Math.max(0, -top);
  const lastRow = Math.min(height, set.height - top);
  const firstColumn = Math.max(0, -left);
  const lastColumn = Math.min(width, set.width - left);
  const whole = firstRow === 0 && lastRow === height && firstColumn === 0 && lastColumn === width;
  if (!whole) pixels.set(blank, at);
  const rowBytes = (lastColumn - firstColumn) * channels;
  if (rowBytes <= 0) return; // padding wider than the picture: nothing of it is seen
  for (let row = firstRow; row < lastRow; row++) {
    let read = from + ((row + top) * set.width + firstColumn + left) * channels;
    const end = read + rowBytes;
    if (!mirror) {
      pixels.set(source.subarray(read, end), at + (row * width + firstColumn) * channels);
      continue;
    }
    let write = at + (row * width + width - 1 - firstColumn) * channels;
    for (; read < end; read += channels, write -= channels) {
      for (let c = 0; c < channels; c++) pixels[write + c] = source[read + c];
    }
  }
}

/** Copies a random rectangle of the picture, brought to the target's size. */
function copyView(
  set: PictureSet,
  picture: number,
  smallest: number,
  random: RandomStream,
  mirror: boolean,
  { pixels, at, height, width }: Target,
): void {
  const size = set.height * set.width * set.channels;
  const whole = { ...set, pixels: set.pixels.subarray(picture * size, (picture + 1) * size) };
  const view = resizeBilinear(randomRectangle(whole, random, smallest), height, width);
  pixels.set((mirror ? mirrored(view) : view).pixels, at);
}

/** Writes `blank` over the square of side `side` around (y, x), as far as it lies in the picture. */
function hideSquare(
  { pixels, at, height, width, channels }: Target,
  y: number,
  x: number,
  side: number,
  blank: Uint8Array,
): void {
  const top = Math.max(0, y - (side >> 1));
  const bottom = Math.min(height, y - (side >> 1) + side);
  const left = Math.max(0, x - (side >> 1));
  const right = Math.min(width, x - (side >> 1) + side);
  for (let row = top; row < bottom; row++) {
    pixels.set(blank.subarray(0, (right - left) * channels), at + (row * width + left) * channels);
  }
}

function check(set: PictureSet, options: TrainingBatchesOptions): void {
  const { fill, crop = 0, size } = options;
  checkWhole('batchSize', options.batchSize, 1);
  checkWhole('epoch', options.epoch, 0);
  checkWhole('crop', crop, 0);
  checkWhole('cutout', options.cutout ?? 0, 0);
  checkWhole('limit', options.limit ?? set.count, 1);
  checkWhole('resize', options.resize ?? 1, 1);
  const { views = 1 } = options;
  if (!(views > 0 && views <= 1))
    throw new InputError(`views is ${views}: allowed is a share of the picture above 0, up to 1`);
  if (fill.length !== set.channels) {
    throw new InputError(
      `fill has ${fill.length} values, the pictures have ${set.channels} channels: one value a channel is needed`,
    );
  }
  if (size === undefined) return;
  const largest = Math.min(set.height, set.width) + 2 * crop;
  checkWhole('size, of the picture with its padding', size, 1, largest);
}
