import { describe, expect, it } from 'vitest';
import { evaluationBatches } from '../../src/data/batches';
import type { PictureSet } from '../../src/data/dataset';
import { generatedPictures } from '../../src/data/generated-pictures';
import { initialParameters } from '../../src/networks/initial-parameters';
import { liveTensors } from '../../src/tensor/engine';
import { reestimateStatistics } from '../../src/training/reestimate-statistics';
import { relativeDifference } from '../tensor/values';
import { mixedNetwork } from './small-networks';

const network = mixedNetwork({ dropout: 0 });
const { train, mean, std } = generatedPictures({ train: 40, test: 1, size: 16, classes: 4 });
const parameters = initialParameters(network, 2);

/** Mean and unbiased variance of the first convolution's outputs, from plain loops over all pictures. */
function firstLayer(count: number) {
  const { data: w, shape } = parameters.get('conv1.weight')!;
  const bias = parameters.get('conv1.bias')!.data;
  const [out, , kernel] = shape;
  const values: number[][] = Array.from({ length: out }, () => []);
  const pad = (kernel - 1) / 2;
  for (let n = 0; n < count; n++)
    for (let y = 0; y < 16; y++)
      for (let x = 0; x < 16; x++)
        for (let o = 0; o < out; o++) {
          let sum = bias[o];
          for (let c = 0; c < 3; c++)
            for (let ky = 0; ky < kernel; ky++)
              for (let kx = 0; kx < kernel; kx++) {
                const [py, px] = [y + ky - pad, x + kx - pad];
                if (py < 0 || px < 0 || py > 15 || px > 15) continue;
                const pixel = train.pixels[((n * 16 + py) * 16 + px) * 3 + c] / 255;
                sum += ((pixel - mean[c]) / std[c]) * w[((o * 3 + c) * kernel + ky) * kernel + kx];
              }
          values[o].push(sum);
        }
  return values.map((list) => {
    const average = list.reduce((a, b) => a + b) / list.length;
    return { average, variance: list.reduce((a, b) => a + (b - average) ** 2, 0) / (list.length - 1) };
  });
}

const batches = (set: PictureSet, limit: number) => evaluationBatches(set, { batchSize: 20, limit });

describe('reestimateStatistics', () => {
  it('gives the statistics of the pictures, whatever the running ones were, and nothing else changes', () => {
    const wrong = new Map(parameters);
    const { shape } = parameters.get('bn1.running_mean')!;
    wrong.set('bn1.running_mean', { shape, data: new Float32Array(shape[0]).fill(99) });
    const result = reestimateStatistics(network, wrong, { mean, std }, batches(train, 20));
    const wanted = firstLayer(20);
    const means = wanted.map(({ average }) => average);
    expect(relativeDifference(result.get('bn1.running_mean')!.data, means)).toBeLessThan(1e-4);
    const variances = wanted.map(({ variance }) => variance);
    expect(relativeDifference(result.get('bn1.running_var')!.data, variances)).toBeLessThan(1e-4);
    for (const [name, { data }] of parameters)
      if (!name.includes('running')) expect(result.get(name)!.data).toEqual(data);
  });

  it('frees every tensor, also where pictures break off', () => {
    const once = () => reestimateStatistics(network, parameters, { mean, std }, batches(train, 20));
    once();
    const before = liveTensors();
    once();
    expect(liveTensors()).toBe(before);
    const breaking = function* () {
      yield [...batches(train, 20)][0];
      throw new Error('no more');
    };
    expect(() => reestimateStatistics(network, parameters, { mean, std }, breaking())).toThrow('no more');
    expect(liveTensors()).toBe(before);
  });

  it('weighs all batches alike', () => {
    const once = reestimateStatistics(network, parameters, { mean, std }, batches(train, 40));
    const halves = [0, 20].map((first) => {
      const size = 16 * 16 * 3;
      const part = { ...train, pixels: train.pixels.subarray(first * size), count: 20 };
      return reestimateStatistics(network, parameters, { mean, std }, batches(part, 20));
    });
    const [a, b] = halves.map((half) => half.get('bn1.running_mean')!.data);
    const middle = a.map((value, i) => (value + b[i]) / 2);
    expect(relativeDifference(once.get('bn1.running_mean')!.data, middle)).toBeLessThan(1e-5);
  });
});
