import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { prunePostTraining } from '../../src/admm/prune-post-training';
import * as simulate from '../../src/crossbar/network-layer';
import { generatedPictures } from '../../src/data/generated-pictures';
import { InputError } from '../../src/errors';
import { cachedResult } from '../../src/experiments/cached-result';
import { calibrationPictures } from '../../src/experiments/calibration';
import { certifyNetwork } from '../../src/experiments/certify-network';
import { checkCrossbar } from '../../src/experiments/check-crossbar';
import { useFastEngines } from '../../src/experiments/fast-engines';
import { openFloatModel, openIntegerModel, openModel } from '../../src/experiments/open-model';
import { requireFit } from '../../src/experiments/require-fit';
import { resultsUsed } from '../../src/experiments/result-origin';
import { reproduceSmoke, type SmokeOptions } from '../../src/experiments/smoke';
import { smokeTable } from '../../src/experiments/smoke-report';
import { initialParameters } from '../../src/networks/initial-parameters';
import { networkByName } from '../../src/networks/network-by-name';
import { saveParameters } from '../../src/networks/save-parameters';
import type { IntegerNetwork } from '../../src/quantization/integer-network';
import { scratchFolder } from '../networks/scratch-folder';
import { pictures, smallModel } from '../quantization/small-model';
import { mixedNetwork } from '../training/small-networks';

useFastEngines({ threads: 1 });

const scratch = scratchFolder();
const settings = { adcBits: 2, tileRows: 16 };
const { network: dense, folded } = smallModel(mixedNetwork());
const { network } = prunePostTraining(dense, folded, pictures, { ...settings, iterations: 4, patches: 200 });

/** The network with some codes of a layer changed. */
function tampered(name: string, change: (codes: Int8Array) => void): IntegerNetwork {
  const layer = network.layers.get(name)!;
  const codes = layer.codes.slice();
  change(codes);
  return { ...network, layers: new Map([...network.layers, [name, { ...layer, codes }]]) };
}

describe('certifyNetwork', () => {
  it('finds the bit column and the layer where a code was tampered with', () => {
    expect(certifyNetwork(network).lossless).toBe(true);
    const { columns } = network.layers.get('layer1.conv2')!;
    const broken = tampered('layer1.conv2', (codes) => {
      // Rows 16 to 19 of channel 5: four ones in plane 6 of tile 1, one too many.
      for (let row = 16; row < 32; row++) codes[row * columns + 5] = row < 20 ? 64 : 0;
    });
    const certificate = certifyNetwork(broken);
    expect(certificate.lossless).toBe(false);
    expect(certificate.requiredAdcBits).toBe(3);
    const guilty = certificate.layers.filter(({ holds }) => !holds);
    expect(guilty.map(({ name }) => name)).toEqual(['layer1.conv2']);
    expect(guilty[0].offending[0]).toMatchObject({ tile: 1, column: 5, plane: 6, count: 4, limit: 3 });
  });

  it('counts an unpruned network at the rows it is told, and asks for them', () => {
    expect(certifyNetwork(dense, 16).requiredAdcBits).toBeGreaterThan(2);
    expect(() => certifyNetwork(dense)).toThrow(InputError);
    const elsewhere = certifyNetwork(network, 64);
    expect([elsewhere.adcBits, elsewhere.tileRows, elsewhere.limited]).toEqual([undefined, 64, false]);
    expect(certifyNetwork(network).limited).toBe(true);
  });
});

describe('checkCrossbar', () => {
  const few = { ...pictures, count: 2, pixels: pictures.pixels.subarray(0, 2 * 768) };

  it('agrees on a pruned network, in every output of every layer', () => {
    const check = checkCrossbar(network, few, settings);
    expect(check).toMatchObject({ agrees: true, pictures: 2, differing: 0, clipped: 0 });
    expect(check.layers.map(({ name }) => name)).toEqual([...network.layers.keys()]);
    expect(check.outputs).toBe(check.layers.reduce((sum, layer) => sum + layer.outputs, 0));
    expect(check.conversions).toBeGreaterThan(check.outputs);
  });

  it('says so when conversions clip', () => {
    const check = checkCrossbar(dense, few, settings);
    expect(check.agrees).toBe(false);
    expect(check.clipped).toBeGreaterThan(0);
    expect(check.differing).toBeGreaterThan(0);
  });

  it("reads each bit plane with its own ADC, whatever the layer's others hold", () => {
    const bitsOf = (plane3: number) =>
      Object.fromEntries([...network.layers.keys()].map((name) => [name, [2, 2, 2, plane3, 2, 2, 2]]));
    const check = (plane3: number) => checkCrossbar(network, few, { ...settings, adcBits: bitsOf(plane3) });
    expect(check(2)).toEqual(checkCrossbar(network, few, settings));
    expect(check(1)).toMatchObject({ agrees: false });
    expect(check(1).clipped).toBeGreaterThan(0);
  });

  it('finds a single output that differs', () => {
    const { simulateCodes } = simulate;
    const spy = vi.spyOn(simulate, 'simulateCodes').mockImplementation((simulator, ...inputs) => {
      const result = simulateCodes(simulator, ...inputs);
      if (simulator.layer.columns === 12) result.outputs[7]++;
      return result;
    });
    const check = checkCrossbar(network, few, settings);
    spy.mockRestore();
    expect(check).toMatchObject({ agrees: false, differing: 1, clipped: 0 });
    expect(check.layers.find(({ differing }) => differing > 0)?.name).toBe('fc1');
  });
});

describe('calibrationPictures', () => {
  it('draws the same pictures for the same seed, none twice', () => {
    const set = generatedPictures({ train: 40, test: 1, size: 16 }).train;
    const drawn = calibrationPictures(set, 40, 1);
    const cut = (pixels: Uint8Array) =>
      Array.from({ length: 40 }, (_, i) => pixels.subarray(i * 768, (i + 1) * 768).join());
    expect(new Set(cut(drawn.pixels))).toEqual(new Set(cut(set.pixels)));
    expect(calibrationPictures(set, 16, 1).pixels).toEqual(drawn.pixels.subarray(0, 16 * 768));
    expect(calibrationPictures(set, 40, 2).pixels).not.toEqual(drawn.pixels);
    for (const count of [15, 41, 16.5]) expect(() => calibrationPictures(set, count, 1)).toThrow(/16 to 40/);
  });
});

describe('with a float network in a file', () => {
  const path = scratch('tiny-test.safetensors');
  const pictureSet = generatedPictures({ train: 64, test: 32, size: 16 });

  beforeAll(() => {
    const description = networkByName('tiny');
    saveParameters(path, description, initialParameters(description, 1), { mean: '[0.5,0.5,0.5]' });
  });

  it('openModel recognises it, takes mean and std from the file or the .json beside it, and tells results by both', () => {
    writeFileSync(scratch('tiny-test.json'), '{"mean": [0, 0, 0], "std": [0.2, 0.2, 0.3]}');
    const model = openFloatModel(path);
    expect(model.description.name).toBe('tiny');
    expect([model.mean, model.std]).toEqual([
      [0.5, 0.5, 0.5],
      [0.2, 0.2, 0.3],
    ]);
    writeFileSync(scratch('tiny-test.json'), '{"std": [0.2, 0.2, 0.2]}');
    const other = openFloatModel(path);
    expect(other.sha256).toBe(model.sha256);
    expect(other.identity).not.toBe(model.identity);
    expect(() => openIntegerModel(path)).toThrow(/a float network/);
    expect(() => openModel('no-such-model')).toThrow(/model 'no-such-model' not found/);
    writeFileSync(scratch('tiny-test.json'), '{');
    expect(() => openModel(path)).toThrow(/tiny-test.json is no JSON/);
  });

  it('openModel refuses a mean or deviation that is not one number a channel, naming the file', () => {
    const sidecar = scratch('tiny-test.json');
    for (const bad of ['null', '7', '["0.2"]', '{"mean":1}', '{"std":null}', '{"std":["1","1","1"]}']) {
      writeFileSync(sidecar, bad);
      expect(() => openModel(path)).toThrow(InputError);
      expect(() => openModel(path)).toThrow(/tiny-test\.(json|safetensors): .* (is|are) needed$/);
    }
    for (const std of ['[1,1]', '[1,1,0]', '[1,1,-1]', '[1,1,1e999]']) {
      writeFileSync(sidecar, `{"std":${std}}`);
      expect(() => openModel(path)).toThrow(/tiny-test\.json: std: .*; 3 numbers above 0 are needed/);
    }
    rmSync(sidecar);
    mkdirSync(sidecar);
    expect(() => openModel(path)).toThrow(/cannot read .*tiny-test\.json: is a folder/);
    rmSync(sidecar, { recursive: true });
    expect(() => openModel(path)).toThrow(/mean without std; both or neither are needed/);
    const description = networkByName('tiny');
    const other = scratch('other.safetensors');
    saveParameters(other, description, initialParameters(description, 1), { mean: '["a"]' });
    expect(() => openModel(other)).toThrow(/other\.safetensors: mean: \["a"\]; 3 numbers are needed/);
    writeFileSync(sidecar, '{"note": "of both", "std": [0.2, 0.2, 0.3]}');
    expect(openFloatModel(path).std).toEqual([0.2, 0.2, 0.3]);
  });

  it('requireFit refuses pictures of other classes or of a size the network cannot take', () => {
    const { description } = openFloatModel(path);
    expect(() => requireFit(description, pictureSet)).not.toThrow();
    expect(() => requireFit(networkByName('tiny', { classes: 4 }), pictureSet)).toThrow(/4 classes.*has 10/);
    expect(() => requireFit(networkByName('vgg16-mlp'), pictureSet)).toThrow(InputError);
  });

  it('cachedResult computes again when the key, the stored result or a file it stands for is another', () => {
    const file = scratch('product');
    let calls = 0;
    const result = (key: unknown) =>
      cachedResult(
        scratch('.'),
        'cached',
        key,
        () => {
          writeFileSync(file, 'x');
          return ++calls;
        },
        [file],
      );
    expect([result({ a: 1 }), result({ a: 1 }), result({ a: 2 }), result({ a: 2 })]).toEqual([1, 1, 2, 2]);
    rmSync(file);
    expect(result({ a: 2 })).toBe(3);
    writeFileSync(scratch('cached.json'), 'null');
    expect(result({ a: 2 })).toBe(4);
  });

  it('cachedResult tells when, how long and by which commit it was computed, and takes results that do not', () => {
    const folder = scratch('origins');
    mkdirSync(folder);
    const work = () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60);
    const inner = () => cachedResult(folder, 'inner', 1, work);
    cachedResult(folder, 'outer', 1, inner);
    const file = (name: string) => join(folder, `${name}.json`);
    const { origin, ...rest } = JSON.parse(readFileSync(file('inner'), 'utf8'));
    expect(new Date(origin.at).toISOString()).toBe(origin.at);
    expect(origin.commit).toMatch(/^([0-9a-f]{40}(-dirty)?|unknown)$/);
    expect(origin.seconds).toBeGreaterThan(0.05);
    // What the inner one took counts once.
    const outer = JSON.parse(readFileSync(file('outer'), 'utf8')).origin.seconds;
    expect(outer).toBeLessThan(0.05);
    expect(resultsUsed(folder)).toMatchObject({ commits: [origin.commit], untold: 0 });
    expect(resultsUsed(folder)!.seconds).toBeCloseTo(origin.seconds + outer, 9);
    writeFileSync(file('inner'), JSON.stringify(rest));
    expect(inner()).toBe('timed-out');
    expect(resultsUsed(folder)).toMatchObject({ seconds: outer, untold: 1 });
    expect(resultsUsed(scratch('elsewhere'))).toBeUndefined();
  });

  it('reproduceSmoke proves, measures and keeps what it computed', () => {
    const notes: string[] = [];
    const options: SmokeOptions = {
      model: openFloatModel(path),
      dataset: pictureSet,
      folder: scratch('smoke'),
      configurations: [{ tileRows: 32, adcBits: 2 }],
      calibration: 32,
      iterations: 3,
      patches: 200,
      checked: 1,
      testPictures: 20,
      onProgress: ({ note }) => notes.push(note ?? ''),
    };
    const computed = () => {
      notes.length = 0;
      const result = reproduceSmoke(options);
      return { result, pruned: notes.some((note) => note.includes('pruning')) };
    };
    const { result, pruned } = computed();
    expect(pruned).toBe(true);
    expect(result).toMatchObject({ realData: false, calibrationPictures: 32, float: { pictures: 20 } });
    expect(result.configurations[0]).toMatchObject({
      lossless: true,
      requiredAdcBits: 2,
      crossbar: { agrees: true, pictures: 1 },
      accuracy: { pictures: 20 },
    });
    const [unpruned, pruned32] = smokeTable(result).rows;
    expect(unpruned.kept).toBe(100 * result.dense[0].nonzeroShare);
    expect(unpruned.kept).toBeLessThan(100);
    expect(unpruned.kept).toBeGreaterThan(Number(pruned32.kept));
    const stored = readFileSync(join(options.folder, 'results.json'), 'utf8');
    expect(JSON.parse(stored)).toEqual(JSON.parse(JSON.stringify(result)));

    const again = computed();
    expect(again.pruned).toBe(false);
    expect(JSON.stringify(again.result)).toBe(JSON.stringify(result));

    const file = join(options.folder, 'r32-adc2.json');
    writeFileSync(file, readFileSync(file).subarray(0, 50));
    expect(computed().pruned).toBe(true);
    notes.length = 0;
    reproduceSmoke({ ...options, iterations: 2 });
    expect(notes.some((note) => note.includes('pruning'))).toBe(true);
  });
});
