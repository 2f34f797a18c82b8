import { mkdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Options } from '../../src/commands/command';
import { pruneByTrainingCommand, refuseWithoutEffect } from '../../src/commands/prune-by-training';
import { generatedPictures } from '../../src/data/generated-pictures';
import { integerAccuracy } from '../../src/experiments/accuracy';
import { calibrationPictures } from '../../src/experiments/calibration';
import { openFloatModel } from '../../src/experiments/open-model';
import { quantizedModel } from '../../src/experiments/quantized-model';
import { readSafetensorsMetadata } from '../../src/networks/read-safetensors';
import { scratchFolder } from '../networks/scratch-folder';

const scratch = scratchFolder();
mkdirSync(scratch('.'), { recursive: true });

const model = openFloatModel('tiny-generated');
const dataset = generatedPictures({ train: 128, test: 200 });
const pictures = calibrationPictures(dataset.train, 64, 1);

/** One epoch on few pictures. */
async function prune(name: string, options: Options) {
  const output = scratch(`${name}.safetensors`);
  const settings = { tileRows: 32, adcBits: 3, weightBits: 2, inputBits: 8, seed: 1 };
  const context = {
    note: () => undefined,
    onProgress: () => undefined,
    signal: new AbortController().signal,
  };
  const { data, text } = await pruneByTrainingCommand(
    { model, dataset, pictures, output, settings },
    { epochs: '1', 'batch-size': '64', checkpoints: scratch(`${name}-states`), ...options },
    context,
  );
  const metadata = readSafetensorsMetadata(output);
  return { data, text, metadata, ran: JSON.parse(metadata.settings) };
}

describe('prune --method training', () => {
  it('tells the 8-bit network beside the float one whatever the bits of the weights are', async () => {
    const eight = integerAccuracy(quantizedModel(model, dataset, pictures), dataset.test);
    const { data, text, metadata, ran } = await prune('relaxed', { relax: '0.5', interval: '1' });
    expect(data).toMatchObject({ integer: eight, lossless: true });
    expect(text).toContain(`8 bits ${eight.top1.toFixed(2)} %`);
    expect(JSON.parse(metadata.integerTop1)).toBe(eight.top1);
    expect(ran).toMatchObject({
      relaxation: { share: 0.5, interval: 1, pull: [0.0005, 0.1] },
      admmEpochs: 0,
    });
    // Rounding to one bit and a sign without pruning would tell far less.
    expect(eight.top1).toBeGreaterThan(80);
  });

  it('draws weights to codes where bits are chosen anew, as firmly as is said, and nowhere else', async () => {
    const pullOf = async (name: string, options: Options) =>
      (await prune(name, { 'admm-epochs': '0', ...options })).ran.pull;
    expect(await pullOf('plain', {})).toBeUndefined();
    expect(await pullOf('refreshed', { 'mask-refreshes': '1' })).toEqual([0.001, 0.001]);
    expect(await pullOf('drawn', { 'mask-refreshes': '1', pull: '0.02:0.03' })).toEqual([0.02, 0.03]);
    const { ran } = await prune('held-back', {
      'admm-epochs': '0',
      'mask-refreshes': '1',
      'pruned-gradient': '0.25',
    });
    expect(ran).toMatchObject({ pull: [0.001, 0.001], prunedGradient: 0.25 });
    const without = () => refuseWithoutEffect({ method: 'training', 'mask-refreshes': '0', pull: '0.1:0.1' });
    expect(without).toThrow('--pull: only --relax, --mask-refreshes and --pytorch have it');
  });
});
