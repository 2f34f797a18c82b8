import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CIFAR10_FILE_BYTES } from '../../src/data/cifar10';
import { cifar10Manifest } from '../../src/data/cifar10-manifest';
import { dataCommand, listDatasets } from '../../src/data/data-command';
import { locateCifar10, type OpenDatasetOptions, openDataset } from '../../src/data/open-dataset';
import { InputError } from '../../src/errors';

const DATA = process.env.CIM_PRUNING_DATA;
let root: string;
let cifar: string;
let pictures: string;
let empty: string;

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'open dataset '));
  cifar = join(root, 'cifar');
  empty = join(root, 'empty');
  pictures = join(root, 'pictures');
  mkdirSync(empty);
  mkdirSync(join(cifar, 'cifar-10-batches-bin'), { recursive: true });
  const bytes = new Uint8Array(CIFAR10_FILE_BYTES).fill(3);
  for (const name of Object.keys(cifar10Manifest().files)) {
    writeFileSync(join(cifar, 'cifar-10-batches-bin', name), bytes);
  }
  mkdirSync(join(pictures, 'a'), { recursive: true });
  await sharp({ create: { width: 9, height: 9, channels: 3, background: '#123456' } })
    .jpeg()
    .toFile(join(pictures, 'a', '1.jpg'));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const small = { train: 10, test: 10 };
const unreachable = () => ({
  ...cifar10Manifest(),
  archive: { url: 'http://127.0.0.1:1/x.tar.gz', bytes: 1, sha256: '' },
});
const open = (options: OpenDatasetOptions) =>
  openDataset({ env: {}, dataFolder: empty, generated: small, ...options });
const messageOf = async (promise: Promise<unknown>) => {
  const error = await promise.catch((e: unknown) => e);
  expect(error).toBeInstanceOf(InputError);
  return (error as Error).message;
};

describe('openDataset', () => {
  it('takes CIFAR10 from the folder given, the one of the environment, the package’s own, in this order', async () => {
    const env = { CIM_PRUNING_DATA: '/environment' };
    expect(locateCifar10({ dir: '/given', env, dataFolder: cifar })).toBe('/given');
    expect(locateCifar10({ env, dataFolder: cifar })).toBe('/environment');
    expect(locateCifar10({ env: {}, dataFolder: cifar })).toBe(join(cifar, 'cifar-10-batches-bin'));
    expect(locateCifar10({ env: {}, dataFolder: empty })).toBeUndefined();
    expect((await open({ dataFolder: cifar })).title).toBe('CIFAR10');
    expect(
      await messageOf(open({ name: 'cifar10', dir: empty, env: { CIM_PRUNING_DATA: cifar } })),
    ).toContain(empty);
  });

  it('takes generated pictures only when they will do, and their title says what they are', async () => {
    expect((await open({ fallback: true })).title).toMatch(/not CIFAR10/);
    expect((await open({ name: 'generated' })).real).toBe(false);
    expect(await messageOf(open({}))).toMatch(/CIFAR10 is not in .*empty: run `cim-pruning data cifar10`/);
  });

  it('goes on to generated pictures when the download fails, and says why it failed', async () => {
    const notes: string[] = [];
    const options = { download: true, downloading: { manifest: unreachable(), env: {} } };
    const dataset = await open({
      ...options,
      fallback: true,
      onProgress: ({ note }) => notes.push(note ?? ''),
    });
    expect(dataset.real).toBe(false);
    expect(notes.join()).toMatch(/cannot be reached/);
    expect(await messageOf(open(options))).toMatch(/cannot be reached/);
  });

  it('recognises class folders of pictures', async () => {
    const dataset = await open({ dir: pictures, pictures: { size: 8, resize: 8 } });
    expect([dataset.name, dataset.test.count]).toEqual(['imagenet-folder', 1]);
  });

  it('recognises class folders of PNG pictures beside a file called val, and tells what it leaves out', async () => {
    const dir = join(root, 'png');
    mkdirSync(join(dir, 'a'), { recursive: true });
    writeFileSync(join(dir, 'val'), 'a file');
    const png = await sharp({ create: { width: 9, height: 9, channels: 3, background: 'red' } })
      .png()
      .toBuffer();
    for (let i = 0; i < 100; i++) writeFileSync(join(dir, 'a', `${i}.png`), png);
    writeFileSync(join(dir, 'a', 'bad.webp'), 'no picture');
    const skipped: string[] = [];
    const dataset = await open({
      dir,
      pictures: { size: 8, resize: 8 },
      onSkip: ({ path }) => skipped.push(path),
    });
    expect(dataset.test.count).toBe(100);
    expect(skipped).toEqual([join(dir, 'a', 'bad.webp')]);
  });

  it('names an unknown data set and a folder that is none or holds neither', async () => {
    expect(await messageOf(open({ name: 'mnist' }))).toBe(
      'unknown data set mnist: allowed are cifar10, generated, imagenet-folder',
    );
    expect(await messageOf(open({ dir: join(root, 'nowhere') }))).toMatch(/nowhere is no folder/);
    expect(await messageOf(open({ env: { CIM_PRUNING_DATA: empty } }))).toMatch(
      /^CIM_PRUNING_DATA=.*empty holds neither/,
    );
    expect(await messageOf(open({ name: 'imagenet-folder' }))).toMatch(/name its folder/);
  });
});

describe('dataCommand', () => {
  const run = (options: object) => dataCommand({ env: {}, dataFolder: empty, ...options });

  it('verifies a folder that is there and says when its files are not the official ones', async () => {
    const report = await run({ name: 'cifar10', dir: cifar });
    expect(report).toMatchObject({ action: 'verified', official: false, trainPictures: 50_000 });
    expect(report.files).toHaveLength(6);
    expect(report.message).toMatch(/not the official files/);
  });

  it('downloads where nothing is there', async () => {
    expect(await messageOf(run({ name: 'cifar10', manifest: unreachable() }))).toMatch(/cannot be reached/);
  });

  it('does not download over a damaged folder of the user, but says what is wrong with it', async () => {
    const damaged = join(root, 'damaged');
    mkdirSync(damaged);
    writeFileSync(join(damaged, 'data_batch_1.bin'), 'short');
    expect(await messageOf(run({ name: 'cifar10', dir: damaged }))).toMatch(
      /data_batch_1\.bin is truncated: 5 bytes found/,
    );
  });

  it('goes on with an unpacking that was interrupted', async () => {
    const half = join(root, 'half');
    mkdirSync(join(half, 'cifar-10-batches-bin.part'), { recursive: true });
    mkdirSync(join(half, 'cifar-10-batches-bin'));
    writeFileSync(join(half, 'cifar-10-batches-bin', 'data_batch_1.bin'), 'whole');
    expect(await messageOf(run({ name: 'cifar10', dir: half, manifest: unreachable() }))).toMatch(
      /cannot be reached/,
    );
  });

  it('decodes every picture of a folder', async () => {
    const report = await run({ name: 'imagenet-folder', dir: pictures });
    expect(report).toMatchObject({ action: 'verified', testPictures: 1, trainPictures: 0, skipped: [] });
  });

  it('reports generated pictures', async () => {
    expect((await run({ name: 'generated' })).message).toMatch(/not CIFAR10/);
  });

  it('asks for a name and refuses an unknown one', async () => {
    expect(await messageOf(run({}))).toMatch(/which data set/);
    expect(await messageOf(run({ name: 'mnist' }))).toMatch(/unknown data set mnist/);
  });

  it.skipIf(!DATA)('verifies the real folder (needs CIM_PRUNING_DATA)', async () => {
    const report = await dataCommand({ name: 'cifar10' });
    expect(report).toMatchObject({ action: 'verified', trainPictures: 50_000, testPictures: 10_000 });
  });
});

it('listDatasets says what there is and where', () => {
  const find = (options: object) =>
    listDatasets({ env: {}, dataFolder: empty, ...options }).map((e) => e.folder);
  expect(listDatasets({ env: {} }).map((entry) => entry.name)).toEqual([
    'cifar10',
    'generated',
    'imagenet-folder',
    'resnet18-imagenet',
    'resnet34-imagenet',
    'resnet50-imagenet',
  ]);
  expect(find({})[0]).toBeUndefined();
  expect(find({ dir: cifar })[0]).toBe(join(cifar, 'cifar-10-batches-bin'));
  expect(find({ env: { CIM_PRUNING_DATA: cifar } })[0]).toBe(join(cifar, 'cifar-10-batches-bin'));
});
