import { basename, join } from 'node:path';
import { pruneByPytorch } from '../admm/prune-by-pytorch';
import { pruneByTraining } from '../admm/prune-by-training';
import { trainingPruningDefaults } from '../admm/training-pruning-settings';
import type { EncodingName } from '../bitplanes/plane-encoding';
import type { Dataset } from '../data/dataset';
import { floatAccuracy, integerAccuracy } from '../experiments/accuracy';
import { certifyNetwork } from '../experiments/certify-network';
import { normalisationOf } from '../experiments/normalisation';
import type { FloatModel, IntegerModel } from '../experiments/open-model';
import { quantizedModel } from '../experiments/quantized-model';
import type { Pictures } from '../networks/inference';
import { makeFolder } from '../networks/make-folder';
import { packageRoot } from '../package-root';
import { type AdcBits, adcBitsText } from '../quantization/adc-bits';
import type { IntegerNetwork } from '../quantization/integer-network';
import { saveIntegerNetwork } from '../quantization/model-file';
import { provenance } from '../reports/provenance';
import { engineVersion } from '../tensor/engine';
import { trainableParameters } from '../training/align-batch-norm';
import type { EpochRecord } from '../training/train';
import {
  type CommandContext,
  type CommandOption,
  type CommandResult,
  type Options,
  realNumber,
  textOption,
  wholeNumber,
} from './command';
import { precisionHelp, precisionOption } from './precision-option';
import { pythonOf, pytorchDefaults, pytorchOption, pytorchPruning, pytorchStage } from './pytorch-options';
import { refuseOptions } from './refuse-options';
import { refreshingOf, relaxationOf, relaxationOptions, withRelax } from './relaxation-options';
import { augmentationOptions, trainingNumbers } from './training-options';

/** Options of `prune --method training`. */
export const trainingOptions: Readonly<Record<string, CommandOption>> = {
  'admm-epochs': {
    value: 'N',
    help: `training: epochs of network ADMM (default ${trainingPruningDefaults.admmEpochs}; 0: the bits of one projection)`,
  },
  epochs: {
    value: 'N',
    help: `training: epochs of masked retraining (default ${trainingPruningDefaults.retrainEpochs})`,
  },
  rate: {
    value: 'X',
    help: `training: highest rate of the retraining (default ${trainingPruningDefaults.retrainRate})`,
  },
  'admm-rate': {
    value: 'X',
    help: `training: of network ADMM (default ${trainingPruningDefaults.admmRate})`,
  },
  'batch-size': { value: 'N', help: `training: (default ${trainingPruningDefaults.batchSize})` },
  warmup: {
    value: 'X',
    help: `training: share of the steps that climbs to the highest rate (default ${trainingPruningDefaults.warmup})`,
  },
  'weight-decay': { value: 'X', help: `training: (default ${trainingPruningDefaults.weightDecay})` },
  'label-smoothing': { value: 'X', help: `training: (default ${trainingPruningDefaults.labelSmoothing})` },
  'average-decay': {
    value: 'X',
    help: `training: decay a step of the average of the weights (default ${trainingPruningDefaults.averageDecay}; --pytorch: ${pytorchDefaults.averageDecay})`,
  },
  distillation: {
    value: 'X',
    help: `training: share of the float network in the targets, the rest are labels (default ${trainingPruningDefaults.distillation})`,
  },
  ...augmentationOptions,
  start: {
    value: 'PRUNED',
    help: 'training: retrain the bits of this pruned network, without network ADMM; --relax: start from it',
  },
  'frozen-batch-norm': {
    help: 'training: batch norm keeps its statistics: begins with exactly what PRUNED computes (few pictures)',
  },
  'first-bit-limit': {
    value: 'K',
    help: 'training: ones a bit column at the first projection; they fall to 2^B - 1 (default: 2^B - 1)',
  },
  'mask-refreshes': {
    value: 'N',
    help: 'training: times that retraining chooses its bits anew, over its first 85 % (default 0)',
  },
  precision: { ...precisionHelp, help: `training: ${precisionHelp.help}` },
  'quantized-activations': { help: 'training: round activations to their codes while retraining' },
  checkpoints: { value: 'DIR', help: 'training: where its states are kept (default runs/OUT)' },
  ...relaxationOptions,
  pytorch: pytorchOption,
};

/** Options of `prune` that training has no use for: it keeps the order of the rows and 1-bit cells. */
const postTrainingOnly = [
  'adc-bits-of',
  'allocate',
  'allocate-planes',
  'balanced-rows',
  'cell-bits',
  'dac-bits',
  'flip',
  'compensation',
  'iterations',
  'patches',
  'ridge',
];

/** Of `trainingOptions` those of one engine only. */
const ownEngineOnly = [
  'encoding',
  'value-limit',
  'views',
  'frozen-batch-norm',
  'admm-epochs',
  'admm-rate',
  'precision',
  'quantized-activations',
];

/** @throws InputError for an option of `prune` that its --method, engine or --start leave without effect */
export function refuseWithoutEffect(options: Options): void {
  if (options.method !== 'training') {
    refuseOptions(options, Object.keys(trainingOptions), 'only --method training has it');
    return;
  }
  refuseOptions(options, postTrainingOnly, 'not with --method training');
  const refreshes = Number(options['mask-refreshes'] ?? 0) !== 0;
  if (!refreshes) refuseOptions(options, ['pruned-gradient'], 'only --mask-refreshes has it');
  if (options.pytorch !== undefined) {
    refuseOptions(options, ownEngineOnly, 'not with --pytorch');
    if (refreshes)
      refuseOptions(
        options,
        ['relax', 'first-bit-limit', ...Object.keys(withRelax)],
        'not with --mask-refreshes, which chooses the bits',
      );
    return;
  }
  const admm = ['admm-epochs', 'admm-rate'];
  if (options.relax !== undefined)
    refuseOptions(options, [...admm, 'mask-refreshes'], 'not with --relax, which chooses the bits');
  else {
    refuseOptions(options, Object.keys(withRelax), 'only --relax and --pytorch have it');
    if (!refreshes) refuseOptions(options, ['pull'], 'only --relax, --mask-refreshes and --pytorch have it');
    const chosen = [...admm, 'first-bit-limit'];
    if (options.start !== undefined) refuseOptions(options, chosen, 'not with --start, which gives the bits');
  }
}

export interface TrainingCommandInput {
  readonly model: FloatModel;
  readonly dataset: Dataset;
  /** Calibration pictures. */
  readonly pictures: Pictures;
  readonly output: string;
  /** The pruned network whose bits are retrained. */
  readonly start?: IntegerModel;
  readonly settings: {
    readonly tileRows: number;
    readonly adcBits: AdcBits;
    readonly valueLimit?: number;
    readonly encoding?: EncodingName;
    readonly weightBits: number;
    readonly inputBits: number;
    readonly seed: number;
  };
}

/** A training that was carried out. */
interface TrainedPruning {
  /** Undefined when the signal stopped it. */
  readonly network: IntegerNetwork | undefined;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly curves: Readonly<Record<string, unknown>>;
  readonly engine: ReturnType<typeof engineVersion>;
}

/**
 * `prune --method training`: network ADMM or the bits of a pruned network, then masked retraining; or relaxed training,
 * then frozen bits, with `--pytorch` there. Resumes.
 */
export async function pruneByTrainingCommand(
  input: TrainingCommandInput,
  options: Options,
  context: CommandContext,
): Promise<CommandResult> {
  const { model, dataset, pictures, output, start, settings: fixed } = input;
  const { onProgress } = context;
  const python = pythonOf(options);
  const folder =
    textOption(options, 'checkpoints') ??
    join(packageRoot().root, 'runs', basename(output).replace(/\.safetensors$/, ''));
  makeFolder(folder);
  const startedAt = new Date();
  const { network, settings, curves, engine } =
    python === undefined
      ? await byOwnEngine(input, options, context, folder)
      : await byPytorch(python, input, options, context, folder);
  if (!network)
    return {
      data: { finished: false, folder },
      text: `stopped; the same command goes on from ${folder}`,
      exitCode: 130,
    };
  const accuracy = integerAccuracy(network, dataset.test, { onProgress });
  const float = floatAccuracy(model, dataset, dataset.test, { onProgress });
  const unpruned = quantizedModel(model, dataset, pictures);
  const integer = integerAccuracy(unpruned, dataset.test, { onProgress });
  const { lossless } = certifyNetwork(network);
  saveIntegerNetwork(output, network, {
    source: { model: model.name, sha256: model.sha256 },
    ...(start && { start: { model: start.name, sha256: start.sha256 } }),
    settings,
    curves,
    top1: accuracy.top1,
    floatTop1: float.top1,
    integerTop1: integer.top1,
    provenance: provenance({
      parameters: { ...settings, calibration: pictures.count },
      seeds: { training: fixed.seed },
      dataChecksums: dataset.checksums,
      engine,
      startedAt,
    }),
  });
  return {
    data: { output, lossless, accuracy, float, integer, ...curves },
    text: `${output}: ${accuracy.top1.toFixed(2)} % on ${accuracy.pictures} test pictures of ${dataset.title} (float ${float.top1.toFixed(2)} %, 8 bits ${integer.top1.toFixed(2)} %), ${lossless ? `no conversion of ${fixed.tileRows} rows can clip a ${adcBitsText(fixed.adcBits)}-bit ADC` : 'LIMITS BROKEN'}`,
  };
}

/** What both engines take. */
function subject({ model, dataset, pictures, start }: TrainingCommandInput, { note }: CommandContext) {
  const { description } = model;
  const normalisation = normalisationOf(model, dataset);
  return {
    description,
    parameters: trainableParameters(description, model.parameters, normalisation, dataset, note),
    normalisation,
    dataset,
    calibration: pictures,
    start: start?.network,
  };
}

async function byOwnEngine(
  input: TrainingCommandInput,
  options: Options,
  context: CommandContext,
  folder: string,
): Promise<TrainedPruning> {
  const { onProgress, note, signal } = context;
  const defaults = trainingPruningDefaults;
  const { epochs, rate, ...numbers } = trainingNumbers(options, {
    ...defaults,
    epochs: defaults.retrainEpochs,
    rate: defaults.retrainRate,
  });
  const relaxation = options.relax === undefined ? undefined : relaxationOf(options, 0);
  const refreshing = refreshingOf(options);
  const settings = {
    ...defaults,
    ...input.settings,
    ...numbers,
    relaxation,
    maskRefreshes: refreshing?.refreshes ?? 0,
    pull: refreshing?.pull,
    prunedGradient: refreshing?.prunedGradient,
    admmEpochs: relaxation ? 0 : (wholeNumber(options, 'admm-epochs', 0, 10_000) ?? defaults.admmEpochs),
    retrainEpochs: epochs,
    admmRate: realNumber(options, 'admm-rate', 1e-9, 10) ?? defaults.admmRate,
    retrainRate: rate,
    frozenBatchNorm: options['frozen-batch-norm'] === true || undefined,
    firstBitLimit: wholeNumber(options, 'first-bit-limit', 1, 65_535),
    precision: precisionOption(options) ?? defaults.precision,
    quantizedActivations: options['quantized-activations'] === true,
  };
  const { network, ...curves } = await pruneByTraining({
    ...subject(input, context),
    settings,
    folder,
    signal,
    onProgress,
    onEpoch: (stage, record, epochs) => note(epochLine(stage, record, epochs)),
  });
  // With --start there are none, whatever the defaults are.
  const ran = { ...settings, admmEpochs: curves.admm.length };
  return { network, settings: ran, curves, engine: engineVersion() };
}

async function byPytorch(
  python: string,
  input: TrainingCommandInput,
  options: Options,
  context: CommandContext,
  folder: string,
): Promise<TrainedPruning> {
  const { note, signal } = context;
  const { tileRows, adcBits, weightBits, inputBits, seed } = input.settings;
  if (typeof adcBits !== 'number') throw new Error('PyTorch prunes all layers and planes alike');
  const prune = pytorchPruning(options, tileRows, adcBits);
  const stage = { ...pytorchStage(trainingNumbers(options, pytorchDefaults)), prune };
  const bits = { weightBits, inputBits };
  const pruned = await pruneByPytorch({
    ...subject(input, context),
    python,
    folder,
    stage,
    adcBits,
    bits,
    seed,
    note,
    signal,
  });
  return {
    network: pruned?.network,
    settings: { ...input.settings, ...stage },
    curves: { training: pruned?.curve },
    engine: pruned?.engine ?? engineVersion(),
  };
}

function epochLine(stage: string, record: EpochRecord, epochs: number): string {
  const { epoch, loss, trainAccuracy, testAccuracy, seconds, steering } = record;
  const test = testAccuracy === null ? '' : `, test ${testAccuracy.toFixed(2)} %`;
  const report = Object.entries(steering ?? {}).map(([name, value]) => `, ${name} ${value.toPrecision(3)}`);
  return `${stage} ${epoch + 1}/${epochs}: loss ${loss.toFixed(3)}, train ${trainAccuracy.toFixed(1)} %${test}${report.join('')}, ${seconds.toFixed(0)} s`;
}
