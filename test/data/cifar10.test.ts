import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CIFAR10_FILE_BYTES, findCifar10, loadCifar10 } from '../../src/data/cifar10';
import { InputError } from '../../src/errors';

const DATA = process.env.CIM_PRUNING_DATA;
const names = [1, 2, 3, 4, 5].map((i) => `data_batch_${i}.bin`).concat('test_batch.bin');

/** A file of CIFAR10's form: record i has label i % 10, planes of constant value (i, i + 1, i + 2) mod 256 but for one pixel. */
function batchFile(): Uint8Array {
  const bytes = new Uint8Array(CIFAR10_FILE_BYTES);
  for (let i = 0; i < 10_000; i++) {
    const at = i * 3073;
    bytes[at] = i % 10;
    for (let c = 0; c < 3; c++) bytes.fill(i + c, at + 1 + c * 1024, at + 1 + (c + 1) * 1024);
    bytes[at + 1 + 1024 + 33] = 99; // green, row 1, column 1
  }
  return bytes;
}

let root: string;
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'cifar10 '));
  await mkdir(join(root, 'cifar-10-batches-bin'));
  const bytes = batchFile();
  for (const name of names) writeFileSync(join(root, 'cifar-10-batches-bin', name), bytes);
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const broken = async (name: string, bytes: Uint8Array | undefined) => {
  const path = join(root, 'cifar-10-batches-bin', name);
  rmSync(path);
  if (bytes) writeFileSync(path, bytes);
  const error = await loadCifar10(root).catch((e: unknown) => e);
  writeFileSync(path, batchFile());
  expect(error).toBeInstanceOf(InputError);
  return (error as Error).message;
};

describe('loadCifar10', () => {
  it('finds the files in the folder itself and in the folder above it', () => {
    const folder = join(root, 'cifar-10-batches-bin');
    expect(findCifar10(root)).toBe(folder);
    expect(findCifar10(folder)).toBe(folder);
    expect(findCifar10(tmpdir())).toBeUndefined();
  });

  it('turns planes into pixels with the channels last', async () => {
    const { train, test, checksums } = await loadCifar10(root);
    expect([train.count, test.count]).toEqual([50_000, 10_000]);
    expect(Object.keys(checksums)).toEqual(names);
    const at = (10_003 * 32 * 32 + 33) * 3; // record 3 of the second file, row 1, column 1
    expect([...train.pixels.subarray(at - 3, at + 6)]).toEqual([3, 4, 5, 3, 99, 5, 3, 4, 5]);
    expect(train.labels[10_003]).toBe(3);
    expect(test.labels[9_999]).toBe(9);
  });

  it('names a missing file and its expected size', async () => {
    expect(await broken('data_batch_3.bin', undefined)).toMatch(/data_batch_3\.bin is missing.*30730000/);
  });

  it('names a truncated file, the size found and the size expected', async () => {
    expect(await broken('test_batch.bin', new Uint8Array(5000))).toMatch(
      /test_batch\.bin is truncated: 5000 bytes found, 30730000 expected/,
    );
  });

  it('refuses a label above 9', async () => {
    const bytes = batchFile();
    bytes[3073 * 17] = 10;
    expect(await broken('data_batch_1.bin', bytes)).toMatch(/data_batch_1\.bin: record 17 has label 10/);
  });

  it('refuses a folder without the files in one line', async () => {
    await expect(loadCifar10(join(root, 'nowhere'))).rejects.toThrow(/nowhere.*data_batch_1\.bin is missing/);
  });

  it.skipIf(!DATA)(
    'reads the real files: 5000 + 1000 pictures a class (needs CIM_PRUNING_DATA)',
    async () => {
      const { train, test, mean, std } = await loadCifar10(DATA as string);
      for (let c = 0; c < 10; c++) {
        expect(train.labels.filter((label) => label === c)).toHaveLength(5000);
        expect(test.labels.filter((label) => label === c)).toHaveLength(1000);
      }
      for (let c = 0; c < 3; c++) {
        let sum = 0;
        let squares = 0;
        for (let i = c; i < train.pixels.length; i += 3) {
          sum += train.pixels[i];
          squares += train.pixels[i] * train.pixels[i];
        }
        const n = train.pixels.length / 3;
        expect(sum / n / 255).toBeCloseTo(mean[c], 3);
        expect(Math.sqrt(squares / n - (sum / n) ** 2) / 255).toBeCloseTo(std[c], 3);
      }
    },
  );
});
