import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { InputError } from '../errors';
import { modelInference } from '../experiments/accuracy';
import { openFloatModel } from '../experiments/open-model';
import { requireFit } from '../experiments/require-fit';
import type { Parameters } from '../networks/description';
import { fittingParameters } from '../networks/fitting-parameters';
import { networkByName } from '../networks/network-by-name';
import { saveParameters } from '../networks/save-parameters';
import { packageRoot } from '../package-root';
import { provenance } from '../reports/provenance';
import { engineVersion, requireNativeEngine } from '../tensor/engine';
import { trainableParameters } from '../training/align-batch-norm';
import { evaluateParameters } from '../training/evaluate';
import { type PytorchJob, type PytorchStage, runPytorch } from '../training/pytorch/run-pytorch';
import type { Schedule } from '../training/schedule';
import { defaultRecipe, type EpochRecord, type ResizingPhase, train } from '../training/train';
import { type Command, type CommandResult, type Options, oneOf, textOption, wholeNumber } from './command';
import { datasetOptions, namedDataset, openNamed } from './dataset-options';
import { requireWritable } from './output-file';
import { precisionHelp, precisionOption } from './precision-option';
import { pythonOf, pytorchOption, pytorchStage } from './pytorch-options';
import { refuseOptions } from './refuse-options';
import { augmentationOptions, trainingNumbers } from './training-options';

export const trainCommand: Command = {
  name: 'train',
  usage: 'NETWORK [--epochs N] [--rate X] [-o OUT.safetensors]',
  summary:
    'Trains a network. The state is kept after every epoch, and the same command goes on from it, bit for bit; Ctrl-C\nloses the running epoch only. Writes the averaged weights with curve and provenance.',
  options: {
    epochs: { value: 'N', help: `(default ${defaultRecipe.epochs})` },
    'batch-size': { value: 'N', help: `(default ${defaultRecipe.batchSize})` },
    rate: { value: 'X', help: `highest learning rate (default ${defaultRecipe.schedule.peak})` },
    schedule: { value: 'NAME', help: 'one-cycle (default), cosine or constant' },
    warmup: {
      value: 'X',
      help: `share of the steps that climbs to the highest rate (default ${defaultRecipe.schedule.warmup})`,
    },
    'weight-decay': { value: 'X', help: `(default ${defaultRecipe.weightDecay})` },
    'label-smoothing': { value: 'X', help: `(default ${defaultRecipe.labelSmoothing})` },
    teacher: { value: 'MODEL', help: 'a trained float network whose probabilities are learnt' },
    distillation: {
      value: 'X',
      help: `share of the teacher in the targets (default ${defaultRecipe.distillation})`,
    },
    start: {
      value: 'MODEL',
      help: 'go on from a trained float network; what does not fit, as a classifier of other classes, is fresh',
    },
    ...augmentationOptions,
    resizing: {
      value: 'LIST',
      help: 'progressive resizing, SIDE:EPOCHS,...: 16:8,24:3 shows 16 pixels for 8 epochs, 24 for 3, then all',
    },
    precision: precisionHelp,
    seed: { value: 'N', help: `(default ${defaultRecipe.seed})` },
    ...datasetOptions,
    checkpoint: { value: 'FILE', help: 'where the state is kept (default runs/NETWORK-SEED.safetensors)' },
    'stop-after': {
      value: 'N',
      help: 'end after N of the epochs, in the middle of the schedule, and write what there is then',
    },
    'evaluate-every': { value: 'N', help: 'epochs between tests (default 1)' },
    'average-decay': {
      value: 'X',
      help: `decay a step of the moving average of the weights (default ${defaultRecipe.averageDecay})`,
    },
    pytorch: pytorchOption,
    half: { help: 'write the network in float16 (3 digits, half the size)' },
    output: { value: 'OUT', help: 'the trained network (default runs/NETWORK.safetensors)' },
  },
  words: [1, 1],
  stopsCleanly: true,
  async run([name], options, { onProgress, note, signal }) {
    const python = pythonOf(options);
    if (python === undefined) requireNativeEngine('training');
    // An unknown name is told before data are read.
    networkByName(name);
    const [teacher, start] = ['teacher', 'start'].map((option) => {
      const model = textOption(options, option);
      return model === undefined ? undefined : openFloatModel(model);
    });
    if (!teacher) refuseOptions(options, ['distillation'], 'only with --teacher');
    const stage = python === undefined ? undefined : pytorchRecipe(options);
    const recipe = { ...recipeFrom(options), teacher: teacher?.sha256, start: start?.sha256 };
    const runs = join(packageRoot().root, 'runs');
    const output = textOption(options, 'output') ?? join(runs, `${name}.safetensors`);
    const checkpoint =
      textOption(options, 'checkpoint') ?? join(runs, `${name}-seed${recipe.seed}.state.safetensors`);
    mkdirSync(runs, { recursive: true });
    const inputs = [teacher, start].flatMap((model) => model?.path ?? []);
    for (const path of [output, checkpoint]) requireWritable(path, inputs);
    if (resolve(output) === resolve(checkpoint))
      throw new InputError(
        `--checkpoint ${checkpoint}: the trained network goes there, another file is needed`,
      );
    const dataset = await openNamed(namedDataset(options, onProgress), note);
    const network = networkByName(name, { classes: dataset.classes.length });
    requireFit(network, dataset);
    const fitting = start && fittingParameters(network, start.parameters, recipe.seed);
    if (fitting && fitting.fresh.length > 0)
      note(`fresh, for ${start.name} has no such: ${fitting.fresh.join(', ')}`);
    const parameters = fitting && trainableParameters(network, fitting.parameters, dataset, dataset, note);
    const startedAt = new Date();
    if (python !== undefined && stage) {
      const job = {
        network,
        dataset,
        normalisation: dataset,
        stage,
        seed: recipe.seed,
        start: parameters,
        teacher: teacher?.parameters,
      };
      const sources = { teacher: teacher?.sha256, start: start?.sha256 };
      const half = options.half === true;
      return trainByPytorch(python, job, { output, half, sources, startedAt, note, signal });
    }
    const inference = teacher && modelInference(teacher, dataset);
    const result = await train({
      network,
      dataset,
      recipe,
      checkpoint,
      signal,
      onProgress,
      start: parameters,
      teacher: inference,
      evaluateEvery: wholeNumber(options, 'evaluate-every', 1, 10_000),
      stopAfter: wholeNumber(options, 'stop-after', 1, 10_000),
      onEpoch: (record) => note(epochLine(record, recipe.epochs)),
    });
    inference?.dispose();
    const last = result.curve.at(-1);
    if (!result.finished)
      return {
        data: { finished: false, checkpoint, epochs: result.curve.length },
        text: `stopped after ${result.curve.length} of ${recipe.epochs} epochs; the same command goes on from ${checkpoint}`,
        exitCode: 130,
      };
    const notes = {
      mean: JSON.stringify(dataset.mean),
      std: JSON.stringify(dataset.std),
      recipe: JSON.stringify(recipe),
      curve: JSON.stringify(result.curve),
      top1: String(last?.testAccuracy),
      provenance: JSON.stringify(
        provenance({
          parameters: { ...recipe },
          seeds: { training: recipe.seed },
          dataChecksums: dataset.checksums,
          engine: engineVersion(),
          startedAt,
        }),
      ),
    };
    saveParameters(output, network, result.parameters, notes, options.half === true);
    return {
      data: { finished: true, output, top1: last?.testAccuracy, curve: result.curve },
      text: `${output}: ${last?.testAccuracy?.toFixed(2)} % on the ${dataset.test.count} test pictures of ${dataset.title}`,
    };
  },
};

/** The recipe for the other engine. @throws InputError for what it does not do */
export function pytorchRecipe(options: Options): PytorchStage {
  if (scheduleKind(options) !== 'cosine')
    throw new InputError(`--pytorch: rates fall on a cosine: give --schedule cosine`);
  const foreign = ['resizing', 'views', 'precision', 'evaluate-every', 'stop-after', 'checkpoint'];
  refuseOptions(options, foreign, 'not with --pytorch');
  return pytorchStage(trainingNumbers(options, recipeDefaults));
}

interface PytorchOutput {
  readonly output: string;
  readonly half: boolean;
  /** SHA-256 of the networks that it learns and starts from. */
  readonly sources: { readonly teacher?: string; readonly start?: string };
  readonly startedAt: Date;
  readonly note: (line: string) => void;
  readonly signal: AbortSignal;
}

/** `train --pytorch`: job and result are kept in the folder beside the output. */
async function trainByPytorch(
  python: string,
  job: PytorchJob,
  { output, half, sources, startedAt, note, signal }: PytorchOutput,
): Promise<CommandResult> {
  const folder = output.replace(/\.safetensors$/, '');
  const result = await runPytorch(python, folder, job, { note, signal });
  if (!result)
    return {
      data: { finished: false, folder },
      text: `stopped; the same command goes on from ${folder}`,
      exitCode: 130,
    };
  const { network, dataset, seed } = job;
  const recipe = { ...job.stage, ...sources };
  const parameters: Parameters = new Map();
  for (const [name, { shape, data }] of result.tensors)
    parameters.set(name, { shape, data: data as Float32Array });
  const { top1 } = evaluateParameters(network, parameters, dataset, dataset.test);
  const notes = {
    mean: dataset.mean,
    std: dataset.std,
    recipe,
    curve: result.curve,
    top1,
    provenance: provenance({
      parameters: recipe,
      seeds: { training: seed },
      dataChecksums: dataset.checksums,
      engine: result.engine,
      startedAt,
    }),
  };
  const texts = Object.fromEntries(Object.entries(notes).map(([key, value]) => [key, JSON.stringify(value)]));
  saveParameters(output, network, parameters, texts, half);
  return {
    data: { finished: true, output, top1, curve: result.curve },
    text: `${output}: ${top1.toFixed(2)} % on the ${dataset.test.count} test pictures of ${dataset.title}`,
  };
}

const { peak, warmup = 0 } = defaultRecipe.schedule;
const recipeDefaults = { ...defaultRecipe, rate: peak, warmup };

/** The recipe that the options of `train` ask for. @throws InputError naming the option that is out of range */
export function recipeFrom(options: Options) {
  const { rate, warmup, ...numbers } = trainingNumbers(options, recipeDefaults);
  return {
    ...defaultRecipe,
    ...numbers,
    precision: precisionOption(options) ?? defaultRecipe.precision,
    schedule: { kind: scheduleKind(options), peak: rate, warmup },
    seed: wholeNumber(options, 'seed', 0, 2 ** 31) ?? defaultRecipe.seed,
    resizing: resizingOf(textOption(options, 'resizing')),
  } as const;
}

function scheduleKind(options: Options): Schedule['kind'] {
  const kind = textOption(options, 'schedule') ?? defaultRecipe.schedule.kind;
  return oneOf('schedule', ['one-cycle', 'cosine', 'constant'], kind);
}

function resizingOf(text: string | undefined): ResizingPhase[] | undefined {
  return text?.split(',').map((phase) => {
    const parts = /^(\d+):(\d+)$/.exec(phase);
    if (!parts) throw new InputError(`--resizing ${text}: '${phase}' is not SIDE:EPOCHS`);
    return { side: Number(parts[1]), epochs: Number(parts[2]) };
  });
}

function epochLine(
  { epoch, loss, trainAccuracy, testAccuracy, seconds }: EpochRecord,
  epochs: number,
): string {
  const test = testAccuracy !== null ? `, test ${testAccuracy.toFixed(2)} %` : '';
  return `epoch ${epoch + 1}/${epochs}: loss ${loss.toFixed(3)}, train ${trainAccuracy.toFixed(1)} %${test}, ${seconds.toFixed(0)} s`;
}
