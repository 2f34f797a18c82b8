import type { NetworkDescription, Node, Parameters } from '../networks/description';
import { forwardTraining } from '../networks/forward-training';
import type { Precision } from '../networks/inference';
import { largestClass } from '../networks/largest-class';
import { pictureNormaliser } from '../networks/picture-normaliser';
import { DType, dispose, keep, scope, type Tensor, upload } from '../tensor/engine';
import * as k from '../tensor/kernels';
import type { RandomStream } from '../tensor/random';
import { createTape, type Tape } from '../tensor/tape';
import { createSgd, type Variable, variable } from './optimizer';
import {
  lengthOf,
  type ParameterLayout,
  packParameters,
  parameterLayout,
  unpackParameters,
} from './parameter-vector';
import type { WeightDraw, WeightPull } from './weight-steering';

export interface TrainerOptions {
  readonly network: NetworkDescription;
  readonly precision: Precision;
  readonly momentum: number;
  readonly nesterov: boolean;
  /** L2 penalty on convolution and dense weights; biases and batch norm are not decayed. */
  readonly weightDecay: number;
  /** Batch norms use their running statistics, which stay; default: the batch's, as usual. */
  readonly frozenBatchNorm?: boolean;
  /** PyTorch's batch-norm momentum. */
  readonly batchNormMomentum: number;
  /** Per channel, of pixels / 255. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
  /** Values that the forward pass uses in place of the weights (straight-through gradients); see WeightSteering. */
  readonly forwardWeights?: (weights: Tensor) => Tensor;
  /** The same in `parameters`; default: `forwardWeights`. */
  readonly testedWeights?: (weights: Tensor) => Tensor;
  /** Asked after the forward pass: see WeightSteering. */
  readonly gradientShares?: () => Tensor | undefined;
  /** May replace a node's output by another tensor recorded on the tape (activation quantisation). */
  readonly afterNode?: (tape: Tape, node: Node, output: Tensor) => Tensor;
}

/** Everything that changes while training; enough to go on bit for bit. */
export interface TrainerState {
  /** In the order of `parameterLayout(...).slots`. */
  readonly weights: Float32Array;
  readonly velocity: Float32Array;
  /** Moving average of the weights. */
  readonly average: Float32Array;
  /** Batch norm's running statistics and their moving average. */
  readonly statistics: Float32Array;
  readonly averageStatistics: Float32Array;
}

export interface Batch {
  /** [count, height, width, channels] */
  readonly pixels: Uint8Array;
  readonly count: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  /** Target probabilities [count, classes]. */
  readonly targets: Float32Array;
}

export interface Trainer {
  /** One optimiser step (`random` feeds dropout); returns the mean loss and how many pictures the network got right before it. */
  step(batch: Batch, rate: number, random: RandomStream): { loss: number; right: number };
  /** Moves the average towards the present weights: average += share * (weights - average). */
  updateAverage(share: number): void;
  setPull(pull: WeightPull | undefined): void;
  /** Moves the weights by a share of the way. */
  draw(draw: WeightDraw): void;
  /** The present weights, before `forwardWeights`. */
  weights(): Float32Array;
  state(): TrainerState;
  /** As they are tested. */
  parameters(which: 'weights' | 'average'): Parameters;
  dispose(): void;
}

export function initialState(network: NetworkDescription, parameters: Parameters): TrainerState {
  const layout = parameterLayout(network);
  const weights = packParameters(parameters, layout.slots);
  const statistics = packParameters(parameters, layout.statistics);
  return {
    weights,
    velocity: new Float32Array(weights.length),
    average: weights.slice(),
    statistics,
    averageStatistics: statistics.slice(),
  };
}

/** A trainer that starts from `state`. Tensors it holds are freed by `dispose`. */
export function createTrainer(options: TrainerOptions, state: TrainerState): Trainer {
  const { network } = options;
  const layout = parameterLayout(network);
  const compute = options.precision === 'bfloat16' ? DType.bfloat16 : DType.float32;
  const sgd = createSgd(state.weights, state.velocity, decayVector(layout, options.weightDecay), options);
  const normalise = pictureNormaliser(options.mean, options.std, compute);
  const running = new Map<string, readonly [Tensor, Tensor]>();
  for (let i = 0; i < layout.statistics.length; i += 2) {
    const [mean, variance] = layout.statistics.slice(i, i + 2);
    const node = mean.name.slice(0, -'.running_mean'.length);
    running.set(node, [uploadSlot(state.statistics, mean), uploadSlot(state.statistics, variance)]);
  }
  const average = variable(state.average);
  const averageStatistics = state.averageStatistics.slice();
  const statisticsNow = () => {
    const vector = new Float32Array(lengthOf(layout.statistics));
    let at = 0;
    for (const pair of running.values())
      for (const tensor of pair) {
        vector.set(k.floats(tensor), at);
        at += tensor.shape[0];
      }
    return vector;
  };
  const numbersOf = ({ value }: Variable) => scope(() => k.floats(value()));
  const weightsNow = () => numbersOf(sgd.weights);

  const { forwardWeights, testedWeights = forwardWeights, afterNode } = options;
  const replaced = ({ value }: Variable, replace: TrainerOptions['forwardWeights']): Tensor => {
    const now = value();
    const used = replace?.(now) ?? now;
    if (used !== now) dispose(now);
    return used;
  };
  const numbersTested = (weights: Variable) => scope(() => k.floats(replaced(weights, testedWeights)));

  function step(batch: Batch, rate: number, random: RandomStream) {
    const tape = createTape();
    const bytes = upload(batch.pixels, [batch.count, batch.height, batch.width, batch.channels]);
    const x = normalise(bytes);
    dispose(bytes);
    const { named, leaves, gather } = parameterTensors(
      layout,
      replaced(sgd.weights, forwardWeights),
      compute,
    );
    const logits = forwardTraining(network, x, {
      tape,
      parameters: named,
      running,
      frozenBatchNorm: options.frozenBatchNorm,
      batchNormMomentum: options.batchNormMomentum,
      random,
      afterNode: afterNode && ((node, output) => afterNode(tape, node, output)),
      onRunning: (node, statistics) => {
        dispose(...running.get(node)!);
        running.set(node, statistics);
      },
    });
    const targets = upload(batch.targets, [batch.count, network.classes]);
    const entropy = k.softmaxCrossEntropy(logits, targets);
    const right = countRight(k.floats(logits), batch.targets, network.classes);
    const loss = meanOf(k.floats(entropy.loss));
    const share = k.scalar(1 / batch.count);
    const seed = k.multiply(entropy.gradient, share);
    dispose(targets, entropy.loss, entropy.gradient, share);
    const gradients = tape.backward(logits, seed, leaves);
    const gradient = scope(() => {
      const whole = gather(gradients);
      const shares = options.gradientShares?.();
      return shares ? k.multiply(whole, shares) : whole;
    });
    dispose(x, ...leaves, ...gradients);
    sgd.step(gradient, rate);
    dispose(gradient);
    return { loss, right };
  }

  return {
    step,
    updateAverage(share) {
      moveTowards(average, share, () => sgd.weights.value());
      const statistics = statisticsNow();
      for (let i = 0; i < statistics.length; i++)
        averageStatistics[i] += share * (statistics[i] - averageStatistics[i]);
    },
    setPull: (pull) => sgd.setPull(pull),
    draw: ({ share, towards }) => moveTowards(sgd.weights, share, towards),
    weights: weightsNow,
    state: () => ({
      weights: weightsNow(),
      velocity: numbersOf(sgd.velocity),
      average: numbersOf(average),
      statistics: statisticsNow(),
      averageStatistics: averageStatistics.slice(),
    }),
    parameters: (which) =>
      which === 'average'
        ? unpackParameters(network, layout, numbersTested(average), averageStatistics)
        : unpackParameters(network, layout, numbersTested(sgd.weights), statisticsNow()),
    dispose() {
      sgd.dispose();
      average.dispose();
      normalise.dispose();
      for (const pair of running.values()) dispose(...pair);
    },
  };
}

/** Moves a variable by a share of the way to `target` of it, in place. */
function moveTowards(moved: Variable, share: number, target: (now: Tensor) => Tensor): void {
  scope(() => {
    const now = moved.value();
    const wanted = target(now);
    const change = k.multiply(k.subtract(wanted, now), k.scalar(share));
    // A value that is still held would be copied first.
    dispose(now, wanted);
    moved.add(change);
    return undefined;
  });
}

function uploadSlot(vector: Float32Array, slot: { offset: number; size: number }): Tensor {
  return keep(upload(vector.slice(slot.offset, slot.offset + slot.size), [slot.size]));
}

function decayVector(layout: ParameterLayout, decay: number): Float32Array {
  const vector = new Float32Array(layout.length);
  for (const slot of layout.slots)
    if (slot.kind !== 'vector') vector.fill(decay, slot.offset, slot.offset + slot.size);
  return vector;
}

/**
 * Cuts the weight vector into the tensors the forward pass takes (convolutions in the compute type), and gives the way
 * back: the gradients of the leaves as one float32 vector.
 */
function parameterTensors(layout: ParameterLayout, vector: Tensor, compute: DType) {
  const convolutions = layout.slots.filter((slot) => slot.kind === 'convolution');
  const others = layout.slots.filter((slot) => slot.kind !== 'convolution');
  const [head, ...tail] = k.split(vector, [layout.convolution, ...others.map((slot) => slot.size)]);
  dispose(vector);
  const computed = compute === DType.float32 ? head : k.cast(head, compute);
  const sizes = convolutions.map((slot) => slot.size);
  const pieces = [...(sizes.length > 0 ? k.split(computed, sizes) : []), ...tail];
  const leaves = layout.slots.map((slot, i) => k.reshape(pieces[i], slot.shape));
  dispose(...pieces, computed);
  if (computed !== head) dispose(head);
  const named = new Map(layout.slots.map((slot, i) => [slot.name, leaves[i]]));
  const gather = (gradients: readonly Tensor[]) => {
    const flat = gradients.map((gradient, i) => k.reshape(gradient, [layout.slots[i].size]));
    const result = scope(() => {
      const first = flat.slice(0, convolutions.length);
      const floats = first.length > 0 ? [k.cast(k.concat(first), DType.float32)] : [];
      return k.concat([...floats, ...flat.slice(convolutions.length)]);
    });
    dispose(...flat);
    return result;
  };
  return { named, leaves, gather };
}

function meanOf(values: Float32Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length;
}

/** Pictures whose largest logit is their most probable class. */
export function countRight(logits: Float32Array, targets: Float32Array, classes: number): number {
  let right = 0;
  for (let at = 0; at < logits.length; at += classes)
    if (largestClass(logits, at, classes) === largestClass(targets, at, classes)) right++;
  return right;
}
