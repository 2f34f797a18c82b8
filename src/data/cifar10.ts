import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../errors';
import type { Dataset, PictureSet } from './dataset';

export const CIFAR10_CLASSES: readonly string[] = [
  'airplane',
  'automobile',
  'bird',
  'cat',
  'deer',
  'dog',
  'frog',
  'horse',
  'ship',
  'truck',
];

/** Mean and standard deviation of the 50,000 training pictures, per channel, of pixels / 255. */
export const CIFAR10_MEAN: readonly number[] = [0.4914, 0.4822, 0.4465];
export const CIFAR10_STD: readonly number[] = [0.247, 0.2435, 0.2616];

export const CIFAR10_FOLDER = 'cifar-10-batches-bin';
export const CIFAR10_TRAIN_FILES: readonly string[] = [1, 2, 3, 4, 5].map((i) => `data_batch_${i}.bin`);
export const CIFAR10_TEST_FILE = 'test_batch.bin';

const SIDE = 32;
const PLANE = SIDE * SIDE;
const PICTURE_BYTES = 3 * PLANE;
const RECORD_BYTES = 1 + PICTURE_BYTES;
const RECORDS = 10_000;
export const CIFAR10_FILE_BYTES = RECORDS * RECORD_BYTES;

/**
 * Reads CIFAR10's binary version (https://www.cs.toronto.edu/~kriz/cifar.html): five training files and one test file of
 * 10,000 records, each a label byte and three 32 x 32 planes (red, green, blue). `dir` is the folder of the files or
 * the one above it. Throws InputError for a missing, truncated or overlong file and for a label above 9.
 */
export async function loadCifar10(dir: string): Promise<Dataset> {
  const folder = findCifar10(dir) ?? dir;
  for (const name of [...CIFAR10_TRAIN_FILES, CIFAR10_TEST_FILE]) await checkSize(join(folder, name));
  const checksums: Record<string, string> = {};
  const train = pictureSet(CIFAR10_TRAIN_FILES.length * RECORDS);
  for (const [i, name] of CIFAR10_TRAIN_FILES.entries()) {
    checksums[name] = await readBatch(join(folder, name), train, i * RECORDS);
  }
  const test = pictureSet(RECORDS);
  checksums[CIFAR10_TEST_FILE] = await readBatch(join(folder, CIFAR10_TEST_FILE), test, 0);
  return {
    name: 'cifar10',
    title: 'CIFAR10',
    real: true,
    classes: CIFAR10_CLASSES,
    mean: CIFAR10_MEAN,
    std: CIFAR10_STD,
    train,
    test,
    checksums,
  };
}

/** The folder that holds CIFAR10's files: `dir` or the folder of the usual name in it; undefined if neither does. */
export function findCifar10(dir: string): string | undefined {
  const names = [...CIFAR10_TRAIN_FILES, CIFAR10_TEST_FILE];
  return [dir, join(dir, CIFAR10_FOLDER)].find((folder) =>
    names.some((name) => existsSync(join(folder, name))),
  );
}

function pictureSet(count: number): PictureSet {
  const pixels = new Uint8Array(count * PICTURE_BYTES);
  return { count, height: SIDE, width: SIDE, channels: 3, pixels, labels: new Int32Array(count) };
}

/** Reads one file into pictures first..first+9999 of `set`; returns its SHA-256. */
async function readBatch(path: string, set: PictureSet, first: number): Promise<string> {
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    throw new InputError(unreadable(path, error));
  });
  for (let i = 0; i < RECORDS; i++) {
    const label = bytes[i * RECORD_BYTES];
    if (label > 9) {
      throw new InputError(
        `${path}: record ${i} has label ${label}, allowed are 0..9: not CIFAR10's binary version`,
      );
    }
    set.labels[first + i] = label;
    interleave(bytes, i * RECORD_BYTES + 1, set.pixels, (first + i) * PICTURE_BYTES);
  }
  return createHash('sha256').update(bytes).digest('hex');
}

/** Before anything is read, so that a folder that is not whole is refused at once. */
async function checkSize(path: string): Promise<void> {
  const { size } = await stat(path).catch((error: NodeJS.ErrnoException) => {
    throw new InputError(unreadable(path, error));
  });
  if (size === CIFAR10_FILE_BYTES) return;
  const what = size < CIFAR10_FILE_BYTES ? 'truncated' : 'too long';
  throw new InputError(
    `${path} is ${what}: ${size} bytes found, ${CIFAR10_FILE_BYTES} expected (10,000 records of CIFAR10's binary version)`,
  );
}

function unreadable(path: string, error: NodeJS.ErrnoException): string {
  if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') return `${path} cannot be read: ${error.message}`;
  return `${path} is missing: a file of ${CIFAR10_FILE_BYTES} bytes of CIFAR10's binary version is expected there`;
}

/** Three planes of a record to one picture with the channels last. */
function interleave(from: Uint8Array, start: number, to: Uint8Array, at: number): void {
  let target = at;
  for (let i = start; i < start + PLANE; i++) {
    to[target] = from[i];
    to[target + 1] = from[i + PLANE];
    to[target + 2] = from[i + 2 * PLANE];
    target += 3;
  }
}
