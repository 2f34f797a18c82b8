import { mkdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createBitSliceL1 } from '../../src/admm/bit-slice-l1';
import { createMaskedWeights, type MaskedWeights, type MaskLimits } from '../../src/admm/masked-weights';
import { pruneByTraining } from '../../src/admm/prune-by-training';
import { prunePostTraining } from '../../src/admm/prune-post-training';
import { trainedIntegerNetwork } from '../../src/admm/trained-integer-network';
import { layerWeights, type TrainedLayer, trainedLayers, writeCodes } from '../../src/admm/trained-layers';
import {
  type TrainingPruningSettings,
  trainingPruningDefaults,
} from '../../src/admm/training-pruning-settings';
import { certifyLayer } from '../../src/bitplanes/certify-layer';
import { evenTileRows } from '../../src/bitplanes/even-tile-rows';
import { generatedPictures } from '../../src/data/generated-pictures';
import { InputError } from '../../src/errors';
import { calibrationPictures } from '../../src/experiments/calibration';
import { certifyNetwork } from '../../src/experiments/certify-network';
import { foldBatchNorm } from '../../src/networks/fold-batch-norm';
import { createInference } from '../../src/networks/inference';
import { initialParameters } from '../../src/networks/initial-parameters';
import { projectLayer } from '../../src/projections/project-layer';
import { buildIntegerNetwork } from '../../src/quantization/build-integer-network';
import { createIntegerInference } from '../../src/quantization/integer-inference';
import { maxAbsScales, quantizeWeights } from '../../src/quantization/weight-codes';
import { liveTensors, scope, upload } from '../../src/tensor/engine';
import { floats } from '../../src/tensor/kernels';
import { randomStream } from '../../src/tensor/random';
import { packParameters, parameterLayout, unpackParameters } from '../../src/training/parameter-vector';
import { defaultRecipe, train } from '../../src/training/train';
import { scratchFolder } from '../networks/scratch-folder';
import { normals, relativeDifference } from '../tensor/values';
import { mixedNetwork } from '../training/small-networks';

const scratch = scratchFolder();
const description = mixedNetwork({ dropout: 0 });
const dataset = generatedPictures({ train: 96, test: 40, size: 16, classes: 4 });
const calibration = calibrationPictures(dataset.train, 32, 1);
const parameters = initialParameters(description, 3);
const settings: TrainingPruningSettings = {
  ...trainingPruningDefaults,
  tileRows: 16,
  adcBits: 2,
  admmEpochs: 2,
  retrainEpochs: 2,
  batchSize: 16,
  interval: 3,
  precision: 'float32',
};
const relaxation = { share: 0.6, interval: 2, pull: [0.01, 0.3], firstBitLimit: 9 } as const;
const prune = (
  change: Partial<Parameters<typeof pruneByTraining>[0]> = {},
  other: Partial<TrainingPruningSettings> = {},
) =>
  pruneByTraining({
    description,
    parameters,
    normalisation: dataset,
    dataset,
    calibration,
    settings: { ...settings, ...other },
    ...change,
  });
const codesOf = (result: Awaited<ReturnType<typeof prune>>) =>
  [...result.network!.layers.values()].map(({ codes }) => codes);

/** Codes of a pruning that is stopped at a step and called again. */
async function codesAfterStop(name: string, step: number, other: Partial<TrainingPruningSettings> = {}) {
  const folder = scratch(name);
  mkdirSync(folder);
  const controller = new AbortController();
  let seen = 0;
  const onProgress = () => {
    if (++seen === step) controller.abort();
  };
  const stopped = await prune({ folder, signal: controller.signal, onProgress }, other);
  expect(stopped.network).toBeUndefined();
  return codesOf(await prune({ folder }, other));
}

describe('pruneByTraining', () => {
  it('gives a network whose conversions cannot clip, however its bits were chosen', async () => {
    for (const change of [
      {},
      { admmEpochs: 0 },
      { firstBitLimit: 9, maskRefreshes: 2 },
      { valueLimit: 4, quantizedActivations: true },
      { admmEpochs: 0, relaxation },
      { admmEpochs: 0, relaxation, valueLimit: 4 },
      { encoding: 'csd', weightBits: 7 },
      { encoding: 'csd', weightBits: 7, firstBitLimit: 9, maskRefreshes: 2, valueLimit: 4 },
      { encoding: 'csd', weightBits: 8, admmEpochs: 0, relaxation },
    ] as const) {
      const { network, retraining } = await prune({}, change);
      const certificate = certifyNetwork(network!);
      expect(certificate.lossless).toBe(true);
      expect(certificate.encoding).toBe('encoding' in change ? change.encoding : 'sign-split');
      expect(certificate.requiredAdcBits).toBeLessThanOrEqual(2);
      if ('valueLimit' in change)
        for (const { maxValues } of certificate.layers) expect(maxValues).toBeLessThanOrEqual(4);
      expect(retraining).toHaveLength(2);
    }
  });

  it('tells how the bits of a network were chosen', async () => {
    const short = { admmEpochs: 0, retrainEpochs: 1 };
    const { network: projected } = await prune({}, short);
    const { network: again } = await prune(
      { start: projected },
      { ...short, pull: [0.01, 0.01], maskRefreshes: 2 },
    );
    expect(projected!.pruning!.method).toBe('hierarchical, projection and retraining');
    expect(again!.pruning!.method).toBe('hierarchical, retraining that chooses its bits anew');
  });

  it('gives every layer the ADC it is told', async () => {
    const names = trainedLayers(description, dataset.std).map(({ name }) => name);
    const adcBits = Object.fromEntries(names.map((name, i) => [name, 1 + (i % 3)]));
    const { network } = await prune({}, { adcBits, admmEpochs: 1, retrainEpochs: 1 });
    const { layers, lossless } = certifyNetwork(network!);
    expect(lossless).toBe(true);
    for (const { name, requiredAdcBits } of layers)
      expect(requiredAdcBits).toBeLessThanOrEqual(adcBits[name]);
    await expect(prune({}, { adcBits: 9 })).rejects.toThrow('whole number from 1 to 8');
  });

  it('gives every plane the ADC it is told, and the same bits again to a network that it starts from', async () => {
    const names = trainedLayers(description, dataset.std).map(({ name }) => name);
    const byPlane = [0, 1, 1, 2, 2, 2, 2];
    const adcBits = Object.fromEntries(names.map((name) => [name, byPlane]));
    const short = { adcBits, admmEpochs: 1, retrainEpochs: 1, firstBitLimit: 5, maskRefreshes: 1 };
    const { network } = await prune({}, short);
    const again = await prune({ start: network }, { adcBits, retrainEpochs: 1 });
    for (const { layers, lossless } of [certifyNetwork(network!), certifyNetwork(again.network!)]) {
      expect(lossless).toBe(true);
      for (const { maxOnesByPlane } of layers)
        maxOnesByPlane.forEach((ones, plane) => {
          expect(ones).toBeLessThan(2 ** byPlane[plane]);
        });
    }
    const lower = Object.fromEntries(names.map((name) => [name, [0, 0, 1, 2, 2, 2, 2]]));
    await expect(prune({ start: network }, { adcBits: lower })).rejects.toThrow('at most 1 to 2 bits');
  });

  it('with frozen batch norm begins at exactly what the network it starts from computes, biases too', async () => {
    const warm = await train({
      network: description,
      dataset,
      start: parameters,
      recipe: { ...defaultRecipe, epochs: 2, batchSize: 16, precision: 'float32' },
    });
    const folded = foldBatchNorm(description, warm.parameters);
    const bits = { weightBits: 8, inputBits: 8 };
    const quantized = buildIntegerNetwork(folded.description, folded.parameters, dataset, calibration, bits);
    const wanted = { tileRows: 16, adcBits: 2, iterations: 3, balancedRows: true };
    const start = prunePostTraining(quantized, folded, calibration, wanted).network;
    const still = { retrainEpochs: 1, retrainRate: 1e-9, weightDecay: 0 };
    const { network } = await prune(
      { parameters: warm.parameters, start },
      { ...still, frozenBatchNorm: true },
    );
    for (const [name, layer] of start.layers) {
      const own = network!.layers.get(name)!;
      expect([...own.codes], name).toEqual([...layer.codes]);
      expect(relativeDifference(own.scales, layer.scales), name).toBeLessThan(1e-5);
      expect(relativeDifference(own.bias, layer.bias), name).toBeLessThan(1e-5);
    }
    const batch = await prune({ parameters: warm.parameters, start }, still);
    const [first] = start.layers.values();
    const moved = batch.network!.layers.get(first.name)!;
    expect(relativeDifference(moved.bias, first.bias)).toBeGreaterThan(1e-3);
  });

  it('stopped in either training and called again, gives the codes of a call that was not', async () => {
    const whole = codesOf(await prune());
    for (const stopAt of [8, 16]) expect(await codesAfterStop(`stop-${stopAt}`, stopAt)).toEqual(whole);
  });

  it('stopped while weights are relaxed or when bits are frozen, or finished, and called again, gives the same codes', async () => {
    const relaxed = { admmEpochs: 0, retrainEpochs: 5, relaxation };
    const whole = codesOf(await prune({}, relaxed));
    for (const stopAt of [9, 27]) {
      const name = `relaxed-${stopAt}`;
      expect(await codesAfterStop(name, stopAt, relaxed)).toEqual(whole);
      expect(codesOf(await prune({ folder: scratch(name) }, relaxed))).toEqual(whole);
    }
  });

  it('starts a relaxed training from a network of more bits, of weights and of ADCs', async () => {
    const { network: start } = await prune({}, { adcBits: 3, admmEpochs: 1, retrainEpochs: 1 });
    const { network } = await prune({ start }, { adcBits: 1, weightBits: 5, admmEpochs: 0, relaxation });
    const { lossless, requiredAdcBits } = certifyNetwork(network!);
    expect([lossless, requiredAdcBits, network!.weightBits]).toEqual([true, 1, 5]);
    expect(network!.pruning?.method).toBe('hierarchical, relaxed training and frozen bits');
    await expect(prune({ start }, { tileRows: 8, admmEpochs: 0, relaxation })).rejects.toThrow('R = 8');
  });

  it('starts it from a network of fewer weight bits at scales that use the highest planes', async () => {
    const { network: start } = await prune({}, { weightBits: 3, admmEpochs: 0, retrainEpochs: 1 });
    const { network } = await prune({ start }, { admmEpochs: 0, retrainEpochs: 1, relaxation });
    for (const [name, { codes }] of network!.layers)
      expect(Math.max(...codes.map(Math.abs)), name).toBeGreaterThan(31);
  });

  it('refuses what a relaxation leaves no room for', async () => {
    await expect(prune({}, { relaxation })).rejects.toThrow('admmEpochs 2: 0 with a relaxation');
    await expect(prune({}, { admmEpochs: 0, maskRefreshes: 1, relaxation })).rejects.toThrow(
      'refreshes: not with a relaxation',
    );
    await expect(prune({}, { admmEpochs: 0, relaxation: { ...relaxation, share: 1 } })).rejects.toThrow(
      'share 1 is not above 0 and below 1',
    );
  });

  it('starts from the codes of a network pruned after training, batch norm unfolded', async () => {
    const folded = foldBatchNorm(description, parameters);
    const bits = { weightBits: 8, inputBits: 8 };
    const quantized = buildIntegerNetwork(folded.description, folded.parameters, dataset, calibration, bits);
    const limits = { adcBits: 2, tileRows: 16, iterations: 3, patches: 300 };
    const start = prunePostTraining(quantized, folded, calibration, limits).network;
    // At a rate of nearly nothing only running statistics move, so the codes come back.
    const dealt = prunePostTraining(quantized, folded, calibration, {
      ...limits,
      balancedRows: true,
    }).network;
    expect([...dealt.layers.values()].some(({ rowOrder }) => rowOrder)).toBe(true);
    for (const given of [start, dealt]) {
      const { network } = await prune({ start: given }, { retrainRate: 1e-9, retrainEpochs: 1 });
      for (const [name, { codes, rowOrder }] of network!.layers) {
        expect(codes).toEqual(given.layers.get(name)!.codes);
        expect(rowOrder).toEqual(given.layers.get(name)!.rowOrder);
      }
      expect(certifyNetwork(network!).lossless).toBe(true);
    }
  });

  it('starts from a network in signed digits, also where batch norm turns a channel round', async () => {
    const turned = new Map(parameters);
    const gamma = parameters.get('bn1.weight')!;
    turned.set('bn1.weight', { ...gamma, data: gamma.data.map((value, c) => (c % 2 ? -value : value)) });
    const folded = foldBatchNorm(description, turned);
    const bits = { weightBits: 7, inputBits: 8 };
    const quantized = buildIntegerNetwork(folded.description, folded.parameters, dataset, calibration, bits);
    const limits = { adcBits: 2, tileRows: 16, iterations: 3, patches: 300, encoding: 'csd' } as const;
    const start = prunePostTraining(quantized, folded, calibration, limits).network;
    const coded = { encoding: 'csd', weightBits: 7 } as const;
    const still = { ...coded, retrainRate: 1e-9, retrainEpochs: 1 };
    const { network } = await prune({ parameters: turned, start }, still);
    for (const [name, { codes }] of network!.layers) expect(codes).toEqual(start.layers.get(name)!.codes);
    expect(certifyNetwork(network!)).toMatchObject({ lossless: true, encoding: 'csd' });
    await expect(prune({ parameters: turned, start }, { weightBits: 7 })).rejects.toThrow(
      /csd, 7-bit weights; .* sign-split, at most 7-bit weights is needed/,
    );
    // Labels alone: the float network is untrained.
    const learning = { ...coded, retrainEpochs: 12, retrainRate: 0.1, distillation: 0 };
    const { retraining } = await prune({ parameters: turned, start }, learning);
    expect(retraining[11].loss).toBeLessThan(0.95 * retraining[0].loss);
    // A relaxation takes its weights alone.
    const relaxed = { admmEpochs: 0, retrainEpochs: 1, relaxation };
    const split = (await prune({ parameters: turned, start }, relaxed)).network!;
    const again = (await prune({ parameters: turned, start: split }, { ...relaxed, ...coded })).network!;
    expect(certifyNetwork(split)).toMatchObject({ lossless: true, encoding: 'sign-split' });
    expect(certifyNetwork(again)).toMatchObject({ lossless: true, encoding: 'csd' });
  });

  it('refuses encodings whose codes cannot change their sign', async () => {
    await expect(prune({}, { encoding: 'offset' })).rejects.toThrow(
      "encoding 'offset': training keeps sign-split or csd",
    );
  });

  it('refuses a start of other limits or another network', async () => {
    const { network } = await prune({}, { admmEpochs: 0, retrainEpochs: 1 });
    await expect(prune({ start: network }, { tileRows: 8 })).rejects.toThrow(InputError);
    await expect(prune({ start: network }, { adcBits: 1 })).rejects.toThrow('R = 16, 2 ADC bits');
    await expect(prune({ start: network }, { valueLimit: 3 })).rejects.toThrow(
      /start: layer 'conv1' holds \d+ nonzeros .* more than valueLimit 3/,
    );
    await expect(prune({ start: network }, { weightBits: 4 })).rejects.toThrow('at most 4-bit weights');
    const layers = new Map([...network!.layers].slice(1));
    await expect(prune({ start: { ...network!, layers } })).rejects.toThrow("layer 'conv1'");
  });

  it('refuses to round activations to one bit before anything is trained', async () => {
    const seen: number[] = [];
    const change = { onProgress: ({ done }: { done: number }) => seen.push(done) };
    await expect(prune(change, { inputBits: 1, quantizedActivations: true })).rejects.toThrow(
      new InputError('inputBits 1: activations are rounded while training to 2 to 8 bits'),
    );
    expect(seen).toEqual([]);
  });

  it('frees every tensor', async () => {
    const all = async () => {
      await prune({}, { retrainEpochs: 1, admmEpochs: 1, quantizedActivations: true });
      await prune({}, { retrainEpochs: 1, admmEpochs: 0, relaxation });
    };
    // Constants stay: those of sizes that no test before has had.
    await all();
    const before = liveTensors();
    await all();
    expect(liveTensors()).toBe(before);
  });
});

/** A layer on crossbars of 16 rows. */
const tiled = ({ rows, columns }: TrainedLayer) => ({ rows, columns, tileRows: evenTileRows(rows, 16) });

const forwardOf = ({ forwardWeights }: MaskedWeights, vector: Float32Array) =>
  scope(() => floats(forwardWeights!(upload(vector, [vector.length]))));

describe('createMaskedWeights', () => {
  it.each([
    ['sign-split', 8, 'as they are', false],
    ['sign-split', 8, 'dealt to tiles', true],
    ['csd', 7, 'as they are', false],
    ['csd', 7, 'dealt to tiles', true],
  ] as const)(
    'keeps every %s limit for any weights, and leaves codes that fit as they are, %i bits, rows %s',
    (encoding, weightBits, _, dealt) => {
      const layers = trainedLayers(description, dataset.std).map((layer) =>
        dealt ? { ...layer, rowOrder: randomStream(1, layer.name).permutation(layer.rows) } : layer,
      );
      const { length } = parameterLayout(description);
      const weights = normals(length, 'masked');
      const start = new Map(
        layers.map((layer) => {
          const { name, rows, columns } = layer;
          const targets = layerWeights(layer, weights);
          const scales = maxAbsScales(targets, rows, columns, weightBits);
          const shape = { ...tiled(layer), encoding, weightBits, bitLimit: 3, method: 'greedy' as const };
          return [name, { codes: projectLayer({ ...shape, targets, scales }).codes, scales }];
        }),
      );
      const limits = {
        tileRows: 16,
        encoding,
        weightBits,
        bitLimit: Object.fromEntries(layers.map(({ name }) => [name, 3])),
      };
      const masked = createMaskedWeights(layers, start, weights, limits);
      forwardOf(masked, weights);
      masked.dispose!();
      const before = liveTensors();
      for (const vector of [weights, normals(length, 'others')]) {
        const codes = masked.codes(vector);
        for (const layer of layers) {
          const limited = { ...tiled(layer), encoding, weightBits, bitLimit: 3 };
          expect(certifyLayer({ ...codes.get(layer.name)!, ...limited }).holds).toBe(true);
        }
        const forward = forwardOf(masked, vector);
        const written = vector.slice();
        for (const layer of layers) writeCodes(layer, codes.get(layer.name)!, written);
        expect(relativeDifference(forward, written)).toBeLessThan(1e-7);
        expect(masked.codes(forward)).toEqual(codes);
        expect(relativeDifference(forwardOf(masked, forward), forward)).toBeLessThan(1e-6);
      }
      masked.dispose!();
      expect(liveTensors()).toBe(before);
    },
  );
});

describe('createMaskedWeights with refreshes', () => {
  it.each([
    [15, 100, 15],
    [4, 10, 4],
    [30, 100, 30],
    [3, 1001, 3],
    [9, 10, 8],
    [0, 10, 0],
    [2, 1, 0],
  ])('chooses its bits %i times in %i steps, evenly over the first 85 %%: %i', (refreshes, steps, wanted) => {
    const [layer] = trainedLayers(description, dataset.std).slice(-1);
    const start = new Map([
      [
        layer.name,
        { codes: new Int8Array(layer.rows * layer.columns), scales: new Float32Array(layer.columns).fill(1) },
      ],
    ]);
    const weights = normals(parameterLayout(description).length, 'few');
    const limits = { tileRows: 16, weightBits: 8, bitLimit: { [layer.name]: 2 }, method: 'greedy' as const };
    const masked = createMaskedWeights([layer], start, weights, { ...limits, refreshes });
    const at: number[] = [];
    for (let step = 0; step < steps; step++)
      masked.beforeStep!(step, steps, () => {
        at.push(step);
        return weights;
      });
    expect(at).toHaveLength(wanted);
    const last = Math.floor((85 * steps) / 100);
    at.forEach((step, i) => {
      expect(step).toBe(Math.ceil(((i + 1) * last) / wanted));
    });
  });

  it('chooses its bits anew in the first 85 % only, each time within every limit', () => {
    const layers = trainedLayers(description, dataset.std);
    const { length } = parameterLayout(description);
    const bitLimit = Object.fromEntries(layers.map(({ name }) => [name, 2]));
    const zeros = new Map(
      layers.map(({ name, rows, columns }) => [
        name,
        { codes: new Int8Array(rows * columns), scales: new Float32Array(columns).fill(0.01) },
      ]),
    );
    const limits = { tileRows: 16, weightBits: 8, bitLimit, refreshes: 2, method: 'greedy' as const };
    const masked = createMaskedWeights(layers, zeros, normals(length, 'first'), limits);
    const changedAt: number[] = [];
    for (let step = 0; step < 16; step++) {
      const before = [...masked.state().values()].map((data) => data.slice());
      masked.beforeStep!(step, 16, () => normals(length, `weights ${step}`));
      if ([...masked.state().values()].some((data, i) => data.some((value, at) => value !== before[i][at])))
        changedAt.push(step);
      const codes = masked.codes(normals(length, `any ${step}`));
      for (const layer of layers) {
        const own = { ...limits, ...codes.get(layer.name)!, ...tiled(layer), bitLimit: 2 };
        expect(certifyLayer(own).holds).toBe(true);
      }
    }
    expect(changedAt).toEqual([7, 13]);
  });

  it('draws weights to what their bits make until the last choice, with a pull, and not at all without one', () => {
    const layers = trainedLayers(description, dataset.std);
    const { length } = parameterLayout(description);
    const bitLimit = Object.fromEntries(layers.map(({ name }) => [name, 1]));
    const zeros = new Map(
      layers.map(({ name, rows, columns }) => [
        name,
        { codes: new Int8Array(rows * columns), scales: new Float32Array(columns).fill(0.01) },
      ]),
    );
    const limits = { tileRows: 16, weightBits: 8, bitLimit, refreshes: 2, method: 'greedy' as const };
    const vector = normals(length, 'drawn');
    const drawn = (change: Partial<MaskLimits>) => {
      const masked = createMaskedWeights(layers, zeros, vector, { ...limits, ...change });
      return Array.from({ length: 40 }, (_, step) => {
        masked.beforeStep!(step, 40, () => vector);
        const draw = masked.draw!(step, 40);
        if (!draw) return 0;
        const towards = scope(() => floats(draw.towards(upload(vector, [length]))));
        expect(towards).toEqual(forwardOf(masked, vector));
        return draw.share;
      });
    };
    const firm = 1 - 0.98 ** 5;
    drawn({ pull: [0.02, 0.02] }).forEach((share, step) => {
      expect(share).toBeCloseTo(step < 34 && step % 5 === 0 ? firm : 0, 12);
    });
    expect(Math.max(...drawn({}))).toBe(0);
    expect(() => drawn({ pull: [0.02, 0.02], refreshes: 0 })).toThrow('pull: only with refreshes');
    expect(() => drawn({ pull: [0.02, 1] })).toThrow('pull 0.02 to 1: both must be above 0 and below 1');
  });
});

describe('createMaskedWeights with a share of the gradient for pruned weights', () => {
  const layers = trainedLayers(description, dataset.std);
  const { length } = parameterLayout(description);
  const codes = new Map(
    layers.map(({ name, rows, columns }) => [
      name,
      { codes: new Int8Array(rows * columns), scales: new Float32Array(columns).fill(0.01) },
    ]),
  );
  const bitLimit = Object.fromEntries(layers.map(({ name }) => [name, 1]));
  const limits = { tileRows: 16, weightBits: 8, bitLimit, refreshes: 2, method: 'greedy' as const };
  const vector = normals(length, 'held back');
  const sharesOf = (change: Partial<MaskLimits>, step: number) => {
    const masked = createMaskedWeights(layers, codes, vector, { ...limits, ...change });
    // As a training does: bits first, then the forward pass.
    for (let now = 0; now <= step; now++)
      masked.beforeStep!(now, 16, () => normals(length, `weights ${now}`));
    forwardOf(masked, vector);
    const shares = masked.gradientShares!();
    const told = shares && floats(shares);
    const state = masked.state();
    masked.dispose!();
    return { told, state };
  };

  it('gives it to weights without bits, whatever bits were chosen last, and all of it to everything else', () => {
    const chosen = [0, 7].map((step) => {
      const { told, state } = sharesOf({ prunedGradient: 0.25 }, step);
      const expected = new Float32Array(length).fill(1);
      for (const { name, offset } of layers)
        (state.get(`${name}.digits`) as Uint16Array).forEach((mask, i) => {
          if (mask === 0) expected[offset + i] = 0.25;
        });
      expect(told).toEqual(expected);
      return expected;
    });
    expect(chosen[0]).not.toEqual(chosen[1]);
    expect(sharesOf({}, 0).told).toBeUndefined();
  });

  it('takes shares above 0 and up to 1, and only where such weights may get bits', () => {
    for (const share of [0, -0.1, 1.5, Number.NaN])
      expect(() => sharesOf({ prunedGradient: share }, 0)).toThrow(
        `prunedGradient ${share}: a share above 0 and up to 1 is needed`,
      );
    expect(() => sharesOf({ prunedGradient: 0.5, refreshes: 0 }, 0)).toThrow(
      'prunedGradient: only with refreshes',
    );
  });
});

describe('createMaskedWeights with a relaxation', () => {
  it('uses the weights as they are until bits are frozen, then codes within the limits that weights were drawn to', () => {
    const layers = trainedLayers(description, dataset.std);
    const { length } = parameterLayout(description);
    const bitLimit = Object.fromEntries(layers.map(({ name }) => [name, 2]));
    const codes = new Map(
      layers.map(({ name, rows, columns }) => [
        name,
        { codes: new Int8Array(rows * columns), scales: new Float32Array(columns).fill(0.02) },
      ]),
    );
    const limits = { tileRows: 16, weightBits: 8, bitLimit, relaxation, method: 'greedy' as const };
    const masked = createMaskedWeights(layers, codes, new Float32Array(length), limits);
    const vector = normals(length, 'relaxed');
    const distances: number[] = [];
    for (let step = 0; step < 200; step++) {
      masked.beforeStep!(step, 200, () => vector);
      const drawn = masked.draw!(step, 200);
      if (step >= 120) {
        expect(drawn).toBeUndefined();
        continue;
      }
      expect(forwardOf(masked, vector)).toEqual(vector);
      if (!drawn) continue;
      const target = scope(() => floats(drawn.towards(upload(vector, [length]))));
      distances.push(relativeDifference(vector, target));
      target.forEach((value, i) => {
        vector[i] += drawn.share * (value - vector[i]);
      });
    }
    expect(distances.at(-1)!).toBeLessThan(0.1 * distances[0]);
    const used = forwardOf(masked, vector);
    const placed = masked.codes(used);
    for (const layer of layers) {
      const own = { ...tiled(layer), weightBits: 8, bitLimit: 2 };
      expect(certifyLayer({ ...placed.get(layer.name)!, ...own }).holds).toBe(true);
    }
    expect(relativeDifference(vector, used)).toBeLessThan(0.1);
    masked.dispose!();
  });
});

describe('trainedIntegerNetwork', () => {
  it('classifies as the float network with the same weights does, also where batch norm turns a channel round', () => {
    const layers = trainedLayers(description, dataset.std);
    const layout = parameterLayout(description);
    const turned = new Map(parameters);
    const gamma = parameters.get('bn1.weight')!;
    turned.set('bn1.weight', { ...gamma, data: gamma.data.map((value, c) => (c % 2 ? -value : value)) });
    const weights = packParameters(turned, layout.slots);
    const codes = new Map(
      layers.map((layer) => {
        const targets = layerWeights(layer, weights);
        const scales = maxAbsScales(targets, layer.rows, layer.columns, 8);
        const own = { codes: quantizeWeights(targets, scales, 8), scales };
        writeCodes(layer, own, weights);
        return [layer.name, own];
      }),
    );
    const exact = unpackParameters(description, layout, weights, packParameters(turned, layout.statistics));
    const bits = { weightBits: 8, inputBits: 8 };
    const network = trainedIntegerNetwork(description, exact, layers, codes, dataset, calibration, bits);
    const folded = foldBatchNorm(description, exact);
    const float = createInference(folded.description, folded.parameters, dataset);
    const integer = createIntegerInference(network);
    expect(relativeDifference(integer.logits(calibration), float.logits(calibration))).toBeLessThan(0.03);
    float.dispose();
    integer.dispose();
    const first = network.layers.get('conv1')!.codes;
    expect(first).toEqual(codes.get('conv1')!.codes.map((code, i) => (i % 2 ? -code : code)));
  });
});

describe('createBitSliceL1', () => {
  it('pulls every layer in proportion to its weights as they are trained, the one that reads pixels too', () => {
    const layers = trainedLayers(description, dataset.std);
    const layout = parameterLayout(description);
    const vector = packParameters(parameters, layout.slots);
    const penalty = 0.5;
    const steering = createBitSliceL1(layers, layout.length, { weightBits: 8, sliceBits: 4, penalty });
    steering.beforeStep!(0, 1, () => vector);
    const { force } = steering.pull!()!;
    for (const { offset, rows, columns } of layers) {
      const weights = vector.subarray(offset, offset + rows * columns);
      const mean = weights.reduce((sum, weight) => sum + Math.abs(weight), 0) / weights.length;
      const largest = Math.max(...force.subarray(offset, offset + rows * columns).map(Math.abs));
      // The largest weight of a column has code 127, which fills both slices.
      expect(largest / (penalty * mean)).toBeCloseTo(2, 4);
    }
  });

  it('lowers the ones that codes hold, the more the larger the penalty', async () => {
    const layers = trainedLayers(description, dataset.std);
    const { length } = parameterLayout(description);
    const onesAfter = async (penalty: number) => {
      const steering = createBitSliceL1(layers, length, { weightBits: 8, sliceBits: 2, penalty });
      const result = await train({
        network: description,
        dataset,
        recipe: { ...defaultRecipe, epochs: 2, batchSize: 16, precision: 'float32', averageDecay: 0 },
        start: parameters,
        steering,
        evaluateEvery: 9,
      });
      const folded = foldBatchNorm(description, result.parameters);
      const inference = createInference(folded.description, folded.parameters, dataset);
      inference.dispose();
      let ones = 0;
      const { slots } = parameterLayout(description);
      for (const { codes } of steering.codes(packParameters(result.parameters, slots)).values())
        for (let code of codes.map(Math.abs)) for (; code > 0; code &= code - 1) ones++;
      return ones;
    };
    const [none, some, much] = [await onesAfter(0), await onesAfter(0.3), await onesAfter(2)];
    expect(some).toBeLessThan(none);
    expect(much).toBeLessThan(some);
  });
});
