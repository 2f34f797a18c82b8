import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { prunePostTraining } from '../../src/admm/prune-post-training';
import { generatedPictures } from '../../src/data/generated-pictures';
import { InputError } from '../../src/errors';
import { calibrationPictures } from '../../src/experiments/calibration';
import { useFastEngines } from '../../src/experiments/fast-engines';
import { networkPaths, openNetworkFiles } from '../../src/experiments/network-files';
import { openFloatModel, sourceOf } from '../../src/experiments/open-model';
import { expectedNetworks, reportNetworks } from '../../src/experiments/run-networks';
import { trainedNetworks, trainedNetworksFigures } from '../../src/experiments/trained-networks';
import { type VerifyOptions, verifyNetworks } from '../../src/experiments/verify-networks';
import { networksClaims, networksFigures, networksTable } from '../../src/experiments/verify-report';
import { initialParameters } from '../../src/networks/initial-parameters';
import { networkByName } from '../../src/networks/network-by-name';
import { saveParameters } from '../../src/networks/save-parameters';
import { buildIntegerNetwork } from '../../src/quantization/build-integer-network';
import { loadIntegerNetwork, saveIntegerNetwork } from '../../src/quantization/model-file';
import { expectedVersusObtained } from '../../src/reports/expected-versus-obtained';
import { scratchFolder } from '../networks/scratch-folder';

useFastEngines({ threads: 1 });

const scratch = scratchFolder();
const dataset = generatedPictures({ train: 64, test: 40, size: 16 });
const folder = scratch('models');
const float = join(folder, 'tiny-float.safetensors');
const pruned = join(folder, 'tiny-pruned.safetensors');
const exactly = () => ({ tolerance: 0.001, compare: 'equal' as const });

const options = (name: string): VerifyOptions => ({
  paths: networkPaths(folder),
  datasets: [dataset],
  folder: scratch(name),
  checked: 1,
});

beforeAll(() => {
  mkdirSync(folder);
  const description = networkByName('tiny');
  const { mean, std, checksums } = dataset;
  saveParameters(float, description, initialParameters(description, 1), {
    mean: JSON.stringify(mean),
    std: JSON.stringify(std),
    provenance: JSON.stringify({ dataChecksums: checksums, seeds: { training: 7 } }),
  });
  const model = openFloatModel(float);
  const { description: plain, parameters } = model.folded;
  const pictures = calibrationPictures(dataset.train, 32, 1);
  const bits = { weightBits: 8, inputBits: 8 };
  const dense = buildIntegerNetwork(plain, parameters, { mean, std }, pictures, bits);
  const settings = { tileRows: 32, adcBits: 2, iterations: 2, patches: 200, seed: 3 };
  const { network } = prunePostTraining(dense, model.folded, pictures, settings);
  saveIntegerNetwork(pruned, network, { source: { model: model.name, sha256: model.sha256 }, settings });
});

describe('verifyNetworks', () => {
  it('measures the float network, its 8-bit form and what was pruned from it, and recounts the codes', async () => {
    const { networks } = await verifyNetworks(options('first'));
    expect(networks.map(({ name, kind, seed }) => [name, kind, seed])).toEqual([
      ['tiny-float', 'float', '7'],
      ['tiny-float, 8 bits', '8-bit', '1'],
      ['tiny-pruned', 'pruned', '3'],
    ]);
    const [floating, integer, own] = networks.map(({ measured }) => measured!);
    for (const { accuracy } of [floating, integer, own]) expect(accuracy.pictures).toBe(40);
    expect(own.fromFloat!.mean).toBeCloseTo(floating.accuracy.top1 - own.accuracy.top1);
    expect(own.from8bit!.mean).toBeCloseTo(integer.accuracy.top1 - own.accuracy.top1);
    expect(own.crossbar).toMatchObject({ agrees: true, pictures: 1 });
    expect(networks[2].recounted).toMatchObject({ tileRows: 32, lossless: true, requiredAdcBits: 2 });
    expect(networks[1].unpruned).toEqual([{ tileRows: 32, requiredAdcBits: expect.any(Number) }]);
  });

  it('goes on from what an interrupted run kept', async () => {
    const notes: string[] = [];
    const again = {
      ...options('first'),
      onProgress: ({ note }: { note?: string }) => notes.push(note ?? ''),
    };
    const kept = await verifyNetworks(again);
    expect(notes).toEqual([]);
    rmSync(scratch('first/tiny-pruned.scores'));
    expect(await verifyNetworks(again)).toEqual(kept);
    expect(new Set(notes.map((note) => note.replace(/:.*/, '')))).toEqual(new Set(['tiny-pruned']));
  });

  it('recounts networks whose pictures are not at hand, and measures nothing', async () => {
    const result = await verifyNetworks({ ...options('without'), datasets: [] });
    const { networks } = result;
    expect(networks.map(({ name, measured }) => [name, measured])).toEqual([
      ['tiny-float', undefined],
      ['tiny-pruned', undefined],
    ]);
    expect(networks[1].recounted).toMatchObject({ lossless: true, requiredAdcBits: 2 });
    expect(networksFigures(result).size).toBe(0);
  });

  it('refuses a pruned network without the float network that it was pruned from', () => {
    const alone = () => openNetworkFiles([pruned]);
    expect(alone).toThrow(InputError);
    expect(alone).toThrow(/tiny-pruned\.safetensors: pruned from 'tiny-float' .* not among/);
  });
});

describe('trainedNetworks', () => {
  it('adds to verified networks what their files tell of their training, and draws its curves', async () => {
    const result = await verifyNetworks(options('first'));
    expect(trainedNetworks(result, folder)).toEqual([]);
    const other = scratch('trained');
    mkdirSync(other);
    saveIntegerNetwork(join(other, 'tiny-pruned.safetensors'), loadIntegerNetwork(pruned), {
      top1: 50,
      curves: {
        training: [
          { epoch: 0, trainAccuracy: 30 },
          { epoch: 1, trainAccuracy: 45, testAccuracy: 40 },
          { epoch: 2, trainAccuracy: 55 },
        ],
      },
    });
    const networks = trainedNetworks(result, other);
    expect(networks).toMatchObject([{ name: 'tiny-pruned', recordedTop1: 50, admm: [] }]);
    expect(networks[0].verified).toBe(result.networks[2]);
    const figures = trainedNetworksFigures(networks);
    expect([...figures.keys()]).toEqual(['03-training', '03-training-pictures']);
    // The last epoch was not tested under way: the kept network's accuracy stands there.
    expect(figures.get('03-training')!.data).toMatchObject([{ x: [2, 3], y: [40, 50] }]);
    expect(figures.get('03-training-pictures')!.data).toMatchObject([{ x: [1, 2, 3], y: [30, 45, 55] }]);
  });
});

describe('the verdict on verified networks', () => {
  const verdictOf = async (expected: Record<string, number>) => {
    const result = await verifyNetworks(options('first'));
    const { claims, obtained } = networksClaims(result, expected, exactly);
    const { results } = expectedVersusObtained(claims, obtained);
    return Object.fromEntries(results.map(({ id, verdict }) => [id, verdict]));
  };
  const obtained = async () => {
    const { networks } = await verifyNetworks(options('first'));
    return Object.fromEntries(networks.map(({ name, measured }) => [name, measured!.accuracy.top1]));
  };

  it('passes where every accuracy is the expected one to the picture', async () => {
    const verdicts = await verdictOf(await obtained());
    expect(Object.keys(verdicts)).toEqual([
      'tiny-float top-1',
      'tiny-float, 8 bits top-1',
      'tiny-pruned lossless',
      'tiny-pruned crossbar',
      'tiny-pruned top-1',
    ]);
    expect(new Set(Object.values(verdicts))).toEqual(new Set(['PASS']));
  });

  it('fails for one picture more or less and for a network without an expected accuracy', async () => {
    const { 'tiny-float': float, 'tiny-float, 8 bits': integer } = await obtained();
    const verdicts = await verdictOf({ 'tiny-float': float - 2.5, 'tiny-float, 8 bits': integer });
    expect(verdicts['tiny-float top-1']).toBe('FAIL');
    expect(verdicts['tiny-pruned top-1']).toBe('FAIL');
    expect(verdicts['tiny-float, 8 bits top-1']).toBe('PASS');
  });

  it('skips networks that are expected and not there', async () => {
    expect((await verdictOf({ ...(await obtained()), gone: 90 }))['gone top-1']).toBe('SKIPPED');
  });

  it('fails where a code was changed so that a conversion can clip', async () => {
    const network = loadIntegerNetwork(pruned);
    const layer = network.layers.get('conv2')!;
    const codes = layer.codes.slice();
    for (let row = 0; row < 8; row++) codes[row * layer.columns] = 64;
    const broken = { ...network, layers: new Map([...network.layers, ['conv2', { ...layer, codes }]]) };
    const other = scratch('broken');
    mkdirSync(other);
    copyFileSync(float, join(other, 'tiny-float.safetensors'));
    const { sha256 } = openFloatModel(float);
    saveIntegerNetwork(join(other, 'broken.safetensors'), broken, {
      source: { model: 'tiny-float', sha256 },
    });
    const result = await verifyNetworks({ ...options('broken-results'), paths: networkPaths(other) });
    const { claims, obtained: found } = networksClaims(result, {}, exactly);
    expect(found).toMatchObject({ 'broken lossless': false, 'broken crossbar': false });
    expect(expectedVersusObtained(claims, found).passed).toBe(false);
    expect(networksTable(result).rows.at(-1)).toMatchObject({ lossless: 'NO', crossbar: 'DIFFERS' });
  });
});

describe('the report on verified networks', () => {
  it('shows R, bits, ADC bits, encoding and seed beside every accuracy, with provenance', async () => {
    const figures = scratch('figures');
    const { tables } = await reportNetworks({
      ...options('first'),
      profile: 'small',
      figures,
      judge: (result) => networksClaims(result, {}, exactly),
    });
    const [table, layers] = tables;
    const settings = ['tileRows', 'bits', 'adcBits', 'encoding', 'seed', 'top1'];
    for (const key of settings) expect(table.columns.map((column) => column.key)).toContain(key);
    expect(table.rows.at(-1)).toMatchObject({
      tileRows: 32,
      bits: '8/8',
      adcBits: '2',
      encoding: 'sign-split',
      seed: '3',
      lossless: 'yes',
      crossbar: 'agrees',
      adc: expect.any(Number),
    });
    expect(layers.rows).toHaveLength(4);
    for (const row of layers.rows) {
      expect(row.ones).toBeLessThanOrEqual(3);
      expect(row.needed).toBeLessThanOrEqual(Math.min(2, Number(row.neededBefore)));
      expect(row.bitsKept).toBeLessThan(100);
    }
    const names = readdirSync(figures);
    for (const ending of ['csv', 'md', 'tex', 'provenance.json'])
      expect(names).toContain(`07-generated-networks.${ending}`);
    for (const figure of ['accuracy', 'tiny-pruned-ones', 'tiny-pruned-planes'])
      expect(names).toContain(`07-generated-networks-${figure}.json`);
    expect(readFileSync(join(figures, '07-generated-networks.md'), 'utf8')).toMatch(/tiny-pruned/);
  });
});

describe('the networks that come with the package', () => {
  it('each have a float network, an expected accuracy and its 8-bit form one', () => {
    const { floats, pruned: all } = openNetworkFiles(networkPaths());
    const names = [
      ...floats.flatMap(({ model }) => [model.name, `${model.name}, 8 bits`]),
      ...all.map(({ model }) => model.name),
    ];
    expect(Object.keys(expectedNetworks()).sort()).toEqual(names.sort());
    for (const { model, float } of all)
      expect(sourceOf(model)).toEqual({ model: float.model.name, sha256: float.model.sha256 });
  });
});
