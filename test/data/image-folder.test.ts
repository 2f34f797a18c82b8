import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodePicture } from '../../src/data/decode-picture';
import {
  imageFolder,
  imageFolderBatches,
  loadImageFolder,
  type SkippedPicture,
} from '../../src/data/image-folder';
import { InputError } from '../../src/errors';

let root: string;
const colour = (r: number, g: number, b: number, width = 40, height = 30) =>
  sharp({ create: { width, height, channels: 3, background: { r, g, b } } });

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'pictures '));
  for (const name of ['b', 'a', '.hidden']) mkdirSync(join(root, 'set', name), { recursive: true });
  await colour(250, 10, 20)
    .jpeg({ quality: 100 })
    .toFile(join(root, 'set', 'a', '2.JPEG'));
  await colour(10, 250, 20, 30, 50)
    .jpeg({ quality: 100 })
    .toFile(join(root, 'set', 'a', '1.jpg'));
  await colour(90, 90, 90)
    .greyscale()
    .jpeg({ quality: 100 })
    .toFile(join(root, 'set', 'b', 'grey.jpg'));
  writeFileSync(join(root, 'set', 'b', 'notes.txt'), 'no picture');
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** A folder with `good` pictures of one class and `bad` damaged ones. */
async function folderWith(name: string, good: number, bad: number): Promise<string> {
  const dir = join(root, name);
  mkdirSync(join(dir, 'x'), { recursive: true });
  const jpeg = await colour(1, 2, 3, 16, 16).jpeg().toBuffer();
  for (let i = 0; i < good; i++) writeFileSync(join(dir, 'x', `${i}.jpg`), jpeg);
  for (let i = 0; i < bad; i++) writeFileSync(join(dir, 'x', `bad${i}.jpg`), jpeg.subarray(0, 60 + i));
  return dir;
}

describe('imageFolder', () => {
  it('takes the sorted class folders as classes and their pictures in sorted order', async () => {
    const folder = await imageFolder(join(root, 'set'), { size: 16, resize: 20 });
    expect(folder.classes).toEqual(['a', 'b']);
    expect(folder.files.map(({ path, label }) => [path.slice(root.length + 5), label])).toEqual([
      [join('a', '1.jpg'), 0],
      [join('a', '2.JPEG'), 0],
      [join('b', 'grey.jpg'), 1],
    ]);
  });

  it('names a folder that is missing or holds no pictures', async () => {
    await expect(imageFolder(join(root, 'nowhere'))).rejects.toThrow(/nowhere is missing/);
    mkdirSync(join(root, 'empty', 'a'), { recursive: true });
    await expect(imageFolder(join(root, 'empty'))).rejects.toThrow(/empty holds no pictures/);
    await expect(imageFolder(join(root, 'set'), { size: 300, resize: 256 })).rejects.toThrow(InputError);
  });
});

describe('imageFolderBatches', () => {
  it('gives the pictures in order, cropped to the size, grey as three channels', async () => {
    const folder = await imageFolder(join(root, 'set'), { size: 16, resize: 20 });
    const seen: number[][] = [];
    for await (const batch of imageFolderBatches(folder, { batchSize: 2 })) {
      expect([batch.height, batch.width, batch.channels]).toEqual([16, 16, 3]);
      expect(batch.pixels).toHaveLength(batch.count * 768);
      for (let i = 0; i < batch.count; i++) {
        seen.push([batch.labels[i], ...batch.pixels.subarray(i * 768, i * 768 + 3)]);
      }
    }
    const expected = [
      [0, 10, 250, 20],
      [0, 250, 10, 20],
      [1, 90, 90, 90],
    ];
    expect(seen).toHaveLength(3);
    for (const [i, values] of expected.entries()) {
      for (const [j, value] of values.entries()) expect(Math.abs(seen[i][j] - value)).toBeLessThanOrEqual(2);
    }
  });

  it('leaves out damaged pictures and says which, up to 1 %', async () => {
    const dir = await folderWith('few bad', 99, 1);
    const folder = await imageFolder(dir, { size: 8, resize: 8 });
    const skipped: SkippedPicture[] = [];
    let count = 0;
    for await (const batch of imageFolderBatches(folder, { batchSize: 64, onSkip: (s) => skipped.push(s) })) {
      count += batch.count;
    }
    expect(count).toBe(99);
    expect(skipped.map(({ path }) => path)).toEqual([join(dir, 'x', 'bad0.jpg')]);
    expect(skipped[0].reason).not.toBe('');
  });

  it('fails with one line when more than 1 % are damaged', async () => {
    const folder = await imageFolder(await folderWith('many bad', 98, 2), { size: 8, resize: 8 });
    const all = async () => {
      for await (const batch of imageFolderBatches(folder, { batchSize: 64 })) void batch;
    };
    await expect(all()).rejects.toThrow(InputError);
    await expect(all()).rejects.toThrow(/2 of 100 pictures cannot be decoded.*bad1\.jpg/);
  });

  it('fails with one line for a batch of no pictures, or none decoded at once', async () => {
    const folder = await imageFolder(join(root, 'set'), { size: 16, resize: 20 });
    for (const [options, line] of [
      [{ batchSize: 0 }, 'batchSize: 0 is not a whole number of at least 1'],
      [{ batchSize: 4, concurrency: 0 }, 'concurrency: 0 is not a whole number of at least 1'],
    ] as const)
      await expect(imageFolderBatches(folder, options).next()).rejects.toThrow(line);
  });

  it('spreads a limit over the classes', async () => {
    const folder = await imageFolder(join(root, 'set'), { size: 16, resize: 20 });
    const seen: number[] = [];
    for await (const batch of imageFolderBatches(
      { ...folder, files: folder.files.slice(1) },
      { batchSize: 4, limit: 2 },
    )) {
      seen.push(...batch.labels);
    }
    expect(seen).toEqual([0, 1]);
    for await (const batch of imageFolderBatches(folder, { batchSize: 4, limit: 1 }))
      expect(batch.count).toBe(1);
  });
});

describe('loadImageFolder', () => {
  it('takes a folder without train and val as test pictures', async () => {
    const { train, test, classes, real } = await loadImageFolder(join(root, 'set'), { size: 16, resize: 16 });
    expect([train.count, test.count, test.pixels.length, real]).toEqual([0, 3, 3 * 768, true]);
    expect(classes).toEqual(['a', 'b']);
  });

  it('tells pictures of another size apart by their checksum', async () => {
    const checksums = [
      { size: 16, resize: 16 },
      { size: 16, resize: 24 },
      { size: 24, resize: 24 },
    ].map(async (pictures) => (await loadImageFolder(join(root, 'set'), pictures)).checksums);
    const values = (await Promise.all(checksums)).map((each) => Object.values(each).join());
    expect(new Set(values).size).toBe(3);
  });

  it('refuses train and val with different classes', async () => {
    for (const part of ['train/x', 'val/y']) {
      mkdirSync(join(root, 'split', part), { recursive: true });
      await colour(1, 2, 3)
        .jpeg()
        .toFile(join(root, 'split', part, '1.jpg'));
    }
    await expect(loadImageFolder(join(root, 'split'), { size: 8, resize: 8 })).rejects.toThrow(
      /different class folders/,
    );
  });
});

describe('decodePicture', () => {
  it('turns CMYK to RGB without a colour profile, as Pillow does', async () => {
    const path = join(root, 'cmyk.jpg');
    await colour(200, 100, 50).toColourspace('cmyk').jpeg({ quality: 100 }).toFile(path);
    const { pixels, channels } = await decodePicture(path);
    const inks = await sharp(path).pipelineColourspace('cmyk').toColourspace('cmyk').raw().toBuffer();
    expect(channels).toBe(3);
    for (let c = 0; c < 3; c++) {
      expect(Math.abs(pixels[c] - ((255 - inks[c]) * (255 - inks[3])) / 255)).toBeLessThanOrEqual(1);
    }
  });

  it('drops alpha and keeps the orientation as stored', async () => {
    const path = join(root, 'alpha.png');
    const background = { r: 9, g: 8, b: 7, alpha: 0.5 };
    await sharp({ create: { width: 6, height: 4, channels: 4, background } })
      .png()
      .toFile(path);
    const picture = await decodePicture(path);
    expect([picture.width, picture.height, ...picture.pixels.subarray(0, 3)]).toEqual([6, 4, 9, 8, 7]);
    const turned = join(root, 'turned.jpg');
    await colour(1, 2, 3, 6, 4).withMetadata({ orientation: 6 }).jpeg().toFile(turned);
    expect(await decodePicture(turned)).toMatchObject({ width: 6, height: 4 });
  });

  it('rejects what is no picture', async () => {
    const path = join(root, 'text.jpg');
    writeFileSync(path, 'no picture');
    await expect(decodePicture(path)).rejects.toThrow();
  });
});
