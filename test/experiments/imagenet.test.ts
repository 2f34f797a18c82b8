import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { layerStore } from '../../src/admm/layer-store';
import { prunePostTraining } from '../../src/admm/prune-post-training';
import { totalSeconds } from '../../src/admm/stage-timer';
import { evaluationBatches } from '../../src/data/batches';
import { calibrationSplit } from '../../src/data/calibration-split';
import { mosaics } from '../../src/data/mosaics';
import { withRandomViews } from '../../src/data/random-views';
import { openTestPictures, type TestPictures } from '../../src/data/test-pictures';
import { floatAccuracy, modelInference } from '../../src/experiments/accuracy';
import { compareLogits } from '../../src/experiments/compare-logits';
import { useFastEngines } from '../../src/experiments/fast-engines';
import {
  bitsOf,
  type ImagenetPoint,
  imagenetPoints,
  partText,
  pointName,
  pointOf,
} from '../../src/experiments/imagenet-point';
import {
  imagenetClaims,
  imagenetFigures,
  imagenetStem,
  imagenetTable,
  kernelTable,
} from '../../src/experiments/imagenet-report';
import { imagenetStudy } from '../../src/experiments/imagenet-study';
import { kernelStatistics } from '../../src/experiments/kernel-statistics';
import { runImagenet } from '../../src/experiments/run-imagenet';
import { loadIntegerNetwork } from '../../src/quantization/model-file';
import { randomStream } from '../../src/tensor/random';
import { measureStream } from '../../src/training/evaluate';
import { scratchFolder } from '../networks/scratch-folder';
import { dataset, pictures } from '../quantization/small-model';
import { description, folded, model, network } from './mixed-model';

useFastEngines({ threads: 1 });
const sumOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);
const scratch = scratchFolder();

const scored: TestPictures = {
  ...dataset,
  async *batches(batchSize, limit) {
    yield* evaluationBatches(dataset.test, { batchSize, limit });
  },
};

/** A class folder each with `count` pictures. */
async function classFolders(dir: string, classes: readonly string[], count: number): Promise<string> {
  const jpeg = await sharp({ create: { width: 20, height: 20, channels: 3, background: '#345' } })
    .jpeg()
    .toBuffer();
  for (const name of classes) {
    mkdirSync(join(dir, name), { recursive: true });
    for (let i = 0; i < count; i++) writeFileSync(join(dir, name, `${i}.jpg`), jpeg);
  }
  return dir;
}

describe('calibrationSplit', () => {
  it('takes every fourth of 64 pictures for 16, and none is on both sides', async () => {
    const dir = await classFolders(scratch('flat'), ['a', 'b', 'c', 'd'], 16);
    const { calibration, scored: rest, rule } = await calibrationSplit(dir, 16, { size: 8, resize: 8 });
    expect(calibration.files.map(({ label }) => label)).toEqual(
      [0, 1, 2, 3].flatMap((label) => [label, label, label, label]),
    );
    expect(rest.files).toHaveLength(48);
    const taken = new Set(calibration.files.map(({ path }) => path));
    expect(rest.files.some(({ path }) => taken.has(path))).toBe(false);
    expect(rule).toBe('every 4th picture for calibration (16), the other 48 scored');
  });

  it('calibrates on train and scores val where there are both, and tells data apart by its checksum', async () => {
    const dir = scratch('parted');
    await classFolders(join(dir, 'train'), ['a', 'b'], 20);
    await classFolders(join(dir, 'val'), ['a', 'b'], 10);
    const split = await calibrationSplit(dir, 16, { size: 8, resize: 8 });
    expect(split.calibration.dir).toBe(join(dir, 'train'));
    expect(split.scored.files).toHaveLength(20);
    writeFileSync(join(dir, 'val', 'a', '0.jpg'), 'another size');
    expect((await calibrationSplit(dir, 16, { size: 8, resize: 8 })).checksum).not.toBe(split.checksum);
  });

  it('refuses to leave fewer than 16 pictures for either', async () => {
    const dir = await classFolders(scratch('few'), ['a', 'b'], 12);
    await expect(calibrationSplit(dir, 16)).rejects.toThrow(
      /16 pictures to calibrate on and 8 to score; at least 16 of each are needed/,
    );
  });
});

describe('withRandomViews', () => {
  it('gives the central squares, then rectangles of each picture, some mirrored, and the same ones for the same stream', () => {
    const count = 40;
    // Red tells the picture, green the column, blue the row.
    const pixels = Uint8Array.from({ length: count * 16 * 16 * 3 }, (_, i) => {
      const place = Math.floor(i / 3);
      return [5 * Math.floor(place / 256), 10 * (place % 16), 10 * (Math.floor(place / 16) % 16)][i % 3];
    });
    const set = { count, height: 16, width: 16, channels: 3, pixels };
    const views = withRandomViews(set, 8, 2, randomStream(1, 'views'));
    expect(views).toMatchObject({ count: 3 * count, height: 8, width: 8, channels: 3 });
    expect(withRandomViews(set, 8, 2, randomStream(1, 'views'))).toEqual(views);
    expect(withRandomViews(set, 8, 2, randomStream(2, 'views'))).not.toEqual(views);
    const at = (i: number, row: number, x: number) => [
      ...views.pixels.subarray((i * 64 + row * 8 + x) * 3, (i * 64 + row * 8 + x) * 3 + 3),
    ];
    let turned = 0;
    const widths = new Set<number>();
    for (let i = 0; i < views.count; i++) {
      const [red, left, top] = at(i, 0, 0);
      const [, right, bottom] = at(i, 7, 7);
      expect(red).toBe(5 * (i % count));
      if (i < count) expect([left, top, right, bottom]).toEqual([40, 40, 110, 110]);
      expect(bottom).toBeGreaterThan(top);
      if (right < left) turned++;
      widths.add(Math.abs(right - left));
    }
    expect(turned).toBeGreaterThan(20);
    expect(turned).toBeLessThan(60);
    expect(widths.size).toBeGreaterThan(5);
  });
});

describe('mosaics', () => {
  it('lays pictures beside and below one another, in the order given, and leaves the last few out', () => {
    const set = { count: 5, height: 1, width: 2, channels: 1 };
    const pixels = Uint8Array.of(0, 1, 10, 11, 20, 21, 30, 31, 40, 41);
    const joined = mosaics({ ...set, pixels }, 2, [4, 0, 3, 1, 2]);
    expect(joined).toEqual({
      count: 1,
      height: 2,
      width: 4,
      channels: 1,
      pixels: Uint8Array.of(40, 41, 0, 1, 30, 31, 10, 11),
    });
  });
});

describe('openTestPictures', () => {
  it('measures class folders as they are read, leaves damaged pictures out and names them', async () => {
    const dir = await classFolders(scratch('damaged'), ['a', 'b', 'c', 'd'], 40);
    writeFileSync(join(dir, 'b', '7.jpg'), 'no picture');
    const skipped: string[] = [];
    const stream = await openTestPictures({
      dir,
      pictures: { size: 16, resize: 16 },
      onSkip: ({ path }) => skipped.push(path),
    });
    expect(stream.test.count).toBe(160);
    const options = { total: 160 };
    const accuracy = await measureStream(modelInference(model, dataset), 4, stream.batches(16), options);
    expect(accuracy.pictures).toBe(159);
    expect(skipped).toEqual([join(dir, 'b', '7.jpg')]);
  });

  it('of class folders takes some of every class where not all are wanted', async () => {
    const dir = await classFolders(scratch('some'), ['a', 'b', 'c', 'd'], 10);
    const stream = await openTestPictures({ dir, pictures: { size: 16, resize: 16 } });
    const labels: number[] = [];
    for await (const batch of stream.batches(3, 8)) labels.push(...batch.labels.subarray(0, batch.count));
    expect(labels).toEqual([0, 0, 1, 1, 2, 2, 3, 3]);
  });

  it('gives the same accuracy as the set in memory', async () => {
    const stream = await measureStream(modelInference(model, dataset), 4, scored.batches(10), { total: 32 });
    expect(stream).toEqual(floatAccuracy(model, dataset, dataset.test));
  });
});

describe('compareLogits', () => {
  it('pairs the pictures: drop, agreement and divergence with their intervals', () => {
    // Right, wrong, right, right; then right, right, wrong, right.
    const reference = Float32Array.of(2, 0, 2, 0, 2, 0, 0, 2);
    const logits = Float32Array.of(2, 0, 0, 2, 0, 2, 0, 2);
    const {
      pictures: count,
      drop,
      agreement,
      divergence,
    } = compareLogits(reference, logits, Int32Array.of(0, 1, 0, 1));
    expect(count).toBe(4);
    expect(drop.mean).toBe(0);
    // Differences 0, -100, 100, 0: variance 20000 / 3.
    expect(drop.interval).toBeCloseTo(1.96 * Math.sqrt(20000 / 3 / 4), 6);
    expect(agreement.mean).toBe(50);
    const p = 1 / (1 + Math.exp(-2));
    expect(divergence.mean).toBeCloseTo((2 * (2 * p - 1)) / 2, 6);
  });

  it('of a network with itself is no drop, full agreement and no divergence', () => {
    const logits = Float32Array.of(1, 2, 3, 4);
    const { drop, agreement, divergence } = compareLogits(logits, logits, Int32Array.of(0, 1));
    expect([drop, agreement, divergence]).toEqual([
      { mean: 0, interval: 0 },
      { mean: 100, interval: 0 },
      { mean: 0, interval: 0 },
    ]);
  });
});

describe('kernelStatistics', () => {
  it('counts kernels that differ, and zeros', () => {
    const parameters = new Map(folded.parameters);
    const name = description.nodes.find((node) => node.op === 'conv' && node.kernel === 3)!.name;
    const { data, shape } = parameters.get(`${name}.weight`)!;
    const flat = data.slice().fill(0.5);
    flat.fill(0, 0, 9);
    parameters.set(`${name}.weight`, { data: flat, shape });
    const own = kernelStatistics(folded.description, parameters).find((layer) => layer.name === name)!;
    expect(own).toEqual({ name, kernels: data.length / 9, distinct: 2, weights: data.length, zeros: 9 });
  });
});

describe('layerStore', () => {
  const settings = { tileRows: 32, adcBits: 2, iterations: 2, patches: 200 };
  const prune = (store?: ReturnType<typeof layerStore>, stopAt = Infinity) => {
    let layers = 0;
    return prunePostTraining(
      network,
      folded,
      pictures,
      settings,
      () => {
        if (layers++ === stopAt) throw new Error('stopped');
      },
      store,
    );
  };

  it('lets an interrupted pruning go on to the same codes, without doing its layers again', () => {
    const path = scratch('store.unfinished');
    const started = performance.now();
    const whole = prune();
    const elapsed = (performance.now() - started) / 1000;
    const inStages = Object.values(totalSeconds(whole.layers.map(({ seconds }) => seconds)));
    expect(sumOf(inStages)).toBeGreaterThan(elapsed / 2);
    expect(sumOf(inStages)).toBeLessThanOrEqual(elapsed);
    expect(() => prune(layerStore(path, settings), 3)).toThrow('stopped');
    const store = layerStore(path, settings);
    expect([...store.finished().keys()]).toEqual(whole.layers.slice(0, 3).map(({ name }) => name));
    const resumed = prune(store);
    expect(resumed.network.layers).toEqual(whole.network.layers);
    expect(resumed.layers.map(({ seconds: _, ...rest }) => rest)).toEqual(
      whole.layers.map(({ seconds: _, ...rest }) => rest),
    );
    store.clear();
    expect(existsSync(path)).toBe(false);
  });

  it('starts anew under other settings, and from a damaged file', () => {
    const path = scratch('other.unfinished');
    expect(() => prune(layerStore(path, settings), 2)).toThrow('stopped');
    expect(layerStore(path, { ...settings, adcBits: 3 }).finished().size).toBe(0);
    writeFileSync(path, 'damaged');
    expect(layerStore(path, settings).finished().size).toBe(0);
    rmSync(path);
  });
});

describe('pointOf', () => {
  it('reads the names of crossbars, and says what a name must look like', () => {
    const others = (['top3', 'outer5', 'classifier5', 'allocated'] as const).map((part) => ({
      tileRows: 64,
      adcBits: 4,
      part,
    }));
    for (const point of [...imagenetPoints, ...others])
      expect(pointOf(pointName(point), 'points')).toEqual(point);
    for (const name of ['r128', 'r0-adc3', 'r128-adc9', 'r128-adc3-1x1', 'r128-adc3-top7'])
      expect(() => pointOf(name, 'distil')).toThrow(`--distil ${name}: rR-adcB is needed`);
  });
});

describe('bitsOf', () => {
  it('gives the classifier alone the bits that a point names for it', () => {
    const point = { tileRows: 32, adcBits: 2, part: 'classifier5' } as const;
    const bits = Object.entries(bitsOf(network, 'sign-split', point));
    expect(bits.map(([name]) => name)).toEqual([...network.layers.keys()]);
    expect(bits.pop()).toEqual(['fc2', 5]);
    expect(new Set(bits.map(([, own]) => own))).toEqual(new Set([2]));
    expect(partText(point)).toBe('5 bits in the classifier');
  });
});

describe('imagenetStudy', () => {
  const points: ImagenetPoint[] = [
    { tileRows: 32, adcBits: 3, part: 'all' },
    { tileRows: 128, adcBits: 2, part: '3x3' },
    { tileRows: 32, adcBits: 4, part: 'top3' },
    { tileRows: 32, adcBits: 2, part: 'outer4' },
    { tileRows: 32, adcBits: 3, part: 'allocated' },
  ];
  const study = (folder: string) =>
    imagenetStudy({
      model,
      pictures: { calibration: pictures, scored, rule: 'halves', checksum: '00' },
      folder,
      points,
      iterations: 2,
      patches: 200,
    });

  it('prunes, scores on the other pictures, checks the crossbar, and goes on from what it kept', async () => {
    const folder = scratch('imagenet');
    const started = performance.now();
    const result = await study(folder);
    const seconds = (performance.now() - started) / 1000;
    const [all, some, high, mixed, allocated] = result.rows;
    expect(result.rows.every(({ lossless }) => lossless)).toBe(true);
    for (const { crossbar } of result.rows) expect(crossbar).toMatchObject({ agrees: true, pictures: 1 });
    const coding = { encoding: 'sign-split', weightBits: 8 };
    const how = { iterations: 2, patches: 200, ridge: 'shrinkage', balancedRows: true };
    expect(result.pruning).toEqual({ ...coding, ...how });
    expect(all.requiredAdcBits).toBeLessThanOrEqual(3);
    expect(some.adcBits).toMatchObject({ conv1: expect.any(Number) });
    expect(new Set(Object.values(some.adcBits))).toEqual(new Set([2, 8]));
    const kept = loadIntegerNetwork(join(folder, 'r32-adc4-top3.safetensors'));
    for (const { codes } of kept.layers.values())
      expect(codes.every((code) => Math.abs(code) % 16 === 0)).toBe(true);
    expect(high.title).toBe('layer ADMM, 3 highest planes');
    expect(mixed.title).toBe('layer ADMM, 4 bits outside 3x3 convolutions');
    expect(mixed.adcBits).toMatchObject({ conv1: 4 });
    expect(new Set(Object.values(mixed.adcBits))).toEqual(new Set([2, 4]));
    expect(allocated.title).toBe('layer ADMM, ADC energy of 3 bits allocated');
    const planes = Object.values(allocated.adcBits).map((bits) => [bits].flat());
    expect(planes.flat().every((bits) => bits === 0 || (bits >= 2 && bits <= 5))).toBe(true);
    // Sums of the layers pruned alone keep the budget; pruned together they use other columns.
    const adcEnergy = ({ hardware }: typeof all) => hardware.energyPj.adc;
    expect(adcEnergy(allocated)).toBeLessThan(1.1 * adcEnergy(all));
    expect(all.accuracy.top1).toBeCloseTo(result.float.top1 - all.fromFloat.drop.mean, 6);
    const inStages = sumOf(result.rows.flatMap(({ pruning }) => Object.values(pruning!.stages)));
    expect(inStages).toBeGreaterThan(seconds / 10);
    expect(inStages).toBeLessThanOrEqual(seconds);
    expect(await study(folder)).toEqual(result);
    expect(imagenetTable(result).rows).toHaveLength(5);
    expect(kernelTable(result).rows).toHaveLength(network.layers.size);
    expect([...imagenetFigures(result).keys()]).toEqual(
      ['drop', 'agreement', 'divergence', 'layers'].map((name) => `06-${description.name}-${name}`),
    );
    expect(imagenetClaims(result).obtained).toMatchObject({ lossless: true, crossbar: true });
    const differing = { ...allocated, crossbar: { ...allocated.crossbar, agrees: false } };
    const { obtained } = imagenetClaims({ ...result, rows: [all, some, high, mixed, differing] });
    expect(obtained).toMatchObject({ crossbar: false });
  });

  it('prunes weights of fewer bits in another encoding, into figures of their own', async () => {
    const folder = scratch('csd');
    const options = {
      model,
      pictures: { calibration: pictures, scored, rule: 'halves', checksum: '00' },
      folder,
      points: [points[0], points[2], points[4]],
      encoding: 'csd' as const,
      weightBits: 6,
      iterations: 2,
      patches: 200,
    };
    const result = await imagenetStudy(options);
    expect(result.rows.every(({ lossless }) => lossless)).toBe(true);
    expect(result.rows.every(({ crossbar }) => crossbar.agrees)).toBe(true);
    const kept = loadIntegerNetwork(join(folder, 'r32-adc4-top3.safetensors'));
    expect(kept).toMatchObject({ weightBits: 6, pruning: { encoding: 'csd' } });
    // Six planes of signed digits, the three lowest empty.
    for (const { codes } of kept.layers.values()) {
      expect(codes.every((code) => code % 8 === 0 && Math.abs(code) < 32)).toBe(true);
      expect(codes.some((code) => code % 16 !== 0)).toBe(true);
    }
    expect([...imagenetFigures(result).keys()][0]).toBe(`06-${description.name}-csd-w6-drop`);
    expect(imagenetTable(result).title).toContain('6-bit weights, 8-bit activations, csd');
    const asMany: ImagenetPoint[] = [{ tileRows: 32, adcBits: 4, part: 'top6' }];
    await expect(imagenetStudy({ ...options, points: asMany })).rejects.toThrow(
      'point r32-adc4-top6: 6-bit csd has 6 planes, fewer must be left',
    );
    const all = { ...options, points: [points[0]], distilled: [points[0]] };
    const distillation = { epochs: 1, batchSize: 8, rate: 0.03 };
    const distilled = await imagenetStudy({ ...all, distillation });
    const [before, after] = ['r32-adc3', 'r32-adc3-distilled'].map((name) =>
      loadIntegerNetwork(join(folder, `${name}.safetensors`)),
    );
    expect(distilled.rows[1]).toMatchObject({ title: 'layer ADMM, distilled', lossless: true });
    expect(after).toMatchObject({ weightBits: 6, pruning: { encoding: 'csd', adcBits: 3 } });
    expect(
      [...after.layers].some(([name, { codes }]) => `${codes}` !== `${before.layers.get(name)!.codes}`),
    ).toBe(true);
    await expect(imagenetStudy({ ...all, encoding: 'offset' })).rejects.toThrow(
      "encoding 'offset': training keeps sign-split or csd",
    );
  });

  it('trains a point further without labels, under its own bits, and goes on from what it kept', async () => {
    const folder = scratch('distilled');
    // Few ones: pruning leaves something to mend.
    const hard: ImagenetPoint[] = [{ tileRows: 128, adcBits: 1, part: 'all' }];
    const distil = () =>
      imagenetStudy({
        model,
        pictures: { calibration: pictures, scored, rule: 'halves', checksum: '00' },
        folder,
        points: hard,
        distilled: hard,
        distillation: { epochs: 8, batchSize: 8, rate: 0.03 },
        iterations: 2,
        patches: 200,
      });
    const result = await distil();
    const [before, after] = result.rows;
    expect(after.title).toBe('layer ADMM, distilled');
    expect(after.curve).toHaveLength(8);
    expect(after).toMatchObject({ lossless: true, tileRows: 128, adcBits: 1 });
    const read = (name: string) => loadIntegerNetwork(join(folder, `${name}.safetensors`));
    const [start, end] = [read('r128-adc1'), read('r128-adc1-distilled')];
    let changed = 0;
    for (const [name, { codes }] of end.layers)
      codes.forEach((code, i) => {
        if (code !== start.layers.get(name)!.codes[i]) changed++;
      });
    expect(changed).toBeGreaterThan(0);
    expect(after.fromFloat.divergence.mean).toBeLessThan(before.fromFloat.divergence.mean);
    expect(await distil()).toEqual(result);
  });

  it('calibrates on mosaics of other pictures too, and says so', async () => {
    const names = Array.from('abcdefghij');
    const dir = await classFolders(scratch('scored'), names, 4);
    const moreDir = await classFolders(scratch('more'), names, 2);
    const folder = scratch('mosaics');
    const { result } = await runImagenet({
      ...{ dataDir: dir, moreDir, model: 'tiny-generated', folder, figures: folder },
      ...{
        size: 32,
        calibration: 16,
        views: 2,
        more: 12,
        points: points.slice(0, 1),
        iterations: 1,
        patches: 64,
      },
    });
    expect(result.calibrationPictures).toBe(3 * 16 + 3);
    expect(result.rule).toMatch(
      /\(16\), the other 24 scored, 2 random views of each too; 3 mosaics of 12 other pictures/,
    );
    const stem = imagenetStem(result);
    expect(JSON.parse(readFileSync(join(folder, `${stem}.results.json`), 'utf8'))).toEqual(result);
  });

  it('shows the points of an earlier result beside its own, if that had the same conditions', async () => {
    const [first, second] = [0, 1].map((at) => scratch(`earlier ${at}`));
    const about = { model, pictures: { calibration: pictures, scored, rule: 'halves', checksum: '00' } };
    const how = { ...about, iterations: 1, patches: 64, testPictures: 16 };
    const earlier = await imagenetStudy({ ...how, folder: first, points: points.slice(0, 2) });
    const again = { ...points[0], adcBits: 4 };
    const result = await imagenetStudy({ ...how, folder: second, points: [points[0], again], earlier });
    expect(result.rows.map(({ point }) => point)).toEqual([points[1], points[0], again]);
    expect(result.rows[0]).toEqual(earlier.rows[1]);
    expect(result.rows[0].origins).toMatchObject({ commits: result.origins!.commits, untold: 0 });
    const same = await imagenetStudy({ ...how, folder: second, points: [again], earlier: result });
    expect(new Set(same.rows)).toEqual(new Set(result.rows));
    const told = imagenetStudy({
      ...how,
      folder: second,
      points: [again],
      earlier: { ...earlier, rows: earlier.rows.map(({ origins: _, ...row }) => row) },
    });
    expect((await told).origins).toMatchObject({ untold: 2 });
  });

  it('refuses what is no result, or one under other conditions, before anything is pruned', async () => {
    const folder = scratch('refused');
    const about = { model, pictures: { calibration: pictures, scored, rule: 'halves', checksum: '00' } };
    const how = { ...about, iterations: 1, patches: 64, testPictures: 16 };
    const earlier = await imagenetStudy({ ...how, folder: scratch('first'), points: points.slice(0, 1) });
    const refused = (changed: unknown) =>
      expect(imagenetStudy({ ...how, folder, points: points.slice(1, 2), earlier: changed })).rejects;
    await refused({ ...earlier, seed: 2 }).toThrow('its seed is 2, but here 1: measure all points anew');
    await refused({ ...earlier, revision: 1 }).toThrow(/its revision is 1, but here \d/);
    await refused({ ...earlier, float: { ...earlier.float, top1: 1 } }).toThrow(/its float accuracy is/);
    for (const none of [null, 3, {}, { ...earlier, rows: [null] }])
      await refused(none).toThrow('no results.json of experiment imagenet');
    expect(readdirSync(folder).filter((name) => name.endsWith('.safetensors'))).toEqual([]);
  });

  it('refuses points that cannot be pruned for', async () => {
    const about = { model, pictures: { calibration: pictures, scored, rule: 'halves', checksum: '00' } };
    for (const [point, message] of [
      ['r32-adc6-allocated', 'the ADC energy of 2 to 5 bits can be allocated'],
      ['r512-adc3-3x3', "the other layers' ADCs of 8 bits read at most 255 rows whole"],
    ] as const)
      await expect(
        imagenetStudy({ ...about, folder: scratch('points'), points: [pointOf(point, 'points')] }),
      ).rejects.toThrow(`point ${point}: ${message}`);
  });

  it('needs both the pictures and the network', async () => {
    const folder = scratch('nothing');
    await expect(runImagenet({ folder, figures: folder })).rejects.toThrow(
      /name class folders of pictures with --data DIR .* and the network with --model FILE/,
    );
  });

  it('refuses a network of another number of classes', async () => {
    const dir = await classFolders(scratch('classes'), ['a', 'b', 'c'], 30);
    await expect(
      runImagenet({
        folder: dir,
        figures: dir,
        dataDir: dir,
        model: 'tiny-generated',
        size: 16,
        calibration: 16,
      }),
    ).rejects.toThrow(/tells .* classes apart, .* has 3/);
  });
});
