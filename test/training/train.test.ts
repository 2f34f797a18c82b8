import { spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { generatedPictures } from '../../src/data/generated-pictures';
import { InputError } from '../../src/errors';
import type { Parameters } from '../../src/networks/description';
import { initialParameters } from '../../src/networks/initial-parameters';
import { largestClass } from '../../src/networks/largest-class';
import { networkByName } from '../../src/networks/network-by-name';
import { saveParameters } from '../../src/networks/save-parameters';
import { liveTensors } from '../../src/tensor/engine';
import { evaluateParameters, ranksOf } from '../../src/training/evaluate';
import { learningRate, type Schedule } from '../../src/training/schedule';
import {
  defaultRecipe,
  sideOfEpoch,
  smoothLabels,
  type TrainingOptions,
  type TrainingRecipe,
  train,
} from '../../src/training/train';
import { countRight } from '../../src/training/trainer';
import { scratchFolder } from '../networks/scratch-folder';
import { dataset, recipe, run } from './resumable-run';
import { denseNetwork, mixedNetwork } from './small-networks';

const scratch = scratchFolder();
const numbers = (parameters: Parameters) => new Map([...parameters].map(([name, { data }]) => [name, data]));
const curveOf = (curve: readonly { seconds: number }[]) => curve.map(({ seconds: _, ...rest }) => rest);

/** The uninterrupted run that others are compared with. */
let whole: ReturnType<typeof run> | undefined;
const wholeRun = () => {
  whole ??= run();
  return whole;
};

async function refusal(body: () => Promise<unknown>): Promise<string> {
  const error = await body().then(
    () => undefined,
    (thrown) => thrown,
  );
  expect(error).toBeInstanceOf(InputError);
  expect(error.message).not.toContain('\n');
  return error.message;
}

describe('sideOfEpoch', () => {
  it('shows small pictures phase after phase, then full ones', () => {
    const phases = [
      { side: 16, epochs: 2 },
      { side: 24, epochs: 1 },
    ];
    expect([0, 1, 2, 3, 4].map((epoch) => sideOfEpoch(phases, epoch))).toEqual([
      16,
      16,
      24,
      undefined,
      undefined,
    ]);
    expect(sideOfEpoch([], 0)).toBeUndefined();
  });

  it('lets a network train on both sizes, and is part of the recipe that a checkpoint keeps', async () => {
    const checkpoint = scratch('resized.safetensors');
    const network = networkByName('tiny', { classes: 4 });
    const resized = { ...recipe, epochs: 2, resizing: [{ side: 8, epochs: 1 }] };
    const { curve, parameters } = await train({ network, dataset, recipe: resized, checkpoint });
    expect(curve).toHaveLength(2);
    const plain = await train({ network, dataset, recipe: { ...recipe, epochs: 2 } });
    expect(numbers(parameters)).not.toEqual(numbers(plain.parameters));
    const another = { ...resized, resizing: [{ side: 12, epochs: 1 }] };
    expect(await refusal(() => train({ network, dataset, recipe: another, checkpoint }))).toContain(
      'resizing',
    );
    const wrong = { ...resized, resizing: [{ side: 2, epochs: 1 }] };
    expect(await refusal(() => train({ network, dataset, recipe: wrong }))).toContain(
      'resizing: side: 2 is not',
    );
  });
});

describe('progressive resizing', () => {
  it('trains VGG on pictures that have no pixels left for its last pools', async () => {
    const network = networkByName('vgg11', { classes: 4 });
    const pictures = generatedPictures({ train: 16, test: 2, size: 32, classes: 4 });
    const { curve } = await train({
      network,
      dataset: pictures,
      recipe: { ...recipe, epochs: 1, batchSize: 8, resizing: [{ side: 8, epochs: 1 }] },
    });
    expect(Number.isFinite(curve[0].loss)).toBe(true);
  });
});

describe('train', () => {
  it('learns to tell generated pictures apart', async () => {
    const pictures = generatedPictures({ train: 512, test: 200, size: 16, classes: 3 });
    const network = networkByName('tiny', { classes: 3 });
    const { curve, parameters, finished } = await train({
      network,
      dataset: pictures,
      recipe: { ...defaultRecipe, epochs: 8, batchSize: 32, crop: 0, averageDecay: 0.9 },
      evaluateEvery: 8,
    });
    expect(finished).toBe(true);
    expect(curve.map(({ testAccuracy }) => testAccuracy === null)).toEqual([...Array(7).fill(true), false]);
    expect(curve[7].loss).toBeLessThan(0.7 * curve[0].loss);
    const { top1 } = evaluateParameters(network, parameters, pictures, pictures.test);
    expect(top1).toBe(curve[7].testAccuracy);
    expect(top1).toBeGreaterThan(50);
  });

  it('gives the same bits again', async () => {
    const again = await run();
    const first = await wholeRun();
    expect(numbers(again.parameters)).toEqual(numbers(first.parameters));
    expect(curveOf(again.curve)).toEqual(curveOf(first.curve));
  });

  it('averages every step, also where an epoch has but a few', async () => {
    const start = initialParameters(mixedNetwork(), 7);
    const few = { ...recipe, epochs: 1, batchSize: 48 };
    const { parameters } = await run({ start, recipe: few });
    expect(numbers(parameters).get('conv1.weight')).not.toEqual(numbers(start).get('conv1.weight'));
  });

  it('trains on mixed pictures and targets, the same ones again', async () => {
    const change = { epochs: 1, mixing: 1, views: 0.5 };
    const [first, again] = [
      await run({ recipe: { ...recipe, ...change } }),
      await run({ recipe: { ...recipe, ...change } }),
    ];
    expect(numbers(again.parameters)).toEqual(numbers(first.parameters));
    const plain = await run({ recipe: { ...recipe, epochs: 1 } });
    expect(numbers(plain.parameters)).not.toEqual(numbers(first.parameters));
  });

  it('stopped by a signal and resumed, gives the bits of a run that was not', async () => {
    const checkpoint = scratch('stopped.safetensors');
    for (const stopAt of [3, 8, 10]) {
      const controller = new AbortController();
      const stopped = await run({
        checkpoint,
        signal: controller.signal,
        onProgress: ({ done }) => {
          if (done === stopAt) controller.abort();
        },
      });
      expect(stopped.finished).toBe(false);
      expect(stopped.curve).toHaveLength(Math.floor(stopAt / 6));
    }
    const resumed = await run({ checkpoint });
    const first = await wholeRun();
    expect(resumed.finished).toBe(true);
    expect(numbers(resumed.parameters)).toEqual(numbers(first.parameters));
    expect(curveOf(resumed.curve)).toEqual(curveOf(first.curve));
    // Nothing is left to do: the same comes out at once.
    const idle = await run({ checkpoint, onEpoch: () => expect.fail('trained again') });
    expect(numbers(idle.parameters)).toEqual(numbers(first.parameters));
  });

  it('killed with -9 and resumed, gives the bits of a run that was not', async () => {
    const checkpoint = scratch('killed.safetensors');
    const root = `${__dirname}/../..`;
    const child = spawn(
      process.execPath,
      ['-r', `${root}/test/typescript-hook.cjs`, `${root}/test/training/resumable-run.ts`, checkpoint],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    child.stdout.once('data', () => child.kill('SIGKILL'));
    const signal = await new Promise((resolve) => child.on('exit', (_, name) => resolve(name)));
    expect(signal).toBe('SIGKILL');
    expect(existsSync(checkpoint)).toBe(true);
    const epochs: number[] = [];
    const resumed = await run({ checkpoint, onEpoch: ({ epoch }) => epochs.push(epoch) });
    expect(epochs.length).toBeLessThan(3);
    expect(numbers(resumed.parameters)).toEqual(numbers((await wholeRun()).parameters));
  });

  it('frees every tensor, finished or stopped', async () => {
    await wholeRun();
    const before = liveTensors();
    const controller = new AbortController();
    await run({ signal: controller.signal, onProgress: ({ done }) => done === 7 && controller.abort() });
    expect(liveTensors()).toBe(before);
  });

  it('goes on from a checkpoint of its own network, pictures, start and recipe alone', async () => {
    const checkpoint = scratch('other.safetensors');
    const one = { ...recipe, epochs: 1 };
    await run({ checkpoint, recipe: one });
    const bytes = readFileSync(checkpoint);
    const refuse = (options: Changes) => refusal(() => run({ checkpoint, recipe: one, ...options }));
    expect(await refuse({ network: denseNetwork() })).toMatch(/training of network 'mixed', not of 'dense'/);
    expect(await refuse({ dataset: { ...dataset, name: 'cifar10' } })).toMatch(/data set 'generated'/);
    const others = generatedPictures({ train: 96, test: 40, size: 16, classes: 4, seed: 2 });
    expect(await refuse({ dataset: others })).toMatch(/with other pictures of generated/);
    const start = initialParameters(mixedNetwork(), 7);
    expect(await refuse({ start })).toMatch(/with other starting weights/);
    expect(
      await refuse({ recipe: { ...one, momentum: 0.8, schedule: { kind: 'constant', peak: 1 } } }),
    ).toMatch(/another schedule, momentum;/);
    const mixed = scratch('mixed-pictures.safetensors');
    await run({ checkpoint: mixed, recipe: { ...one, mixing: 0.5 } });
    expect(await refuse({ checkpoint: mixed })).toMatch(/another mixing;/);
    const wider = mixedNetwork({ classes: 5 });
    expect(await refuse({ network: wider })).toMatch(/tensor 'weights' should hold \d+ float32 numbers/);
    for (const length of [4, 100, bytes.length - 1]) {
      writeFileSync(checkpoint, bytes.subarray(0, length));
      expect(await refuse({})).toContain(checkpoint);
    }
    writeFileSync(checkpoint, bytes);
    writeFileSync(
      checkpoint,
      Buffer.from(bytes.toString('latin1').replace('{\\"epochs\\"', '[\\"epochs\\"'), 'latin1'),
    );
    expect(await refuse({})).toMatch(/metadata 'recipe' is damaged/);
    const network = mixedNetwork();
    saveParameters(checkpoint, network, initialParameters(network, 1));
    expect(await refuse({})).toMatch(/not the state of a training/);
  });

  it('refuses a recipe out of range before it does anything', async () => {
    const refuse = (change: Partial<TrainingRecipe>) =>
      refusal(() => run({ recipe: { ...recipe, ...change } }));
    expect(await refuse({ epochs: 0 })).toMatch(/epochs: 0 is not/);
    expect(await refuse({ batchSize: 1.5 })).toMatch(/batchSize: 1.5 is not/);
    expect(await refuse({ batchSize: 97 })).toMatch(/batchSize 97 is more than the 96 training pictures/);
    expect(await refuse({ momentum: 1 })).toMatch(/momentum 1/);
    expect(await refuse({ averageDecay: -0.1 })).toMatch(/averageDecay -0.1/);
    expect(await refuse({ labelSmoothing: Number.NaN })).toMatch(/labelSmoothing NaN/);
    expect(await refuse({ weightDecay: -1 })).toMatch(/weightDecay -1/);
    expect(await refuse({ precision: 'float16' as 'float32' })).toMatch(/precision 'float16'/);
    expect(await refuse({ schedule: { kind: 'cosine', peak: 0 } })).toMatch(/learning rate 0/);
    expect(await refuse({ schedule: { kind: 'linear' as 'cosine', peak: 1 } })).toMatch(/schedule 'linear'/);
    expect(await refuse({ crop: -1 })).toMatch(/crop/);
    expect(await refuse({ mixing: 2 })).toMatch(/mixing 2 is not above 0 and up to 1/);
    expect(await refuse({ views: 0 })).toMatch(/views 0 is not above 0 and up to 1/);
  });

  it('says so when the loss is lost', async () => {
    const schedule = { kind: 'constant', peak: 1e30 } as const;
    expect(await refusal(() => run({ recipe: { ...recipe, schedule } }))).toMatch(
      /loss is (NaN|Infinity) in epoch 1, step \d+: lower the learning rate/,
    );
  });
});

type Changes = Partial<TrainingOptions>;

describe('learningRate', () => {
  const rates = (schedule: Schedule, steps: number) =>
    Array.from({ length: steps + 1 }, (_, step) => learningRate(schedule, step, steps));

  it('one-cycle climbs in a line to the peak and falls in a line to the final rate', () => {
    expect(rates({ kind: 'one-cycle', peak: 1, warmup: 0.5 }, 8)).toEqual([
      0.25, 0.5, 0.75, 1, 1, 0.75, 0.5, 0.25, 0,
    ]);
    expect(rates({ kind: 'one-cycle', peak: 1, warmup: 0, final: 0.5 }, 2)).toEqual([1, 0.75, 0.5]);
  });

  it('cosine falls along half a cosine', () => {
    const [a, b, c] = rates({ kind: 'cosine', peak: 2, final: 1 }, 2);
    expect([a, c]).toEqual([2, 1]);
    expect(b).toBeCloseTo(1.5, 12);
    expect(rates({ kind: 'cosine', peak: 2, warmup: 0.5 }, 4).slice(0, 3)).toEqual([1, 2, 2]);
  });

  it('constant stays', () => {
    expect(rates({ kind: 'constant', peak: 0.3 }, 3)).toEqual([0.3, 0.3, 0.3, 0.3]);
  });
});

describe('smoothLabels', () => {
  it('spreads the smoothing over all classes, the true one included', () => {
    const targets = smoothLabels(Int32Array.of(1, 0), 4, 0.2);
    const expected = [0.05, 0.85, 0.05, 0.05, 0.85, 0.05, 0.05, 0.05];
    expected.forEach((value, i) => {
      expect(targets[i]).toBeCloseTo(value, 6);
    });
    expect([...smoothLabels(Int32Array.of(2), 3, 0)]).toEqual([0, 0, 1]);
  });
});

describe('accuracy', () => {
  it('ranks a class by how many have larger logits, or equal ones and a smaller index', () => {
    const logits = Float32Array.of(3, 1, 2, 0, 0, 0);
    expect(ranksOf(logits, Int32Array.of(1, 2), 3)).toEqual([2, 2]);
    expect(ranksOf(logits, Int32Array.of(0, 0), 3)).toEqual([0, 0]);
    expect(() => ranksOf(logits, Int32Array.of(0, 3), 3)).toThrow(
      'label 3 of picture 1 is none of the classes 0..2',
    );
    expect(countRight(logits, Float32Array.of(0.9, 0.05, 0.05, 0, 1, 0), 3)).toBe(1);
  });

  it('counts a picture as right where the largest logit is its own, the first of several, and NaN nowhere', () => {
    const values = [0, 1, Number.NaN];
    for (let i = 0; i < 81; i++) {
      const logits = Float32Array.from({ length: 4 }, (_, c) => values[Math.floor(i / 3 ** c) % 3]);
      const ranks = [0, 1, 2, 3].map((label) => ranksOf(logits, Int32Array.of(label), 4)[0]);
      const right = ranks.indexOf(0);
      if (logits.every(Number.isNaN)) expect(ranks).toEqual([3, 3, 3, 3]);
      else expect(right).toBe(largestClass(logits, 0, 4));
    }
  });

  it('says how many pictures it saw and how sure it is', () => {
    const network = mixedNetwork();
    const accuracy = evaluateParameters(network, initialParameters(network, 1), dataset, dataset.test, {
      batchSize: 7,
      limit: 20,
    });
    expect(accuracy.pictures).toBe(20);
    const share = accuracy.top1 / 100;
    expect(accuracy.interval).toBeCloseTo(196 * Math.sqrt((share * (1 - share)) / 20), 10);
    expect(accuracy.top5).toBe(100);
  });
});
