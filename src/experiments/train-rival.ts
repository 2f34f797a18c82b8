import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createBitSliceL1 } from '../admm/bit-slice-l1';
import { pruneByTraining } from '../admm/prune-by-training';
import { prunePostTraining } from '../admm/prune-post-training';
import { trainedLayers } from '../admm/trained-layers';
import { trainingPruningDefaults } from '../admm/training-pruning-settings';
import type { Dataset } from '../data/dataset';
import type { Parameters } from '../networks/description';
import { foldBatchNorm } from '../networks/fold-batch-norm';
import { createInference, type InferenceOptions, type Pictures } from '../networks/inference';
import type { OnProgress } from '../progress';
import { buildIntegerNetwork } from '../quantization/build-integer-network';
import type { IntegerNetwork } from '../quantization/integer-network';
import type { Accuracy } from '../training/evaluate';
import { parameterLayout } from '../training/parameter-vector';
import { defaultRecipe, type EpochRecord, train } from '../training/train';
import { integerAccuracy } from './accuracy';
import { digestOf } from './cached-result';
import type { FloatModel } from './open-model';
import type { PostTrainingStart, RivalEntry, RivalStart } from './rival-entries';

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
  switch (entry.start) {
    case 'bit-slice-l1':
      return sliced(bench, entry, adcBits);
    case 'network-admm':
      return retrained(bench, entry, adcBits, undefined);
    default:
      return retrained(bench, entry, adcBits, chosenBits(bench, entry.start, adcBits));
  }
}

/** A network whose bits were chosen, and the one with batch norm that they were chosen from. */
interface Chosen {
  readonly network: IntegerNetwork;
  readonly parameters: Parameters;
  /** Epochs of training that choosing took. */
  readonly epochs: number;
}

/** Bits chosen after training. */
function chosenBits(bench: RivalBench, start: PostTrainingStart, adcBits: number): Chosen {
  const { model, pictures, quantized, settings, onProgress } = bench;
  const wanted = { ...settings, ...start, adcBits };
  const { network } = prunePostTraining(quantized, model.folded, pictures, wanted, onProgress);
  return { network, parameters: model.parameters, epochs: 0 };
}

/** Masked retraining under the chosen bits, or without such network ADMM before it. */
async function retrained(
  bench: RivalBench,
  { name, change, start }: RivalEntry,
  adcBits: number,
  chosen: Chosen | undefined,
): Promise<TrainedRival> {
  const { model, dataset, settings, pictures, normalisation, onProgress } = bench;
  const admmEpochs = chosen ? 0 : half(settings.epochs);
  const wanted = {
    ...trainingPruningDefaults,
    ...RIVAL_BITS,
    ...change,
    tileRows: settings.tileRows,
    adcBits,
    admmEpochs,
    admmRate: settings.rate,
    retrainEpochs: settings.epochs - admmEpochs - (chosen?.epochs ?? 0),
    retrainRate: settings.rate,
    batchSize: settings.batchSize,
    seed: settings.seed,
    // No more nonzeros than ones allowed: those that stay may use all their bits.
    ...(isValueOnly(start) && { valueLimit: 2 ** adcBits - 1 }),
  };
  const { network, admm, retraining } = await pruneByTraining({
    description: model.description,
    parameters: chosen?.parameters ?? model.parameters,
    teacher: model.parameters,
    normalisation,
    dataset,
    calibration: pictures,
    settings: wanted,
    start: chosen?.network,
    folder: stateFolder(bench, `${name}-adc${adcBits}`, { ...settings, ...wanted, start }),
    evaluateEvery: settings.epochs,
    onProgress,
  });
  return {
    network: network!,
    before: chosen && integerAccuracy(chosen.network, dataset.test, { onProgress }),
    curve: [...admm, ...retraining],
  };
}

/** What choosing the bits takes where that is training too; of 2 epochs one. */
const half = (epochs: number) => Math.ceil(epochs / 2);

const isValueOnly = (start: RivalStart) => typeof start === 'object' && start.method === 'value-only';

/** Training under the penalty of bit-slice L1; what columns then hold too much is cut from the lowest worth up, then retraining. */
async function sliced(bench: RivalBench, entry: RivalEntry, adcBits: number): Promise<TrainedRival> {
  const { settings, pictures, normalisation, onProgress } = bench;
  const { description } = bench.model;
  const { parameters, curve } = await trainedUnderPenalty(bench);
  const folded = foldBatchNorm(description, parameters);
  const quantized = buildIntegerNetwork(
    folded.description,
    folded.parameters,
    normalisation,
    pictures,
    RIVAL_BITS,
  );
  const wanted = { ...settings, method: 'greedy', compensation: 'none', adcBits } as const;
  const { network } = prunePostTraining(quantized, folded, pictures, wanted, onProgress);
  const rest = await retrained(bench, entry, adcBits, { network, parameters, epochs: curve.length });
  return { ...rest, curve: [...curve, ...rest.curve] };
}

/** One training serves every resolution. */
async function trainedUnderPenalty(bench: RivalBench) {
  const { model, dataset, settings, normalisation, onProgress } = bench;
  const { description, parameters } = model;
  const { precision, weightDecay, distillation } = trainingPruningDefaults;
  const steering = createBitSliceL1(
    trainedLayers(description, normalisation.std),
    parameterLayout(description).length,
    { weightBits: RIVAL_BITS.weightBits, sliceBits: 2, penalty: SLICE_PENALTY },
  );
  const { folded } = model;
  const teacher = createInference(folded.description, folded.parameters, { ...normalisation, precision });
  const epochs = half(settings.epochs);
  try {
    return await train({
      network: description,
      dataset,
      normalisation,
      recipe: {
        ...defaultRecipe,
        epochs,
        batchSize: settings.batchSize,
        schedule: { kind: 'cosine', peak: settings.rate, warmup: 0.05 },
        weightDecay,
        distillation,
        precision,
        steering: `bit-slice L1 ${SLICE_PENALTY}`,
        seed: settings.seed,
      },
      teacher,
      steering,
      start: parameters,
      checkpoint: join(stateFolder(bench, 'bit-slice-l1', settings), 'state.safetensors'),
      evaluateEvery: epochs,
      onProgress,
    });
  } finally {
    teacher.dispose();
  }
}

/** Named by all that a training depends on: what another one left does not stop this one. */
function stateFolder({ model, dataset, folder }: RivalBench, name: string, settings: object): string {
  const key = { model: model.identity, data: dataset.checksums, ...settings };
  const own = join(folder, `${name}-${digestOf(key).slice(0, 8)}`);
  mkdirSync(own, { recursive: true });
  return own;
}
