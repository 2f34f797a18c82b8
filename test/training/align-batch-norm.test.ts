import { describe, expect, it } from 'vitest';
import { evaluationBatches } from '../../src/data/batches';
import { generatedPictures } from '../../src/data/generated-pictures';
import type { Parameters } from '../../src/networks/description';
import { foldBatchNorm } from '../../src/networks/fold-batch-norm';
import { createInference } from '../../src/networks/inference';
import { initialParameters } from '../../src/networks/initial-parameters';
import { liveTensors } from '../../src/tensor/engine';
import { randomStream } from '../../src/tensor/random';
import { alignBatchNorm, lacksMeans, trainableParameters } from '../../src/training/align-batch-norm';
import { reestimateStatistics } from '../../src/training/reestimate-statistics';
import { relativeDifference } from '../tensor/values';
import { mixedNetwork } from './small-networks';

const network = mixedNetwork({ dropout: 0 });
const dataset = generatedPictures({ train: 40, test: 1, size: 16, classes: 4 });
const { train, mean, std } = dataset;
const norms = network.nodes.filter(({ op }) => op === 'batchnorm').map(({ name }) => name);

/** Batch norms with scales, biases and variances of all sizes and no means, as some compressed networks have them. */
function withoutMeans(): Parameters {
  const parameters = new Map(initialParameters(network, 2));
  const random = randomStream(4, 'batch norms');
  for (const name of norms)
    for (const [field, value] of [
      ['weight', () => random.normal()],
      ['bias', () => random.normal()],
      ['running_mean', () => 0],
      ['running_var', () => Math.exp(random.normal())],
    ] as const) {
      const { shape } = parameters.get(`${name}.${field}`)!;
      parameters.set(`${name}.${field}`, { shape, data: new Float32Array(shape[0]).map(value) });
    }
  return parameters;
}

const batches = () => evaluationBatches(train, { batchSize: 20, limit: 40 });

function logits(parameters: Parameters): Float32Array {
  const folded = foldBatchNorm(network, parameters);
  const inference = createInference(folded.description, folded.parameters, { mean, std });
  const result = inference.logits(train);
  inference.dispose();
  return result;
}

describe('alignBatchNorm', () => {
  const parameters = withoutMeans();
  const aligned = alignBatchNorm(network, parameters, { mean, std }, batches());

  it('computes the same function as before', () => {
    expect(relativeDifference(logits(aligned), logits(parameters))).toBeLessThan(1e-4);
  });

  it('has the statistics that training sees, so that the same function is trained', () => {
    const seen = reestimateStatistics(network, aligned, { mean, std }, batches());
    for (const name of norms)
      for (const field of ['running_mean', 'running_var']) {
        const key = `${name}.${field}`;
        expect(relativeDifference(aligned.get(key)!.data, seen.get(key)!.data)).toBeLessThan(0.1);
      }
    // Before, training saw another function altogether.
    const before = reestimateStatistics(network, parameters, { mean, std }, batches());
    expect(relativeDifference(logits(before), logits(parameters))).toBeGreaterThan(0.3);
    expect(relativeDifference(logits(seen), logits(parameters))).toBeLessThan(0.1);
  });

  it('changes nothing but batch norms, and frees every tensor', () => {
    for (const [name, { data }] of parameters)
      if (!norms.some((norm) => name.startsWith(`${norm}.`))) expect(aligned.get(name)!.data).toEqual(data);
    const before = liveTensors();
    alignBatchNorm(network, parameters, { mean, std }, batches());
    expect(liveTensors()).toBe(before);
    function* broken() {
      yield* batches();
      throw new Error('no more pictures');
    }
    expect(() => alignBatchNorm(network, parameters, { mean, std }, broken())).toThrow('no more pictures');
    expect(liveTensors()).toBe(before);
  });
});

describe('trainableParameters', () => {
  it('aligns a network without means and says so, and leaves others as they are', () => {
    const notes: string[] = [];
    const note = (line: string) => notes.push(line);
    const parameters = withoutMeans();
    expect(lacksMeans(network, parameters)).toBe(true);
    const aligned = trainableParameters(network, parameters, dataset, dataset, note);
    expect(lacksMeans(network, aligned)).toBe(false);
    expect(notes).toEqual(['batch norms have no means (they are in the biases): measured on 40 pictures']);
    expect(trainableParameters(network, aligned, dataset, dataset, note)).toBe(aligned);
    expect(notes).toHaveLength(1);
  });
});
