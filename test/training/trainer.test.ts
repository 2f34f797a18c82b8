import { describe, expect, it } from 'vitest';
import { trainingBatches } from '../../src/data/batches';
import { generatedPictures } from '../../src/data/generated-pictures';
import type { NetworkDescription } from '../../src/networks/description';
import { initialParameters } from '../../src/networks/initial-parameters';
import { networkByName } from '../../src/networks/network-by-name';
import { dispose, liveTensors, scope, type Tensor, upload } from '../../src/tensor/engine';
import * as k from '../../src/tensor/kernels';
import { randomStream } from '../../src/tensor/random';
import { createSgd, variable } from '../../src/training/optimizer';
import { packParameters, parameterLayout, unpackParameters } from '../../src/training/parameter-vector';
import { smoothLabels } from '../../src/training/train';
import { createTrainer, initialState, type TrainerOptions } from '../../src/training/trainer';
import { normals, relativeDifference } from '../tensor/values';
import { denseNetwork, mixedNetwork } from './small-networks';

const dataset = generatedPictures({ train: 16, test: 1, size: 16, classes: 4 });
const [first] = trainingBatches(dataset.train, { batchSize: 16, seed: 1, epoch: 0, fill: [0, 0, 0] });
const batch = { ...first, targets: smoothLabels(first.labels, 4, 0.1) };
const settings = {
  precision: 'float32',
  momentum: 0,
  nesterov: false,
  weightDecay: 0,
  batchNormMomentum: 0.1,
  mean: dataset.mean,
  std: dataset.std,
} as const;

/** Weights after one step from `weights`, and the loss before it. */
function oneStep(
  network: NetworkDescription,
  options: Partial<TrainerOptions> = {},
  rate = 0,
  weights?: Float32Array,
) {
  const start = initialState(network, initialParameters(network, 1));
  const trainer = createTrainer(
    { ...settings, network, ...options },
    { ...start, ...(weights && { weights }) },
  );
  const { loss, right } = trainer.step(batch, rate, randomStream(1, 'dropout'));
  const after = trainer.state();
  trainer.dispose();
  return { loss, right, before: weights ?? start.weights, after };
}

/** The gradient, from a plain step of rate 1. */
function gradientOf(network: NetworkDescription, options: Partial<TrainerOptions> = {}): Float32Array {
  const { before, after } = oneStep(network, options, 1);
  return before.map((weight, i) => weight - after.weights[i]);
}

const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, i) => sum + value * b[i], 0);

describe('createSgd', () => {
  it.each([
    [false, 0.9],
    [true, 0.9],
    [true, 0],
  ])(
    'with nesterov %s and momentum %d follows its formula, and PyTorch at a constant rate',
    (nesterov, momentum) => {
      const start = normals(7, 'weights');
      const decay = Float32Array.of(0.1, 0.1, 0, 0, 0.01, 0, 0.1);
      for (const rates of [
        [0.1, 0.1, 0.1, 0.1],
        [0.1, 0.2, 0.05, 0],
      ]) {
        const before = liveTensors();
        const sgd = createSgd(start, new Float32Array(7), decay, { momentum, nesterov });
        const w = Float64Array.from(start);
        const v = new Float64Array(7);
        const torch = { w: Float64Array.from(start), v: new Float64Array(7) };
        rates.forEach((rate, step) => {
          const gradient = normals(7, `gradient ${step}`);
          const tensor = upload(gradient, [7]);
          sgd.step(tensor, rate);
          dispose(tensor);
          for (let i = 0; i < 7; i++) {
            const g = gradient[i] + decay[i] * w[i];
            v[i] = momentum * v[i] - rate * g;
            w[i] += nesterov ? momentum * v[i] - rate * g : v[i];
            const h = gradient[i] + decay[i] * torch.w[i];
            torch.v[i] = momentum * torch.v[i] + h;
            torch.w[i] -= rate * (nesterov ? h + momentum * torch.v[i] : torch.v[i]);
          }
        });
        const now = sgd.weights.value();
        expect(relativeDifference(k.floats(now), w)).toBeLessThan(1e-6);
        if (rates[1] === rates[0]) expect(relativeDifference(k.floats(now), torch.w)).toBeLessThan(1e-6);
        dispose(now);
        sgd.dispose();
        expect(liveTensors()).toBe(before);
      }
    },
  );

  it('adds the pull in force to the gradient and decay, until it is taken away', () => {
    const start = normals(5, 'weights');
    const decay = Float32Array.of(0.1, 0, 0, 0.1, 0);
    const pull = { strength: normals(5, 'strength').map(Math.abs), force: normals(5, 'force') };
    const before = liveTensors();
    const sgd = createSgd(start, new Float32Array(5), decay, { momentum: 0, nesterov: false });
    const w = Float64Array.from(start);
    for (const now of [undefined, pull, pull, undefined]) {
      sgd.setPull(now);
      const gradient = upload(new Float32Array(5).fill(0.5), [5]);
      sgd.step(gradient, 0.1);
      dispose(gradient);
      for (let i = 0; i < 5; i++) {
        const pulled = now ? now.strength[i] * w[i] - now.force[i] : 0;
        w[i] -= 0.1 * (0.5 + decay[i] * w[i] + pulled);
      }
    }
    const value = sgd.weights.value();
    expect(relativeDifference(k.floats(value), w)).toBeLessThan(1e-6);
    dispose(value);
    sgd.dispose();
    expect(liveTensors()).toBe(before);
  });
});

describe('variable', () => {
  it('gives its memory back', () => {
    const data = new Float32Array(8e6);
    const cycle = () => variable(data).dispose();
    cycle();
    const before = process.memoryUsage.rss();
    for (let i = 0; i < 20; i++) cycle();
    // Kept, they would be 640 MB.
    expect(process.memoryUsage.rss() - before).toBeLessThan(300e6);
  });
});

describe('parameterLayout', () => {
  it('packs and unpacks parameters without changing a bit', () => {
    for (const network of [mixedNetwork(), denseNetwork(), networkByName('resnet20-projection')]) {
      const parameters = initialParameters(network, 3);
      const layout = parameterLayout(network);
      const weights = packParameters(parameters, layout.slots);
      const statistics = packParameters(parameters, layout.statistics);
      expect(unpackParameters(network, layout, weights, statistics)).toEqual(parameters);
    }
  });
});

describe('createTrainer', () => {
  it('takes gradients at the forward weights and gives them straight through to the weights', () => {
    const network = denseNetwork();
    const rounded = (weights: Float32Array) => weights.map((w) => Math.round(8 * w) / 8);
    const forwardWeights = (weights: Tensor) => upload(rounded(k.floats(weights)), weights.shape);
    const { before, after, loss } = oneStep(network, { forwardWeights }, 1);
    const plain = oneStep(network, {}, 1, rounded(before));
    expect(loss).toBe(plain.loss);
    const moved = after.weights.map((w, i) => w - before[i]);
    expect(
      relativeDifference(
        moved,
        plain.after.weights.map((w, i) => w - plain.before[i]),
      ),
    ).toBeLessThan(1e-5);
  });

  it('moves every weight by its share of the gradient', () => {
    const network = denseNetwork();
    const whole = oneStep(network, { weightDecay: 0 }, 1);
    const shares = whole.before.map((_, i) => [1, 0.25, 0][i % 3]);
    const tensor = upload(shares, [shares.length]);
    const { after, before } = oneStep(network, { weightDecay: 0, gradientShares: () => tensor }, 1);
    const moved = after.weights.map((w, i) => w - before[i]);
    const expected = whole.after.weights.map((w, i) => (w - whole.before[i]) * shares[i]);
    expect(relativeDifference(moved, expected)).toBeLessThan(1e-4);
    expect(Math.max(...moved.filter((_, i) => i % 3 === 2).map(Math.abs))).toBe(0);
    dispose(tensor);
  });

  it.each([
    ['every kind of node', mixedNetwork()],
    ['dense layers alone', denseNetwork()],
    ['a global pool', networkByName('tiny', { classes: 4 })],
  ])('steps along the gradient of the loss: %s', (_, network) => {
    const gradient = gradientOf(network);
    const { before } = oneStep(network);
    const step = 2e-3 / Math.sqrt(dot(gradient, gradient));
    const slope =
      (oneStep(
        network,
        {},
        0,
        before.map((w, i) => w + step * gradient[i]),
      ).loss -
        oneStep(
          network,
          {},
          0,
          before.map((w, i) => w - step * gradient[i]),
        ).loss) /
      (2 * step);
    expect(slope / dot(gradient, gradient)).toBeGreaterThan(0.97);
    expect(slope / dot(gradient, gradient)).toBeLessThan(1.03);
  });

  it('decays matrices alone: not biases, not batch norm', () => {
    const network = mixedNetwork();
    const plain = gradientOf(network);
    const { before } = oneStep(network);
    const decayed = gradientOf(network, { weightDecay: 0.1 });
    for (const { name, kind, offset, size } of parameterLayout(network).slots)
      for (let i = offset; i < offset + size; i += 7) {
        const expected = kind === 'vector' ? 0 : 0.1 * before[i];
        expect(decayed[i] - plain[i], name).toBeCloseTo(expected, 5);
      }
  });

  it('in bfloat16 takes nearly the same step as in float32', () => {
    for (const network of [mixedNetwork(), networkByName('tiny', { classes: 4 })]) {
      const [exact, half] = (['float32', 'bfloat16'] as const).map((precision) => ({
        gradient: gradientOf(network, { precision }),
        loss: oneStep(network, { precision }).loss,
      }));
      const cosine =
        dot(exact.gradient, half.gradient) /
        Math.sqrt(dot(exact.gradient, exact.gradient) * dot(half.gradient, half.gradient));
      expect(cosine).toBeGreaterThan(0.98);
      expect(Math.abs(half.loss / exact.loss - 1)).toBeLessThan(0.02);
    }
  });

  it('frees all it made in a step, and all it holds in the end', () => {
    for (const network of [mixedNetwork(), denseNetwork()])
      for (const precision of ['float32', 'bfloat16'] as const) {
        const run = () => {
          const trainer = createTrainer(
            { ...settings, network, precision },
            initialState(network, initialParameters(network, 1)),
          );
          trainer.step(batch, 0.1, randomStream(1, 'dropout'));
          const between = liveTensors();
          trainer.step(batch, 0.1, randomStream(2, 'dropout'));
          trainer.updateAverage(0.1);
          trainer.parameters('average');
          trainer.state();
          expect(liveTensors()).toBe(between);
          trainer.dispose();
        };
        run();
        const before = liveTensors();
        run();
        expect(liveTensors()).toBe(before);
      }
  });

  it('draws the weights a share of the way to what is made of them, and frees what it made', () => {
    const network = mixedNetwork({ dropout: 0 });
    const start = initialState(network, initialParameters(network, 1));
    const trainer = createTrainer({ ...settings, network }, start);
    const live = liveTensors();
    trainer.draw({ share: 0.25, towards: (weights) => scope(() => k.multiply(weights, k.scalar(-1))) });
    expect(liveTensors()).toBe(live);
    const drawn = trainer.weights();
    drawn.forEach((weight, i) => {
      expect(weight).toBeCloseTo(0.5 * start.weights[i], 6);
    });
    expect(trainer.state().average).toEqual(start.average);
    trainer.dispose();
  });

  it('tests and returns what stands for the weights there, whatever the forward pass uses', () => {
    const network = mixedNetwork({ dropout: 0 });
    const parameters = initialParameters(network, 1);
    const own = { ...settings, network, forwardWeights: (weights: Tensor) => weights };
    const negative = (weights: Tensor) => scope(() => k.multiply(weights, k.scalar(-1)));
    const trainer = createTrainer({ ...own, testedWeights: negative }, initialState(network, parameters));
    for (const which of ['weights', 'average'] as const) {
      const { data } = trainer.parameters(which).get('conv1.weight')!;
      expect(data).toEqual(parameters.get('conv1.weight')!.data.map((value) => -value));
    }
    trainer.dispose();
  });

  it('moves the average by the share it is told', () => {
    const network = mixedNetwork();
    const start = initialState(network, initialParameters(network, 1));
    const trainer = createTrainer({ ...settings, network }, start);
    trainer.step(batch, 0.5, randomStream(1, 'dropout'));
    trainer.updateAverage(0.25);
    const { weights, average, statistics, averageStatistics } = trainer.state();
    trainer.dispose();
    const mixed = (a: Float32Array, b: Float32Array) => a.map((value, i) => 0.75 * value + 0.25 * b[i]);
    expect(relativeDifference(average, mixed(start.weights, weights))).toBeLessThan(1e-6);
    expect(relativeDifference(averageStatistics, mixed(start.statistics, statistics))).toBeLessThan(1e-6);
    expect(statistics).not.toEqual(start.statistics);
  });
});
