import { describe, expect, it } from 'vitest';
import { layerStore } from '../../src/admm/layer-store';
import {
  defaultCalibration,
  type PostTrainingSettings,
  samplingDefaults,
} from '../../src/admm/post-training-settings';
import { prunePostTraining } from '../../src/admm/prune-post-training';
import { ofPlane } from '../../src/bitplanes/per-plane';
import { requiredAdcBits } from '../../src/bitplanes/required-adc-bits';
import { InputError } from '../../src/errors';
import { certifyNetwork } from '../../src/experiments/certify-network';
import { checkCrossbar } from '../../src/experiments/check-crossbar';
import { createInference } from '../../src/networks/inference';
import { readSafetensors } from '../../src/networks/read-safetensors';
import { writeSafetensors } from '../../src/networks/write-safetensors';
import { adcBitsOf, largestAdcBits } from '../../src/quantization/adc-bits';
import { createIntegerInference } from '../../src/quantization/integer-inference';
import { loadIntegerNetwork, saveIntegerNetwork } from '../../src/quantization/model-file';
import { liveTensors } from '../../src/tensor/engine';
import { scratchFolder } from '../networks/scratch-folder';
import { dataset, pictures, smallModel } from '../quantization/small-model';
import { relativeDifference } from '../tensor/values';
import { mixedNetwork } from '../training/small-networks';

const scratch = scratchFolder();
const { network, folded } = smallModel(mixedNetwork());
const settings: PostTrainingSettings = { adcBits: 2, tileRows: 16, iterations: 6, patches: 300 };
const prune = (change: Partial<PostTrainingSettings> = {}, options: Partial<typeof pictures> = {}) =>
  prunePostTraining(network, folded, { ...pictures, ...options }, { ...settings, ...change });

describe('defaults', () => {
  it('take more patches of large pictures, for wide layers stand behind them, and a ridge that makes up for few pictures', () => {
    expect(samplingDefaults({ height: 32, width: 32 })).toEqual({ patches: 24576 });
    for (const [height, width] of [
      [224, 224],
      [64, 32],
    ])
      expect(samplingDefaults({ height, width })).toEqual({ patches: 98304, ridge: 'shrinkage' });
    expect([16, 1024, 50_000].map((count) => defaultCalibration({ count }))).toEqual([16, 1024, 1024]);
  });
});

describe('prunePostTraining', () => {
  it('keeps the limits it records in every layer, and leaves the given network alone', () => {
    const before = [...network.layers.values()].map(({ codes }) => codes.slice());
    for (const valueLimit of [undefined, 3]) {
      const { network: pruned, layers } = prune({ valueLimit });
      expect(pruned.pruning).toMatchObject({ tileRows: 16, adcBits: 2, encoding: 'sign-split' });
      const certificate = certifyNetwork(pruned);
      expect(certificate.lossless).toBe(true);
      expect(certificate.requiredAdcBits).toBe(2);
      for (const { maxValues } of certificate.layers) expect(maxValues).toBeLessThanOrEqual(valueLimit ?? 16);
      expect(layers.map(({ name }) => name)).toEqual([...network.layers.keys()]);
      for (const { relativeError, nonzeroShare } of layers) {
        expect(relativeError).toBeLessThan(1);
        expect(nonzeroShare).toBeGreaterThan(0);
        expect(nonzeroShare).toBeLessThanOrEqual(1);
      }
    }
    expect([...network.layers.values()].map(({ codes }) => codes)).toEqual(before);
  });

  it('prunes in every encoding, with ADCs by layer and plane, and the crossbar agrees', {
    timeout: 120_000,
  }, () => {
    const names = [...network.layers.keys()];
    const few = { ...pictures, count: 2, pixels: pictures.pixels.subarray(0, 2 * 768) };
    const byLayer = Object.fromEntries(names.map((name, i) => [name, i % 2 === 0 ? 3 : 2]));
    const byPlane = Object.fromEntries(names.map((name) => [name, [0, 3, 3, 3, 4, 4, 4, 4]]));
    for (const change of [
      { encoding: 'twos-complement', adcBits: byPlane },
      { encoding: 'csd', adcBits: byLayer },
      { encoding: 'offset', adcBits: 3, flip: true },
      {
        cellBits: 2,
        dacBits: 2,
        adcBits: 5,
        bitLimit: Object.fromEntries(names.slice(1).map((name) => [name, [3, 4, 5, 6]])),
      },
    ] satisfies Partial<PostTrainingSettings>[]) {
      const { network: pruned, layers } = prune({ ...change, iterations: 1, patches: 100 });
      const certificate = certifyNetwork(pruned);
      expect(certificate.lossless, JSON.stringify(change)).toBe(true);
      expect(certificate.encoding).toBe('encoding' in change ? change.encoding : 'sign-split');
      const adcBits = largestAdcBits(change.adcBits);
      expect(certificate.requiredAdcBits).toBeLessThanOrEqual(adcBits);
      for (const { maxOnesByPlane, name } of certificate.layers)
        maxOnesByPlane.forEach((ones, plane) => {
          const bits = ofPlane(adcBitsOf(change.adcBits, name), plane);
          expect(requiredAdcBits(ones), `${name}, plane ${plane}`).toBeLessThanOrEqual(bits);
        });
      for (const { relativeError } of layers) expect(relativeError).toBeLessThan(1);
      expect(checkCrossbar(pruned, few, { adcBits, tileRows: 16 }).agrees).toBe(true);
      if (!change.flip) continue;
      const flips = [...pruned.layers.values()].map((layer) => layer.flips!);
      expect(flips.some((each) => each.includes(1))).toBe(true);
      expect(() => certifyNetwork(pruned, 32)).toThrow(
        /stored complemented is known only for tiles of 16 rows/,
      );
    }
  });

  it('goes on from the layers that an interrupted run has kept, also where codes are read by an encoding and flips', {
    timeout: 120_000,
  }, () => {
    const change = { encoding: 'offset', adcBits: 3, flip: true, iterations: 1, patches: 100 } as const;
    const wanted = { ...settings, ...change };
    const store = layerStore(scratch('unfinished'), wanted);
    const run = (stopAt: number) =>
      prunePostTraining(
        network,
        folded,
        pictures,
        wanted,
        ({ done }) => {
          if (done === stopAt) throw new Error('interrupted');
        },
        store,
      );
    expect(() => run(3)).toThrow('interrupted');
    expect(store.finished().size).toBe(3);
    expect(run(Infinity).network).toEqual(prune(change).network);
  });

  it('keeps the mean of every logit on the calibration pictures, whatever pruning did', () => {
    const classes = 4;
    const means = (logits: Float32Array) =>
      Array.from({ length: classes }, (_, c) => {
        const own = logits.filter((_, i) => i % classes === c);
        return own.reduce((a, b) => a + b) / own.length;
      });
    const float = createInference(folded.description, folded.parameters, dataset);
    const integer = createIntegerInference(prune({ adcBits: 1 }).network);
    expect(relativeDifference(means(integer.logits(pictures)), means(float.logits(pictures)))).toBeLessThan(
      1e-3,
    );
    float.dispose();
    integer.dispose();
  });

  it('deals rows to tiles when asked, keeps the order in the file, and then keeps every limit in that order', () => {
    const { network: pruned } = prune({ balancedRows: true });
    const ordered = [...pruned.layers.values()].filter(({ rowOrder }) => rowOrder);
    expect(ordered.length).toBeGreaterThan(0);
    for (const { rowOrder, rows } of ordered) {
      expect(rows).toBeGreaterThan(16);
      expect([...rowOrder!].sort((a, b) => a - b)).toEqual(Array.from({ length: rows }, (_, row) => row));
    }
    expect(certifyNetwork(pruned).lossless).toBe(true);
    // The same codes in their natural order fill other tiles, which were never promised to fit.
    const natural = [...pruned.layers].map(([name, { rowOrder: _, ...layer }]) => [name, layer] as const);
    expect(certifyNetwork({ ...pruned, layers: new Map(natural) }).lossless).toBe(false);
    const path = scratch('ordered.safetensors');
    saveIntegerNetwork(path, pruned);
    const loaded = loadIntegerNetwork(path);
    expect(loaded.layers).toEqual(pruned.layers);
    const few = {
      ...pictures,
      count: 1,
      pixels: pictures.pixels.subarray(0, pictures.pixels.length / pictures.count),
    };
    const check = checkCrossbar(loaded, few, { adcBits: 2, tileRows: 16 });
    expect([check.agrees, check.clipped]).toEqual([true, 0]);
    const [name] = [...pruned.layers].find(([, layer]) => layer.rowOrder)!;
    const { tensors, metadata } = readSafetensors(path);
    const { data } = tensors.get(`${name}.rowOrder`)!;
    data[0] = data[1];
    writeSafetensors(path, tensors, metadata);
    expect(() => loadIntegerNetwork(path)).toThrow(`layer '${name}': rowOrder`);
  });

  it('gives the same codes for the same seed', () => {
    const codes = (seed: number) => [...prune({ seed }).network.layers.values()].map((layer) => layer.codes);
    expect(codes(3)).toEqual(codes(3));
    expect(codes(4)).not.toEqual(codes(3));
  });

  it('matches the variances of the outputs where it is told to', () => {
    const { layers } = prune({ adcBits: 1, varianceMatching: 1 }).network;
    const fitted = prune({ adcBits: 1, varianceMatching: 0 }).network.layers;
    // Least squares shrinks what it cannot tell: the first layer, whose input is the same, gets larger scales.
    const [first, before] = [layers, fitted].map((map) => [...map.values()][0].scales);
    first.forEach((scale, n) => {
      expect(scale).toBeGreaterThanOrEqual(before[n] * (1 - 1e-6));
    });
    expect(first.some((scale, n) => scale > 1.001 * before[n])).toBe(true);
    expect(() => prune({ varianceMatching: 1.5 })).toThrow(
      /varianceMatching 1.5 is not a number from 0 to 1/,
    );
    expect(() => prune({ ridge: -1 })).toThrow(/ridge -1 is not a number from 0 to 1/);
  });

  it('does not depend on how many pictures are computed at once', () => {
    const layersOf = (batchSize?: number) => [...prune({ batchSize }).network.layers.values()];
    const whole = layersOf();
    layersOf(7).forEach(({ codes, scales, bias }, i) => {
      expect(codes).toEqual(whole[i].codes);
      expect(relativeDifference(scales, whole[i].scales)).toBeLessThan(1e-4);
      expect(relativeDifference(bias, whole[i].bias)).toBeLessThan(1e-3);
    });
  });

  it('records what every ADMM iteration did and how long the stages took', () => {
    for (const { iterations, seconds } of prune().layers) {
      expect(iterations.length).toBeGreaterThan(0);
      expect(iterations.length).toBeLessThanOrEqual(6);
      expect(Object.keys(seconds)).toEqual(['moments', 'solving', 'projecting', 'moving', 'inference']);
      for (const value of Object.values(seconds)) expect(value).toBeGreaterThanOrEqual(0);
    }
  });

  it('frees every tensor, also when it is interrupted', () => {
    prune();
    const before = liveTensors();
    prune();
    expect(liveTensors()).toBe(before);
    expect(() =>
      prunePostTraining(network, folded, pictures, settings, ({ done }) => {
        if (done === 3) throw new Error('interrupted');
      }),
    ).toThrow('interrupted');
    expect(liveTensors()).toBe(before);
  });

  it('refuses settings out of range and too few calibration pictures', () => {
    const onFirst = (bits: readonly number[]) =>
      Object.fromEntries([...network.layers.keys()].map((name, i) => [name, i === 0 ? bits : 3]));
    for (const [change, line] of [
      [{ adcBits: 0 }, /adcBits: 0 is not/],
      [{ adcBits: { conv1: 3 } }, /adcBits of layer 'layer1.conv1': undefined is not/],
      [{ adcBits: onFirst([1, 2]) }, /adcBits of layer 'conv1': 2 numbers for the 7 planes/],
      [{ adcBits: onFirst([0, 1, 2, 3, 4, 5, 9]) }, /'conv1' 0 1 2 3 4 5 9 is not whole numbers from 0 to 8/],
      [{ adcBits: onFirst([0, 0, 0, 0, 0, 0, 0]) }, /'conv1' 0 0 0 0 0 0 0 .* one of them above 0/],
      [{ adcBits: onFirst([0, 1, 2, 2, 2, 2, 2]), dacBits: 2 }, /'conv1' 0 1 2 .*: a 2-bit DAC/],
      [
        { adcBits: onFirst([0, 1, 2, 2, 2, 2, 2]), bitLimit: 1 },
        /bitLimit of layer 'conv1': 1 .* from 0 to the 0 that its 0-bit ADC reads/,
      ],
      [{ encoding: 'gray' as never }, /encoding: "gray"/],
      [{ cellBits: 7 }, /cellBits: 7/],
      [{ dacBits: 3 }, /adcBits 2: a 3-bit DAC/],
      [{ flip: true }, /flip: .*not sign-split/],
      [{ bitLimit: 4 }, /bitLimit of layer 'conv1': 4 .* from 0 to the 3 that its 2-bit ADC reads/],
      [{ bitLimit: [1, 2] }, /bitLimit of layer 'conv1': 2 numbers for the 7 planes/],
      [{ bitLimit: { 'layer1.conv1': 0.5 } }, /bitLimit of layer 'layer1.conv1': 0.5/],
      [{ encoding: 'offset', valueLimit: 2 }, /valueLimit: 2 nonzero weights of 1[0-6] rows/],
      [{ adcBits: 2.5 }, /adcBits: 2.5 is not/],
      [{ tileRows: 0 }, /tileRows: 0 is not/],
      [{ valueLimit: 0 }, /valueLimit: 0 is not/],
      [{ iterations: 0 }, /iterations: 0 is not/],
      [{ patches: Number.NaN }, /patches: NaN is not/],
      [{ batchSize: 0 }, /batchSize: 0 is not/],
      [{ activationBytes: 0.5 }, /activationBytes: 0.5 is not/],
    ] as const) {
      expect(() => prune(change)).toThrow(InputError);
      expect(() => prune(change)).toThrow(line);
    }
    const layers = new Map(network.layers);
    layers.set('fc1', { ...layers.get('fc1')!, inputSigned: true });
    expect(() =>
      prunePostTraining({ ...network, layers }, folded, pictures, { ...settings, dacBits: 2 }),
    ).toThrow("dacBits 2: layer 'fc1' takes signed inputs, which need 1-bit DACs");
    expect(() => prune({}, { count: 15, pixels: pictures.pixels.subarray(0, 15 * 768) })).toThrow(
      /15 calibration pictures are too few/,
    );
    expect(() => prune({}, { pixels: pictures.pixels.subarray(1) })).toThrow(
      /24575 bytes are not 32 pictures of 16 x 16 x 3/,
    );
  });
});
