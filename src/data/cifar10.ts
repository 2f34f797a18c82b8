import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../errors';
import type { Dataset, PictureSet } from './dataset';

const SIDE = 32;
const PLANE = SIDE * SIDE;
/** One label byte, then the red, green and blue planes. */
const RECORD = 1 + 3 * PLANE;
const RECORDS_A_FILE = 10_000;

export const cifar10Classes = ['airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck'];
export const cifar10TrainFiles = [1, 2, 3, 4, 5].map((i) => `data_batch_${i}.bin`);
export const cifar10TestFiles = ['test_batch.bin'];

/**
 * Reads CIFAR10's binary version from `dir` or `dir/cifar-10-batches-bin`.
 * @throws InputError for a missing or truncated file or a label above 9, naming the file.
 */
export async function loadCifar10(dir: string): Promise<Dataset> {
  const inner = join(dir, 'cifar-10-batches-bin');
  const folder = existsSync(inner) ? inner : dir;
  const checksums: Record<string, string> = {};
  const train = await readSet(folder, cifar10TrainFiles, checksums);
  const test = await readSet(folder, cifar10TestFiles, checksums);
  return {
    name: 'cifar10',
    title: 'CIFAR10',
    real: true,
    classes: cifar10Classes,
    // Means and standard deviations of the training pictures.
    mean: [0.4914, 0.4822, 0.4465],
    std: [0.247, 0.2435, 0.2616],
    train,
    test,
    checksums,
  };
}

async function readSet(
  folder: string,
  files: readonly string[],
  checksums: Record<string, string>,
): Promise<PictureSet> {
  const count = files.length * RECORDS_A_FILE;
  const pixels = new Uint8Array(count * 3 * PLANE);
  const labels = new Int32Array(count);
  for (const [f, file] of files.entries()) {
    const records = await readRecords(join(folder, file));
    checksums[file] = createHash('sha256').update(records).digest('hex');
    for (let r = 0; r < RECORDS_A_FILE; r++) {
      const index = f * RECORDS_A_FILE + r;
      labels[index] = labelOf(records, r, join(folder, file));
      interleave(records, r * RECORD + 1, pixels, index * 3 * PLANE);
    }
  }
  return { count, height: SIDE, width: SIDE, channels: 3, pixels, labels };
}

async function readRecords(path: string): Promise<Uint8Array> {
  const expected = RECORDS_A_FILE * RECORD;
  if (!existsSync(path)) throw new InputError(`${path}: missing; a file of ${expected} bytes is expected there`);
  const bytes = await readFile(path);
  if (bytes.length !== expected)
    throw new InputError(`${path}: ${bytes.length} bytes, ${expected} expected; the file is truncated or another`);
  return bytes;
}

function labelOf(records: Uint8Array, record: number, path: string): number {
  const label = records[record * RECORD];
  if (label > 9) throw new InputError(`${path}: record ${record} has label ${label}; labels are 0 to 9`);
  return label;
}

/** Three planes -> pixels. */
function interleave(source: Uint8Array, from: number, target: Uint8Array, to: number): void {
  for (let i = 0; i < PLANE; i++) {
    target[to + 3 * i] = source[from + i];
    target[to + 3 * i + 1] = source[from + PLANE + i];
    target[to + 3 * i + 2] = source[from + 2 * PLANE + i];
  }
}
