import type { EncodingName } from '../bitplanes/plane-encoding';
import { InputError } from '../errors';
import type { Precision } from '../networks/inference';
import type { ProjectionMethod } from '../projections/projection-method';
import type { AdcBits } from '../quantization/adc-bits';
import { defaultRecipe } from '../training/train';
import { networkAdmmDefaults } from './network-admm';
import type { Pull, Relaxation } from './relaxation';

/** Encodings of codes that can change their sign with their limits kept. */
export const trainedEncodings: readonly EncodingName[] = ['sign-split', 'csd'];

/** @throws InputError for another encoding */
export function requireTrained(encoding: EncodingName): void {
  if (!trainedEncodings.includes(encoding))
    throw new InputError(`encoding '${encoding}': training keeps ${trainedEncodings.join(' or ')}`);
}

/** How a network is pruned by training: network ADMM chooses the bits, retraining under them makes the loss good. */
export interface TrainingPruningSettings {
  /** R: rows summed in one conversion. */
  readonly tileRows: number;
  /** k_b = 2^adcBits - 1 ones a bit column, for all layers or by layer, there for all planes or for each. */
  readonly adcBits: AdcBits;
  /** k_v: nonzeros allowed in a (row tile, output channel); absent: no limit. */
  readonly valueLimit?: number;
  /** One of `trainedEncodings`, for folding batch norm may turn a column's sign round; default `sign-split`. */
  readonly encoding?: EncodingName;
  /** 2 to 8; default 8. */
  readonly weightBits?: number;
  /** 1 to 8; default 8. */
  readonly inputBits?: number;
  /** Epochs of network ADMM; 0: the bits come from `start` or from one projection of the trained weights. */
  readonly admmEpochs: number;
  /** Epochs of masked retraining. */
  readonly retrainEpochs: number;
  /** Highest learning rates of the two (cosine). */
  readonly admmRate: number;
  readonly retrainRate: number;
  readonly batchSize: number;
  /** Share of the float network's probabilities in the targets. */
  readonly distillation: number;
  readonly weightDecay: number;
  /** Share of the steps that climbs to the highest rate. */
  readonly warmup: number;
  readonly labelSmoothing: number;
  /** Decay a step of the moving average of the weights. */
  readonly averageDecay: number;
  /** How training pictures are changed: see TrainingRecipe. */
  readonly cutout: number;
  readonly views?: number;
  readonly mixing?: number;
  /**
   * Batch norms keep their statistics, and biases are taken from `start` too: the training begins with exactly what it
   * computes, which few pictures could not bring back. Absent: statistics of the batches.
   */
  readonly frozenBatchNorm?: boolean;
  readonly rho: readonly [first: number, last: number];
  readonly interval: number;
  readonly firstBitLimit?: number;
  /** Retraining begins relaxed: `start` may then have other bits, for only its weights (and scales that fit) are taken. */
  readonly relaxation?: Relaxation;
  readonly method: ProjectionMethod;
  /** Times that retraining chooses its bits anew, evenly over its first 85 %. */
  readonly maskRefreshes: number;
  /** How far a step draws real weights to their codes until the last of them; see MaskLimits. */
  readonly pull?: Pull;
  /** Share of its gradient that a weight without bits follows; see Refreshing. */
  readonly prunedGradient?: number;
  /** Activations are rounded to their codes in the forward pass of the retraining. */
  readonly quantizedActivations: boolean;
  readonly precision: Precision;
  readonly seed: number;
}

export const trainingPruningDefaults = {
  weightBits: 8,
  inputBits: 8,
  admmEpochs: 4,
  retrainEpochs: 8,
  admmRate: 0.02,
  retrainRate: 0.05,
  batchSize: 128,
  distillation: 0.9,
  weightDecay: 1e-4,
  warmup: 0.05,
  labelSmoothing: defaultRecipe.labelSmoothing,
  averageDecay: defaultRecipe.averageDecay,
  cutout: defaultRecipe.cutout,
  rho: networkAdmmDefaults.rho,
  interval: networkAdmmDefaults.interval,
  method: networkAdmmDefaults.method,
  maskRefreshes: 0,
  quantizedActivations: false,
  precision: 'bfloat16',
  seed: 1,
} as const;
