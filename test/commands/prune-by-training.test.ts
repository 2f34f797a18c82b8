import { mkdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { pruneByTrainingCommand } from '../../src/commands/prune-by-training';
import { generatedPictures } from '../../src/data/generated-pictures';
import { integerAccuracy } from '../../src/experiments/accuracy';
import { calibrationPictures } from '../../src/experiments/calibration';
import { openFloatModel } from '../../src/experiments/open-model';
import { quantizedModel } from '../../src/experiments/quantized-model';
import { readSafetensorsMetadata } from '../../src/networks/read-safetensors';
import { scratchFolder } from '../networks/scratch-folder';

const scratch = scratchFolder();
mkdirSync(scratch('.'), { recursive: true });

describe('prune --method training', () => {
  it('tells the 8-bit network beside the float one whatever the bits of the weights are', async () => {
    const model = openFloatModel('tiny-generated');
    const dataset = generatedPictures({ train: 128, test: 200 });
    const pictures = calibrationPictures(dataset.train, 64, 1);
    const eight = integerAccuracy(quantizedModel(model, dataset, pictures), dataset.test);
    const output = scratch('out.safetensors');
    const settings = { tileRows: 32, adcBits: 3, weightBits: 2, inputBits: 8, seed: 1 };
    const context = {
      note: () => undefined,
      onProgress: () => undefined,
      signal: new AbortController().signal,
    };
    const { data, text } = await pruneByTrainingCommand(
      { model, dataset, pictures, output, settings },
      { relax: '0.5', interval: '1', epochs: '1', 'batch-size': '64', checkpoints: scratch('states') },
      context,
    );
    expect(data).toMatchObject({ integer: eight, lossless: true });
    expect(text).toContain(`8 bits ${eight.top1.toFixed(2)} %`);
    const metadata = readSafetensorsMetadata(output);
    expect(JSON.parse(metadata.integerTop1)).toBe(eight.top1);
    expect(JSON.parse(metadata.settings)).toMatchObject({
      relaxation: { share: 0.5, interval: 1, pull: [0.0005, 0.1] },
      admmEpochs: 0,
    });
    // Rounding to one bit and a sign without pruning would tell far less.
    expect(eight.top1).toBeGreaterThan(80);
  });
});
