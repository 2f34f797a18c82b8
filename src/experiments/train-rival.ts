import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createBitSliceL1 } from '../admm/bit-slice-l1';
import { pruneByTraining, trainingPruningDefaults } from '../admm/prune-by-training';
import { prunePostTraining } from '../admm/prune-post-training';
import { trainedLayers } from '../admm/trained-layers';
import type { Dataset } from '../data/dataset';
import { foldBatchNorm } from '../networks/fold-batch-norm';
import { createInference, type InferenceOptions, type Pictures } from '../networks/inference';
import type { OnProgress } from '../progress';
import { buildIntegerNetwork } from '../quantization/build-integer-network';
import type { IntegerNetwork } from '../quantization/integer-network';
import type { Accuracy } from '../training/evaluate';
import { parameterLayout } from '../training/parameter-vector';
import { defaultRecipe, type EpochRecord, train } from '../training/train';
import { integerAccuracy } from './accuracy';
import type { FloatModel } from './open-model';
import type { RivalEntry, RivalStart } from './rival-entries';

/** What every line of the comparison has in common. */
export interface RivalBench {
  readonly model: FloatModel;
  readonly dataset: Dataset;
  readonly normalisation: InferenceOptions;
  /** Calibration pictures. */
  readonly pictures: Pictures;
  /** The 8-bit network. */
  readonly quantized: IntegerNetwork;
  /** Where states of trainings are kept. */
  readonly folder: string;
  readonly settings: {
    readonly seed: number;
    readonly tileRows: number;
    readonly epochs: number;
    readonly rate: number;
    readonly batchSize: number;
    readonly iterations?: number;
    readonly patches?: number;
  };
  readonly onProgress: OnProgress;
}

export interface TrainedRival {
  readonly network: IntegerNetwork;
  /** Of the chosen bits before training, where there are such. */
  readonly before?: Accuracy;
  readonly curve: readonly EpochRecord[];
}

export const RIVAL_BITS = { weightBits: 8, inputBits: 8 } as const;

/** Penalty of bit-slice L1, relative to a layer's mean weight: of the size that its paper uses, not tuned. */
const SLICE_PENALTY = 1e-3;

/** Chooses a line's bits for one ADC resolution and trains as long as every line does. */
export function trainRival(bench: RivalBench, entry: RivalEntry, adcBits: number): Promise<TrainedRival> {
  return entry.start === 'bit-slice-l1'
    ? sliced(bench, adcBits)
    : retrained(bench, entry, entry.start, adcBits);
}

/** Bits chosen after or during training, then masked retraining under them. */
async function retrained(
  bench: RivalBench,
  { name, change }: RivalEntry,
  start: Exclude<RivalStart, 'bit-slice-l1'>,
  adcBits: number,
): Promise<TrainedRival> {
  const { model, dataset, folder, settings, pictures, normalisation, quantized, onProgress } = bench;
  const { description, parameters } = model;
  const chosen =
    start === 'network-admm'
      ? undefined
      : prunePostTraining(quantized, model.folded, pictures, { ...settings, ...start, adcBits }, onProgress)
          .network;
  const admmEpochs = chosen ? 0 : Math.ceil(settings.epochs / 2);
  const { network, admm, retraining } = await pruneByTraining({
    description,
    parameters,
    normalisation,
    dataset,
    calibration: pictures,
    settings: {
      ...trainingPruningDefaults,
      ...RIVAL_BITS,
      ...change,
      tileRows: settings.tileRows,
      adcBits,
      admmEpochs,
      admmRate: settings.rate,
      retrainEpochs: settings.epochs - admmEpochs,
      retrainRate: settings.rate,
      batchSize: settings.batchSize,
      seed: settings.seed,
      // No more nonzeros than ones allowed: those that stay may use all their bits.
      ...(start !== 'network-admm' && start.method === 'value-only' && { valueLimit: 2 ** adcBits - 1 }),
    },
    start: chosen,
    folder: stateFolder(folder, `${name}-adc${adcBits}`),
    evaluateEvery: settings.epochs,
    onProgress,
  });
  return {
    network: network!,
    before: chosen && integerAccuracy(chosen, dataset.test, { onProgress }),
    curve: [...admm, ...retraining],
  };
}

/** Training under the penalty of bit-slice L1; what its columns then hold too much is cut from the lowest worth up. */
async function sliced(bench: RivalBench, adcBits: number): Promise<TrainedRival> {
  const { model, dataset, folder, settings, pictures, normalisation, onProgress } = bench;
  const { description, parameters } = model;
  const steering = createBitSliceL1(
    trainedLayers(description, normalisation.std),
    parameterLayout(description).length,
    { weightBits: RIVAL_BITS.weightBits, sliceBits: 2, penalty: SLICE_PENALTY },
  );
  const teacher = createInference(model.folded.description, model.folded.parameters, {
    ...normalisation,
    precision: trainingPruningDefaults.precision,
  });
  try {
    const { parameters: trained, curve } = await train({
      network: description,
      dataset,
      normalisation,
      recipe: {
        ...defaultRecipe,
        epochs: settings.epochs,
        batchSize: settings.batchSize,
        schedule: { kind: 'cosine', peak: settings.rate, warmup: 0.05 },
        weightDecay: trainingPruningDefaults.weightDecay,
        distillation: trainingPruningDefaults.distillation,
        precision: trainingPruningDefaults.precision,
        steering: `bit-slice L1 ${SLICE_PENALTY}`,
        seed: settings.seed,
      },
      teacher,
      steering,
      start: parameters,
      // One training serves every resolution.
      checkpoint: join(stateFolder(folder, 'bit-slice-l1'), 'state.safetensors'),
      evaluateEvery: settings.epochs,
      onProgress,
    });
    const folded = foldBatchNorm(description, trained);
    const quantized = buildIntegerNetwork(
      folded.description,
      folded.parameters,
      normalisation,
      pictures,
      RIVAL_BITS,
    );
    const wanted = { ...settings, method: 'greedy', compensation: 'none', adcBits } as const;
    return { network: prunePostTraining(quantized, folded, pictures, wanted, onProgress).network, curve };
  } finally {
    teacher.dispose();
  }
}

function stateFolder(folder: string, name: string): string {
  const own = join(folder, name);
  mkdirSync(own, { recursive: true });
  return own;
}
