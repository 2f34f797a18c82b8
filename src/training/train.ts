import { checkWhole } from '../check-number';
import { meanPixel, trainingBatches } from '../data/batches';
import type { Dataset } from '../data/dataset';
import { mixPictures } from '../data/mix-pictures';
import { InputError } from '../errors';
import type { NetworkDescription, Parameters } from '../networks/description';
import type { Inference, InferenceOptions, Precision } from '../networks/inference';
import { initialParameters } from '../networks/initial-parameters';
import type { OnProgress } from '../progress';
import { randomStream } from '../tensor/random';
import { readCheckpoint, writeCheckpoint } from './checkpoint';
import { evaluateParameters } from './evaluate';
import { reestimateStatistics } from './reestimate-statistics';
import { learningRate, type Schedule, validateSchedule } from './schedule';
import { createTrainer, initialState, type TrainerOptions } from './trainer';
import type { WeightPull, WeightSteering } from './weight-steering';

/** How a network is trained. Everything here is recorded in the checkpoint and must agree when training resumes. */
export interface TrainingRecipe {
  readonly epochs: number;
  readonly batchSize: number;
  readonly schedule: Schedule;
  readonly momentum: number;
  readonly nesterov: boolean;
  readonly weightDecay: number;
  /** Probability taken from the true class and spread over all classes. */
  readonly labelSmoothing: number;
  /** Share of the target probabilities that the teacher gives, where there is one; the rest are the labels. */
  readonly distillation: number;
  /** SHA-256 of the teacher (its file or its parameters) and of the starting network's file, where there are such. */
  readonly teacher?: string;
  readonly start?: string;
  /** Settings of the steering, where there is one, so that a checkpoint serves only the same. */
  readonly steering?: string;
  readonly crop: number;
  readonly flip: boolean;
  /** Side of the cutout square; 0: none. */
  readonly cutout: number;
  /** In place of the crop a random rectangle of at least this share of the picture's area (0..1); absent: none. */
  readonly views?: number;
  /** Share of the pictures (0..1) that are mixed with another, before a teacher sees them; absent: none. */
  readonly mixing?: number;
  /**
   * Progressive resizing: the first `epochs` of each phase see pictures of `side` pixels, phase after phase; the rest
   * see them at full size. Small pictures cost a fraction of a step and teach the early epochs nearly as much.
   */
  readonly resizing?: readonly ResizingPhase[];
  /** Batch norms use their running statistics, which stay; absent: the batch's, as usual. */
  readonly frozenBatchNorm?: boolean;
  /** Decay a step of the moving average of the weights; 0: no average. */
  readonly averageDecay: number;
  /** Matrix products in bfloat16 (master weights stay float32) or all in float32. */
  readonly precision: Precision;
  readonly seed: number;
}

export interface ResizingPhase {
  readonly side: number;
  readonly epochs: number;
}

export const defaultRecipe: TrainingRecipe = {
  epochs: 30,
  batchSize: 128,
  schedule: { kind: 'one-cycle', peak: 0.2, warmup: 0.2 },
  momentum: 0.9,
  nesterov: true,
  weightDecay: 5e-4,
  labelSmoothing: 0,
  distillation: 0.9,
  crop: 4,
  flip: true,
  cutout: 0,
  averageDecay: 0.998,
  precision: 'bfloat16',
  seed: 1,
};

/** One line of the training curve. */
export interface EpochRecord {
  readonly epoch: number;
  readonly rate: number;
  readonly loss: number;
  /** Percent right on the augmented training pictures, while the epoch ran. */
  readonly trainAccuracy: number;
  /** Percent right on all test pictures, of the averaged weights (of the weights where there is no average); null: not tested. */
  readonly testAccuracy: number | null;
  readonly seconds: number;
  /** What a steering reports. */
  readonly steering?: Readonly<Record<string, number>>;
}

export interface TrainingOptions {
  readonly network: NetworkDescription;
  readonly dataset: Dataset;
  readonly recipe: TrainingRecipe;
  /** Where the state is kept after every epoch; training goes on from it when it is there. */
  readonly checkpoint?: string;
  /** Start from these instead of fresh parameters. */
  readonly start?: Parameters;
  /** The pictures' mean and deviation that the network knows; default: the data set's. */
  readonly normalisation?: InferenceOptions;
  /** A trained network whose probabilities the student learns (Hinton et al. 2015, at temperature 1). */
  readonly teacher?: Inference;
  /** Steers the weights, as pruning does; its settings belong in the recipe's `steering` text. */
  readonly steering?: WeightSteering;
  /**
   * Training pictures, augmented, on which batch norm's statistics are measured anew for what is tested and returned;
   * default 0, the running ones. Weights that are averaged and then rounded need it.
   */
  readonly reestimation?: number;
  /** May replace a node's output in the forward pass (activation quantisation). */
  readonly afterNode?: TrainerOptions['afterNode'];
  /** Epochs between test evaluations (default 1; the last epoch is always evaluated). */
  readonly evaluateEvery?: number;
  /** Ends after so many of the recipe's epochs, in the middle of its schedule; default: all. */
  readonly stopAfter?: number;
  readonly onProgress?: OnProgress;
  readonly onEpoch?: (record: EpochRecord) => void;
  /** Stops after the batch in hand; the last epoch's checkpoint stays. */
  readonly signal?: AbortSignal;
}

export interface TrainingResult {
  readonly parameters: Parameters;
  readonly curve: readonly EpochRecord[];
  /** False when the signal stopped it. */
  readonly finished: boolean;
}

/**
 * Trains a network. With the same recipe, data and engine, a run that was interrupted and resumed gives the same bits
 * as one that was not: epochs draw their random numbers from streams of their own.
 * @throws InputError for a recipe out of range or a checkpoint of another network, data set or recipe.
 */
export async function train(options: TrainingOptions): Promise<TrainingResult> {
  const { network, dataset, recipe, steering } = options;
  validateRecipe(recipe);
  if (dataset.train.count < recipe.batchSize)
    throw new InputError(
      `batchSize ${recipe.batchSize} is more than the ${dataset.train.count} training pictures of ${dataset.title}`,
    );
  const resumed = options.checkpoint ? readCheckpoint(options.checkpoint, options) : undefined;
  const start = options.start ?? initialParameters(network, recipe.seed);
  const curve: EpochRecord[] = [...(resumed?.curve ?? [])];
  const trainer = createTrainer(
    {
      ...recipe,
      network,
      batchNormMomentum: 0.1,
      mean: options.normalisation?.mean ?? dataset.mean,
      std: options.normalisation?.std ?? dataset.std,
      forwardWeights: steering?.forwardWeights && ((weights) => steering.forwardWeights!(weights)),
      gradientShares: steering?.gradientShares && (() => steering.gradientShares!()),
      testedWeights: steering?.testedWeights && ((weights) => steering.testedWeights!(weights)),
      afterNode: options.afterNode,
    },
    resumed?.state ?? initialState(network, start),
  );
  const augmented = (pictures: number) => {
    const limit = Math.min(pictures, dataset.train.count);
    const batchSize = Math.min(recipe.batchSize, limit);
    // Of an epoch that no training sees; no square is blotted out of what is tested, nor is it mixed.
    return trainingBatches(dataset.train, {
      ...recipe,
      cutout: 0,
      batchSize,
      limit,
      fill: meanPixel(dataset),
      epoch: recipe.epochs,
    });
  };
  const result = () => {
    const parameters = trainer.parameters(recipe.averageDecay > 0 ? 'average' : 'weights');
    const pictures = options.reestimation ?? 0;
    const normalisation = options.normalisation ?? dataset;
    return pictures > 0
      ? reestimateStatistics(network, parameters, normalisation, augmented(pictures))
      : parameters;
  };
  try {
    const epochs = Math.min(options.stopAfter ?? recipe.epochs, recipe.epochs);
    for (let epoch = curve.length; epoch < epochs; epoch++) {
      const sums = await runEpoch(epoch, trainer, options);
      if (!sums) return { parameters: result(), curve, finished: false };
      const last = epoch === epochs - 1;
      const report = steering?.report?.();
      const due = last || (epoch + 1) % (options.evaluateEvery ?? 1) === 0;
      const testAccuracy = due
        ? evaluateParameters(network, result(), options.normalisation ?? dataset, dataset.test).top1
        : null;
      curve.push({ epoch, testAccuracy, ...sums, ...(report && { steering: report }) });
      if (options.checkpoint) writeCheckpoint(options.checkpoint, options, trainer.state(), curve);
      options.onEpoch?.(curve[curve.length - 1]);
    }
    return { parameters: result(), curve, finished: true };
  } finally {
    trainer.dispose();
    steering?.dispose?.();
  }
}

/** Steps of the moving average are taken together, an epoch's last ones at its end: one costs a pass over all weights. */
const AVERAGE_EVERY = 5;

async function runEpoch(epoch: number, trainer: ReturnType<typeof createTrainer>, options: TrainingOptions) {
  const { network, dataset, recipe } = options;
  const { batchSize } = recipe;
  const stepsAnEpoch = Math.floor(dataset.train.count / batchSize);
  const steps = stepsAnEpoch * recipe.epochs;
  const fill = meanPixel(dataset);
  const started = performance.now();
  const random = randomStream(recipe.seed, `dropout of epoch ${epoch}`);
  const mixes = randomStream(recipe.seed, `epoch ${epoch} mixing`);
  let loss = 0;
  let right = 0;
  let step = 0;
  // Unlike any pull, so that the first step always tells the trainer.
  let pull: WeightPull | undefined | null = null;
  const resize = sideOfEpoch(recipe.resizing ?? [], epoch);
  for (const batch of trainingBatches(dataset.train, { ...recipe, fill, epoch, resize })) {
    const global = epoch * stepsAnEpoch + step;
    const targets = smoothLabels(batch.labels, network.classes, recipe.labelSmoothing);
    if (recipe.mixing) mixPictures(batch, targets, recipe.mixing, mixes);
    if (options.teacher)
      mixProbabilities(targets, options.teacher.logits(batch), network.classes, recipe.distillation);
    options.steering?.beforeStep?.(global, steps, trainer.weights);
    const wanted = options.steering?.pull?.();
    if (wanted !== pull) trainer.setPull(wanted);
    pull = wanted;
    const result = trainer.step({ ...batch, targets }, learningRate(recipe.schedule, global, steps), random);
    if (!Number.isFinite(result.loss))
      throw new InputError(
        `loss is ${result.loss} in epoch ${epoch + 1}, step ${step + 1}: lower the learning rate`,
      );
    const draw = options.steering?.draw?.(global, steps);
    if (draw) trainer.draw(draw);
    loss += result.loss;
    right += result.right;
    step++;
    const waiting = step % AVERAGE_EVERY || AVERAGE_EVERY;
    if (recipe.averageDecay > 0 && (waiting === AVERAGE_EVERY || step === stepsAnEpoch))
      trainer.updateAverage(averageShare(recipe.averageDecay, global, waiting));
    const note = `epoch ${epoch + 1}/${recipe.epochs}, loss ${(loss / step).toFixed(3)}, ${((100 * right) / (step * batchSize)).toFixed(1)} %`;
    options.onProgress?.({ done: global + 1, total: steps, note });
    // Lets signals and timers run between steps.
    await new Promise((resolve) => setImmediate(resolve));
    if (options.signal?.aborted) return undefined;
  }
  return {
    rate: learningRate(recipe.schedule, (epoch + 1) * stepsAnEpoch - 1, steps),
    loss: loss / step,
    trainAccuracy: (100 * right) / (step * batchSize),
    seconds: (performance.now() - started) / 1000,
  };
}

/** The side to which the pictures of `epoch` are resized; undefined: not at all. */
export function sideOfEpoch(phases: readonly ResizingPhase[], epoch: number): number | undefined {
  let end = 0;
  return phases.find((phase) => {
    end += phase.epochs;
    return epoch < end;
  })?.side;
}

/** Of so many steps together. The average forgets faster in the beginning, when the weights still move far. */
function averageShare(decay: number, step: number, steps: number): number {
  const warm = Math.min(decay, (1 + step) / (10 + step));
  return 1 - warm ** steps;
}

/** One-hot labels with `smoothing` spread evenly: [count, classes]. */
export function smoothLabels(labels: Int32Array, classes: number, smoothing: number): Float32Array {
  const targets = new Float32Array(labels.length * classes).fill(smoothing / classes);
  for (let i = 0; i < labels.length; i++) targets[i * classes + labels[i]] += 1 - smoothing;
  return targets;
}

/** targets = (1 - share) * targets + share * softmax(logits), row by row, in place. */
export function mixProbabilities(
  targets: Float32Array,
  logits: Float32Array,
  classes: number,
  share: number,
): void {
  for (let at = 0; at < targets.length; at += classes) {
    const row = logits.subarray(at, at + classes);
    const highest = Math.max(...row);
    const powers = row.map((logit) => Math.exp(logit - highest));
    const total = powers.reduce((sum, power) => sum + power, 0);
    for (let c = 0; c < classes; c++)
      targets[at + c] = (1 - share) * targets[at + c] + (share * powers[c]) / total;
  }
}

function validateRecipe(recipe: TrainingRecipe): void {
  validateSchedule(recipe.schedule);
  checkWhole('epochs', recipe.epochs, 1);
  checkWhole('batchSize', recipe.batchSize, 1);
  const shares = {
    momentum: recipe.momentum,
    labelSmoothing: recipe.labelSmoothing,
    distillation: recipe.distillation,
    averageDecay: recipe.averageDecay,
  };
  for (const [field, value] of Object.entries(shares))
    if (!(value >= 0 && value < 1)) throw new InputError(`${field} ${value} is not from 0 to below 1`);
  for (const field of ['views', 'mixing'] as const) {
    const share = recipe[field];
    if (share !== undefined && !(share > 0 && share <= 1))
      throw new InputError(`${field} ${share} is not above 0 and up to 1`);
  }
  if (recipe.precision !== 'float32' && recipe.precision !== 'bfloat16')
    throw new InputError(`precision '${recipe.precision}' is unknown; allowed: float32, bfloat16`);
  for (const { side, epochs } of recipe.resizing ?? []) {
    checkWhole('resizing: side', side, 4);
    checkWhole('resizing: epochs', epochs, 1);
  }
  if (!(recipe.weightDecay >= 0)) throw new InputError(`weightDecay ${recipe.weightDecay} is below 0`);
}
