import { pruneByTraining } from '../admm/prune-by-training';
import { trainingPruningDefaults } from '../admm/training-pruning-settings';
import type { Dataset, PictureSet, Unlabelled } from '../data/dataset';
import { firstPictures } from '../networks/first-pictures';
import type { OnProgress } from '../progress';
import type { IntegerNetwork } from '../quantization/integer-network';
import { trainableParameters } from '../training/align-batch-norm';
import type { EpochRecord } from '../training/train';
import { labelledBy } from './labelled-by';
import { normalisationOf } from './normalisation';
import type { FloatModel } from './open-model';

export interface DistillationSettings {
  readonly epochs: number;
  /** Highest learning rate. */
  readonly rate: number;
  readonly batchSize: number;
  readonly seed: number;
}

export const distillationDefaults = { epochs: 6, rate: 0.004, batchSize: 32, seed: 1 } as const;

/**
 * How few pictures become many: random rectangles of at least this share of one, half of them mixed with another. The
 * float network tells what it sees in each.
 */
const AUGMENTATION = { views: 0.35, mixing: 0.5 } as const;

/** Share of the float network in the targets; its own choice of class has the rest. */
const DISTILLATION = 0.99;

/** Pictures on which agreement is measured after an epoch. */
const WATCHED = 256;

export interface DistillationOptions {
  readonly model: FloatModel;
  /** Pruned from it. */
  readonly start: IntegerNetwork;
  /** What it learns on; input scales are found on them too. */
  readonly pictures: Unlabelled;
  readonly source: Pick<Dataset, 'name' | 'title' | 'mean' | 'std' | 'checksums'>;
  readonly settings: DistillationSettings;
  /** Keeps the training's state; the same call goes on from there. */
  readonly folder: string;
  readonly onProgress?: OnProgress;
}

/**
 * Trains a pruned network, under the bits it has, to do as the float network does on pictures without labels. Batch norm
 * is frozen: the training begins with what pruning left.
 */
export async function distilWithoutLabels(
  options: DistillationOptions,
): Promise<{ readonly network: IntegerNetwork; readonly curve: readonly EpochRecord[] }> {
  const { model, start, pictures, folder, onProgress } = options;
  const { epochs, rate, batchSize, seed } = options.settings;
  const train: PictureSet = { ...pictures, labels: new Int32Array(pictures.count) };
  const watched = Math.min(WATCHED, pictures.count);
  const test = { ...train, ...firstPictures(pictures, watched), labels: train.labels.slice(0, watched) };
  const unlabelled: Dataset = { ...options.source, real: true, classes: [], train, test };
  const dataset = await labelledBy(model, unlabelled, onProgress);
  const normalisation = normalisationOf(model, dataset);
  const { description, parameters } = model;
  const { tileRows, adcBits, encoding } = start.pruning!;
  const { network, retraining } = await pruneByTraining({
    description,
    parameters: trainableParameters(description, parameters, normalisation, dataset, () => {}),
    normalisation,
    dataset,
    calibration: pictures,
    start,
    settings: {
      ...trainingPruningDefaults,
      ...AUGMENTATION,
      tileRows,
      adcBits,
      encoding,
      weightBits: start.weightBits,
      admmEpochs: 0,
      retrainEpochs: epochs,
      retrainRate: rate,
      batchSize,
      distillation: DISTILLATION,
      averageDecay: 0.99,
      frozenBatchNorm: true,
      seed,
    },
    folder,
    onProgress,
  });
  // Nothing aborts it.
  return { network: network!, curve: retraining };
}
