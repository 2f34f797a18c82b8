import type { Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import { checkWhole } from '../check-number';
import { InputError } from '../errors';
import type { OnProgress } from '../progress';
import type { PictureBatch } from './batches';
import type { Dataset, PictureSet } from './dataset';
import { decodePicture } from './decode-picture';
import { filesChecksum } from './files-checksum';
import { type Raster, resizeToSquare } from './resize';

/** Mean and standard deviation that torchvision's ImageNet networks expect, per channel, of pixels / 255. */
export const IMAGENET_MEAN: readonly number[] = [0.485, 0.456, 0.406];
export const IMAGENET_STD: readonly number[] = [0.229, 0.224, 0.225];

export interface ImageFolderOptions {
  /** Side of the central square that is kept, in pixels. Default 224. */
  readonly size?: number;
  /** The shorter side is brought to this first. Default 8/7 of `size`: 256 for 224, as torchvision's networks have it. */
  readonly resize?: number;
}

export interface SkippedPicture {
  readonly path: string;
  readonly reason: string;
}

/** Class folders of pictures, read as they are asked for. */
export interface ImageFolder {
  readonly dir: string;
  /** Names of the class folders, sorted; the label is the place in this list. */
  readonly classes: readonly string[];
  readonly files: readonly { readonly path: string; readonly label: number }[];
  readonly size: number;
  readonly resize: number;
}

export interface ImageFolderBatchesOptions {
  readonly batchSize: number;
  /** How many pictures are decoded at once, ahead of the reader. Default 4. */
  readonly concurrency?: number;
  /** Only this many pictures, spread evenly over the whole. Default: all. */
  readonly limit?: number;
  /** Called for each picture that cannot be decoded and is left out. */
  readonly onSkip?: (skipped: SkippedPicture) => void;
  readonly onProgress?: OnProgress;
}

/** What is taken for a picture, by its name. */
export const PICTURE_FILE = /\.(jpe?g|png|webp)$/i;
const MOST_SKIPPED = 0.01;

/**
 * Lists the pictures below `dir`, which holds one folder a class as torchvision's ImageFolder does. Throws InputError
 * for a folder that is missing or without pictures in class folders.
 */
export async function imageFolder(dir: string, options: ImageFolderOptions = {}): Promise<ImageFolder> {
  const { size = 224, resize = Math.round((8 * size) / 7) } = options;
  checkSizes(size, resize);
  const folders = (await list(dir)).filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  const classes = folders.filter((name) => !name.startsWith('.')).sort();
  const files: { path: string; label: number }[] = [];
  for (const [label, name] of classes.entries()) {
    const pictures = (await list(join(dir, name))).filter((entry) => PICTURE_FILE.test(entry.name));
    for (const picture of pictures.map((entry) => entry.name).sort()) {
      files.push({ path: join(dir, name, picture), label });
    }
  }
  if (files.length === 0) {
    throw new InputError(
      `${dir} holds no pictures: one folder a class with .jpg, .jpeg, .png or .webp files is expected`,
    );
  }
  return { dir, classes, files, size, resize };
}

/**
 * Decodes the pictures in their order, as torchvision's Resize(resize), CenterCrop(size) do. Pictures that cannot be
 * decoded are left out and told to `onSkip`.
 * @throws InputError for options out of range, and once more than 1 % of the pictures cannot be decoded
 */
export async function* imageFolderBatches(
  folder: ImageFolder,
  options: ImageFolderBatchesOptions,
): AsyncGenerator<PictureBatch> {
  const { batchSize, concurrency = 4, onProgress } = options;
  checkWhole('batchSize', batchSize, 1);
  checkWhole('concurrency', concurrency, 1);
  const files = spread(folder.files, options.limit ?? folder.files.length);
  const skip = skipCounter(files.length, options.onSkip);
  const side = folder.size;
  const bytes = side * side * 3;
  const pixels = new Uint8Array(batchSize * bytes);
  const labels = new Int32Array(batchSize);
  const shape = { height: side, width: side, channels: 3 };
  const ahead: Promise<Raster | SkippedPicture>[] = [];
  let next = 0;
  let count = 0;
  for (let i = 0; i < files.length; i++) {
    while (next < files.length && ahead.length < concurrency) {
      ahead.push(preparedOrSkipped(files[next++].path, folder));
    }
    const picture = await (ahead.shift() as Promise<Raster | SkippedPicture>);
    if ('reason' in picture) {
      skip(picture);
      continue;
    }
    pixels.set(picture.pixels, count * bytes);
    labels[count++] = files[i].label;
    onProgress?.({ done: i + 1, total: files.length, note: 'reading pictures' });
    if (count < batchSize) continue;
    yield { pixels, labels, count, ...shape };
    count = 0;
  }
  if (count > 0) {
    yield { pixels: pixels.subarray(0, count * bytes), labels: labels.subarray(0, count), count, ...shape };
  }
}

/**
 * Decodes a whole folder into memory: `dir`/train and `dir`/val where these are there, else all of `dir` as the test
 * pictures and none to train on. Refuses what would take more than 2 GiB.
 */
export async function loadImageFolder(
  dir: string,
  options: ImageFolderOptions & Pick<ImageFolderBatchesOptions, 'limit' | 'onProgress' | 'onSkip'> = {},
): Promise<Dataset> {
  const testFolder = await testFolderOf(dir, options);
  const trainFolder = (await isParted(dir)) ? await imageFolder(join(dir, 'train'), options) : undefined;
  if (trainFolder && trainFolder.classes.join('\n') !== testFolder.classes.join('\n')) {
    throw new InputError(`${dir}: train and val hold different class folders`);
  }
  return {
    name: 'imagenet-folder',
    title: `pictures of ${basename(dir)}`,
    real: true,
    classes: testFolder.classes,
    mean: IMAGENET_MEAN,
    std: IMAGENET_STD,
    train: trainFolder ? await loadPictures(trainFolder, options) : emptySet(testFolder.size),
    test: await loadPictures(testFolder, options),
    checksums: Object.fromEntries(
      [trainFolder ?? [], testFolder]
        .flat()
        .map((folder) => [
          `${relative(dir, folder.dir) || 'pictures'} (names, sizes)`,
          filesChecksum(folder),
        ]),
    ),
  };
}

/** Where the test pictures of `dir` are: in `dir`/val where that and `dir`/train are there, else in `dir` itself. */
export async function testFolderOf(dir: string, options: ImageFolderOptions = {}): Promise<ImageFolder> {
  return imageFolder((await isParted(dir)) ? join(dir, 'val') : dir, options);
}

/** Where the other pictures are: in `dir`/train where that and `dir`/val are there, else in `dir` itself too. */
export async function trainFolderOf(dir: string, options: ImageFolderOptions = {}): Promise<ImageFolder> {
  return imageFolder((await isParted(dir)) ? join(dir, 'train') : dir, options);
}

/** Whether `dir` holds train and val. */
export async function isParted(dir: string): Promise<boolean> {
  const parts = (await list(dir)).filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  return parts.includes('train') && parts.includes('val');
}

/** All pictures of a folder in memory. Refuses what would take more than 2 GiB. */
export async function loadPictures(
  folder: ImageFolder,
  options: Pick<ImageFolderBatchesOptions, 'limit' | 'onProgress' | 'onSkip'> = {},
): Promise<PictureSet> {
  const most = Math.min(options.limit ?? folder.files.length, folder.files.length);
  const bytes = folder.size ** 2 * 3;
  if (most * bytes > 2 ** 31) {
    throw new InputError(
      `${folder.dir}: ${most} pictures of ${folder.size} x ${folder.size} do not fit into 2 GiB; set a limit or read them batch by batch`,
    );
  }
  const pixels = new Uint8Array(most * bytes);
  const labels = new Int32Array(most);
  let count = 0;
  for await (const batch of imageFolderBatches(folder, { ...options, batchSize: 32 })) {
    pixels.set(batch.pixels, count * bytes);
    labels.set(batch.labels, count);
    count += batch.count;
  }
  return {
    count,
    height: folder.size,
    width: folder.size,
    channels: 3,
    pixels: pixels.subarray(0, count * bytes),
    labels: labels.subarray(0, count),
  };
}

function emptySet(side: number): PictureSet {
  return {
    count: 0,
    height: side,
    width: side,
    channels: 3,
    pixels: new Uint8Array(0),
    labels: new Int32Array(0),
  };
}

function preparedOrSkipped(path: string, { size, resize }: ImageFolder): Promise<Raster | SkippedPicture> {
  return decodePicture(path)
    .then((picture) => resizeToSquare(picture, resize, size))
    .catch((error: Error) => ({ path, reason: error.message.split('\n')[0] }));
}

function skipCounter(total: number, onSkip: ImageFolderBatchesOptions['onSkip']) {
  const skipped: SkippedPicture[] = [];
  return (picture: SkippedPicture) => {
    skipped.push(picture);
    onSkip?.(picture);
    if (skipped.length <= total * MOST_SKIPPED) return;
    throw new InputError(
      `${skipped.length} of ${total} pictures cannot be decoded, at most 1 % may be: the last is ${picture.path} (${picture.reason})`,
    );
  };
}

/** `most` items, evenly spread, in order. */
export function spread<T>(items: readonly T[], most: number): readonly T[] {
  if (most >= items.length) return items;
  return Array.from({ length: most }, (_, i) => items[Math.floor((i * items.length) / most)]);
}

function list(dir: string): Promise<Dirent[]> {
  return readdir(dir, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT')
      throw new InputError(`${dir} is missing: a folder of class folders is expected there`);
    throw new InputError(`${dir} cannot be read: ${error.message}`);
  });
}

function checkSizes(size: number, resize: number): void {
  if (Number.isInteger(size) && Number.isInteger(resize) && size >= 1 && resize >= size) return;
  throw new InputError(
    `size ${size} and resize ${resize}: allowed are whole numbers from 1, resize not below size`,
  );
}
