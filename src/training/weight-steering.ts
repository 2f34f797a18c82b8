import type { StoredTensor, TensorData } from '../networks/stored-tensor';
import type { Tensor } from '../tensor/engine';

/**
 * Steers the weights of a training at every step (pruning does): what the forward pass uses in their place, and a
 * pull on them. Its state is kept in the training's checkpoint. Vectors are in the order of
 * `parameterLayout(...).slots`.
 */
export interface WeightSteering {
  /** Called before step `step` of `steps`; may look at the weights and change what follows. */
  beforeStep?(step: number, steps: number, weights: () => Float32Array): void;
  /**
   * Values that the forward pass uses in place of the weights, a vector in the engine like them; gradients go straight
   * through to the weights. The vector itself: nothing is replaced.
   */
  forwardWeights?(weights: Tensor): Tensor;
  /** Share of its gradient that each weight follows in the step whose forward pass was last, a vector like them; undefined: all. */
  gradientShares?(): Tensor | undefined;
  /** Values that stand for the weights in what is tested and returned. Default: those of the forward pass. */
  testedWeights?(weights: Tensor): Tensor;
  /** How far the weights are drawn after step `step` of `steps`; undefined: not at all. */
  draw?(step: number, steps: number): WeightDraw | undefined;
  /** The pull in force, the same object as long as it does not change; undefined: none. */
  pull?(): WeightPull | undefined;
  /** Numbers for the training curve, at the end of an epoch. */
  report?(): Readonly<Record<string, number>>;
  /** Whatever is needed to go on bit for bit. */
  state(): ReadonlyMap<string, TensorData>;
  /** Takes up what `state` gave. @throws InputError where a tensor is missing or has another length */
  restore(tensors: ReadonlyMap<string, Pick<StoredTensor, 'data'>>): void;
  /** Frees what it holds in the engine, at the end of a training. */
  dispose?(): void;
}

/** Moves the weights by `share` (0..1) of the way to `towards(weights)`. */
export interface WeightDraw {
  readonly share: number;
  readonly towards: (weights: Tensor) => Tensor;
}

/** Adds strength * weight - force to every weight's gradient. A quadratic pull to `a` has force = strength * a. */
export interface WeightPull {
  readonly strength: Float32Array;
  readonly force: Float32Array;
}
