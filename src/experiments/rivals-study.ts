import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createBitSliceL1 } from '../admm/bit-slice-l1';
import { defaultCalibration } from '../admm/post-training-settings';
import {
  pruneByTraining,
  type TrainingPruningSettings,
  trainingPruningDefaults,
} from '../admm/prune-by-training';
import { prunePostTraining } from '../admm/prune-post-training';
import type { Compensation, PruningMethod } from '../admm/pruning-method';
import { trainedLayers } from '../admm/trained-layers';
import type { Dataset } from '../data/dataset';
import { InputError } from '../errors';
import { FAIR_BASELINE } from '../hardware/map-designs';
import { foldBatchNorm } from '../networks/fold-batch-norm';
import { createInference, type Pictures } from '../networks/inference';
import type { OnProgress } from '../progress';
import { buildIntegerNetwork } from '../quantization/build-integer-network';
import type { IntegerNetwork } from '../quantization/integer-network';
import { loadIntegerNetwork, saveIntegerNetwork } from '../quantization/model-file';
import type { Accuracy } from '../training/evaluate';
import { parameterLayout } from '../training/parameter-vector';
import { defaultRecipe, type EpochRecord, train } from '../training/train';
import { floatAccuracy, integerAccuracy } from './accuracy';
import { cachedLater, cachedResult, writeJson } from './cached-result';
import { calibrationPictures } from './calibration';
import { certifyNetwork } from './certify-network';
import { networkHardware, summarizeHardware } from './network-hardware';
import { normalisationOf } from './normalisation';
import type { FloatModel } from './open-model';
import { describeStudy, type Study } from './study';

/** How a line of the comparison chooses its bits before it is retrained. */
export type RivalStart =
  | { readonly method: PruningMethod; readonly compensation: Compensation }
  | 'network-admm'
  | 'bit-slice-l1';

/** A line: how bits are chosen, and what is done otherwise than in the other lines. */
export interface RivalEntry {
  readonly name: string;
  /** What people read. */
  readonly title: string;
  /** A rival method, our own, or our own with a part left out or exchanged. */
  readonly kind: 'ours' | 'rival' | 'ablation';
  readonly start: RivalStart;
  readonly change?: Partial<Pick<TrainingPruningSettings, 'distillation' | 'maskRefreshes'>>;
}

/** Every rival starts in its strongest form: with layer ADMM wherever its set of codes has one. */
export const rivalEntries: readonly RivalEntry[] = [
  {
    name: 'hierarchical',
    title: 'hierarchical, layer ADMM',
    kind: 'ours',
    start: { method: 'lagrangian', compensation: 'layer-admm' },
  },
  {
    name: 'value-only',
    title: 'value-only (TinyADC-like), layer ADMM',
    kind: 'rival',
    start: { method: 'value-only', compensation: 'layer-admm' },
  },
  {
    name: 'bit-only',
    title: 'bit-only, layer ADMM',
    kind: 'rival',
    start: { method: 'bit-only', compensation: 'layer-admm' },
  },
  {
    name: 'greedy',
    title: 'greedy bit truncation',
    kind: 'rival',
    start: { method: 'greedy', compensation: 'none' },
  },
  { name: 'bit-slice-l1', title: 'bit-slice L1, then greedy', kind: 'rival', start: 'bit-slice-l1' },
  {
    name: 'projection',
    title: 'hierarchical, projection alone',
    kind: 'ablation',
    start: { method: 'lagrangian', compensation: 'none' },
  },
  { name: 'network-admm', title: 'hierarchical, network ADMM', kind: 'ablation', start: 'network-admm' },
  {
    name: 'no-distillation',
    title: 'hierarchical, layer ADMM, labels alone',
    kind: 'ablation',
    start: { method: 'lagrangian', compensation: 'layer-admm' },
    change: { distillation: 0 },
  },
  {
    name: 'refreshed',
    title: 'hierarchical, layer ADMM, bits chosen anew 20 times',
    kind: 'ablation',
    start: { method: 'lagrangian', compensation: 'layer-admm' },
    change: { maskRefreshes: 20 },
  },
];

export interface RivalsOptions {
  readonly model: FloatModel;
  readonly dataset: Dataset;
  /** Where every line's result, network and training state are kept; an interrupted run goes on from there. */
  readonly folder: string;
  readonly entries?: readonly RivalEntry[];
  /** Default 128. */
  readonly tileRows?: number;
  /** Default 2 and 3. */
  readonly adcBits?: readonly number[];
  /** Training epochs of every line; default 2. */
  readonly epochs?: number;
  /** Highest learning rate; default 0.02. */
  readonly rate?: number;
  readonly batchSize?: number;
  readonly seed?: number;
  readonly calibration?: number;
  readonly iterations?: number;
  readonly patches?: number;
  readonly onProgress?: OnProgress;
  readonly note?: (line: string) => void;
}

/** A line at one ADC resolution, after its training. */
export interface RivalRow extends Pick<RivalEntry, 'name' | 'title' | 'kind'> {
  readonly adcBits: number;
  /** On all test pictures; `before` training, where its bits were chosen without. */
  readonly accuracy: Accuracy;
  readonly before?: Accuracy;
  readonly dropFromFloat: number;
  readonly dropFrom8bit: number;
  readonly nonzeroShare: number;
  /** No conversion of any input can clip: recounted from the codes of the written file. */
  readonly lossless: boolean;
  readonly requiredAdcBits: number;
  /** ADC energy of an inference, times less than the unpruned network's at its measured bits. */
  readonly adcEnergyGain: number;
  readonly curve: readonly EpochRecord[];
  readonly seconds: number;
}

export interface RivalsResult extends Study {
  readonly tileRows: number;
  readonly epochs: number;
  readonly rate: number;
  readonly float: Accuracy;
  readonly integer: Accuracy;
  readonly rows: readonly RivalRow[];
}

/** Raise it when the same settings give other results. */
const REVISION = 1;

/** Penalty of bit-slice L1, relative to a layer's mean weight (as its paper's 10^-3 range, tuned on ResNet-20). */
const SLICE_PENALTY = 1e-3;

/**
 * The methods at equal R, ADC bits, weight and activation bits and equal training: each chooses its bits, trains as long as
 * the others under the limits its method knows, and is certified and measured from its file on all test pictures.
 */
export async function compareTrained(options: RivalsOptions): Promise<RivalsResult> {
  const { folder, entries = rivalEntries, adcBits = [2, 3], model, dataset } = options;
  mkdirSync(folder, { recursive: true });
  const bench = openBench(options);
  const { settings, key } = bench;
  const rows: RivalRow[] = [];
  const jobs = entries.flatMap((entry) => adcBits.map((bits) => ({ entry, bits })));
  for (const [i, { entry, bits }] of jobs.entries()) {
    const name = `${entry.name}-adc${bits}`;
    const at = `${i + 1}/${jobs.length} ${name}`;
    const onProgress: OnProgress = (p) => options.onProgress?.({ ...p, note: `${at}: ${p.note ?? ''}` });
    const path = join(folder, `${name}.safetensors`);
    const row = await cachedLater(
      folder,
      name,
      { ...key, entry, bits },
      () => measure({ ...bench, onProgress }, entry, bits, path),
      [path],
    );
    options.note?.(`${at}: ${row.accuracy.top1.toFixed(2)} %`);
    rows.push(row);
  }
  const result: RivalsResult = {
    ...describeStudy(model, dataset, settings),
    tileRows: settings.tileRows,
    epochs: settings.epochs,
    rate: settings.rate,
    ...bench.baselines(),
    rows,
  };
  writeJson(join(folder, 'results.json'), result);
  return result;
}

type Bench = ReturnType<typeof openBench> & { readonly onProgress: OnProgress };

function openBench(options: RivalsOptions) {
  const { model, dataset, folder, seed = 1 } = options;
  const settings = {
    seed,
    tileRows: options.tileRows ?? 128,
    epochs: options.epochs ?? 2,
    rate: options.rate ?? 0.02,
    batchSize: options.batchSize ?? trainingPruningDefaults.batchSize,
    calibration: options.calibration ?? defaultCalibration(dataset.train),
    ...(options.iterations && { iterations: options.iterations }),
    ...(options.patches && { patches: options.patches }),
  };
  if (!Number.isInteger(settings.epochs) || settings.epochs < 2)
    throw new InputError(
      `epochs ${settings.epochs}: a whole number from 2, for network ADMM and retraining share them`,
    );
  const pictures: Pictures = calibrationPictures(dataset.train, settings.calibration, seed);
  const { description, parameters } = model.folded;
  const normalisation = normalisationOf(model, dataset);
  const quantized = buildIntegerNetwork(description, parameters, normalisation, pictures, BITS);
  const key = { revision: REVISION, model: model.sha256, data: dataset.checksums, ...settings };
  const { onProgress } = options;
  const baselines = () =>
    cachedResult(folder, 'baselines', key, () => ({
      float: floatAccuracy(model, dataset, dataset.test, { onProgress }),
      integer: integerAccuracy(quantized, dataset.test, { onProgress }),
    }));
  return { options, settings, pictures, normalisation, quantized, key, baselines };
}

const BITS = { weightBits: 8, inputBits: 8 } as const;

async function measure(bench: Bench, entry: RivalEntry, adcBits: number, path: string): Promise<RivalRow> {
  const started = performance.now();
  const { options, settings, quantized, onProgress } = bench;
  const { model, dataset } = options;
  const {
    network: made,
    before,
    curve,
  } = entry.start === 'bit-slice-l1'
    ? await sliced(bench, adcBits)
    : await retrained(bench, entry, entry.start, adcBits);
  saveIntegerNetwork(path, made, {
    source: { model: model.name, sha256: model.sha256 },
    settings: { ...settings, ...entry, adcBits },
  });
  // What is certified and measured is what was written.
  const network = loadIntegerNetwork(path);
  const { tileRows } = settings;
  const { nonzeroShare, lossless, requiredAdcBits } = certifyNetwork(network, tileRows);
  const hardware = summarizeHardware(
    networkHardware(network, { tileRows, dense: quantized, adcBits: () => adcBits }),
  );
  const accuracy = integerAccuracy(network, dataset.test, { onProgress });
  const { float, integer } = bench.baselines();
  return {
    name: entry.name,
    title: entry.title,
    kind: entry.kind,
    adcBits,
    accuracy,
    ...(before && { before }),
    dropFromFloat: float.top1 - accuracy.top1,
    dropFrom8bit: integer.top1 - accuracy.top1,
    nonzeroShare,
    lossless: lossless && requiredAdcBits <= adcBits,
    requiredAdcBits,
    adcEnergyGain: hardware.baselines.find(({ name }) => name === FAIR_BASELINE)!.gains.adc.energy,
    curve,
    seconds: (performance.now() - started) / 1000,
  };
}

interface Trained {
  readonly network: IntegerNetwork;
  readonly before?: Accuracy;
  readonly curve: readonly EpochRecord[];
}

/** Bits chosen after or during training, then masked retraining under them. */
async function retrained(
  bench: Bench,
  { name, change }: RivalEntry,
  start: Exclude<RivalStart, 'bit-slice-l1'>,
  adcBits: number,
): Promise<Trained> {
  const { options, settings, pictures, normalisation, quantized, onProgress } = bench;
  const { model, dataset, folder } = options;
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
      ...BITS,
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
async function sliced(bench: Bench, adcBits: number): Promise<Trained> {
  const { options, settings, pictures, normalisation, onProgress } = bench;
  const { model, dataset, folder } = options;
  const { description, parameters } = model;
  const steering = createBitSliceL1(
    trainedLayers(description, normalisation.std),
    parameterLayout(description).length,
    { weightBits: BITS.weightBits, sliceBits: 2, penalty: SLICE_PENALTY },
  );
  const teacher = createInference(model.folded.description, model.folded.parameters, {
    ...normalisation,
    approximate: true,
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
      BITS,
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
