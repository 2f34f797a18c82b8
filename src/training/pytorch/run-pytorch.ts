import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { Dataset, PictureSet } from '../../data/dataset';
import { InputError } from '../../errors';
import type { NetworkDescription, Parameters } from '../../networks/description';
import type { InferenceOptions } from '../../networks/inference';
import { makeFolder } from '../../networks/make-folder';
import { readSafetensors, readSafetensorsMetadata } from '../../networks/read-safetensors';
import type { StoredTensor } from '../../networks/stored-tensor';
import { type WritableTensor, writeSafetensors } from '../../networks/write-safetensors';
import { packageRoot } from '../../package-root';
import { hashParameters } from '../hash-parameters';

/**
 * One training by PyTorch (`run_job.py` beside this file): SGD with Nesterov momentum 0.9, rates that climb linearly and
 * fall on half a cosine, products in bfloat16 on a GPU.
 */
export interface PytorchStage {
  readonly epochs: number;
  readonly batchSize: number;
  /** Highest learning rate. */
  readonly rate: number;
  /** Share of the steps that climbs to it. */
  readonly warmup: number;
  readonly weightDecay: number;
  readonly labelSmoothing: number;
  readonly crop: number;
  readonly cutout: number;
  /** Decay a step of the moving average of the weights. */
  readonly averageDecay: number;
  /** Share of the teacher in the targets, where there is one. */
  readonly distillation: number;
  /** Share of the pictures that are mixed with another, and so are their targets (mixup: Zhang et al. 2018). Default 0. */
  readonly mixing?: number;
  readonly prune?: PytorchPruning;
}

/** Pruning while training, in one of two ways. */
export type PytorchPruning = PytorchLimits & (PytorchRelaxation | PytorchRefreshing);

interface PytorchLimits {
  /** R */
  readonly rows: number;
  /** k_b */
  readonly bitLimit: number;
  /** A sign and the bit planes of a weight. Default 8. */
  readonly weightBits?: number;
}

/**
 * Real weights follow the loss and after every step are drawn to the nearest codes that keep the limits (ProxQuant: Bai,
 * Wang and Liberty 2019), at last firmly; then bits are frozen and only codes are used.
 */
export interface PytorchRelaxation {
  /** k_b at the first projection; falls to `bitLimit` over the first half of the relaxed steps. */
  readonly firstBitLimit?: number;
  /** Steps between two choices of bits. */
  readonly interval: number;
  /** Share of the training that is relaxed. */
  readonly relax: number;
  /** Share of the way to the codes that a step takes: of the first and of the last relaxed one, geometric in between. */
  readonly pull: readonly [first: number, last: number];
}

/** Only codes are used, from the first step on; their bits are chosen anew on the way. */
export interface PytorchRefreshing {
  /** Times that they are, evenly over the first 85 % of the training. */
  readonly refreshes: number;
  /** As of a relaxation, of the steps up to the last choice. */
  readonly pull: readonly [first: number, last: number];
  /** Share of its gradient that a weight without bits follows, above 0 and up to 1. Default 1. */
  readonly prunedGradient?: number;
}

export interface PytorchJob {
  readonly network: NetworkDescription;
  readonly dataset: Dataset;
  readonly normalisation: InferenceOptions;
  readonly stage: PytorchStage;
  readonly seed: number;
  /** Default: fresh parameters. */
  readonly start?: Parameters;
  readonly teacher?: Parameters;
}

/** A line of the curve. */
export interface PytorchEpoch {
  readonly epoch: number;
  readonly loss: number;
  /** Percent of the augmented training pictures on which network and targets agree, while the epoch ran. */
  readonly trainAccuracy: number;
  /** Percent right on all test pictures, of the averaged weights as codes; every tenth and the last epoch. */
  readonly testAccuracy?: number;
  /** Since the training began. */
  readonly seconds: number;
}

export interface PytorchResult {
  /** By PyTorch name; of a pruned layer L `L.codes` and `L.scales` stand for `L.weight`. */
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  readonly curve: readonly PytorchEpoch[];
  /** The version with the device. */
  readonly engine: { readonly name: string; readonly version: string };
}

const RESULT = 'result.safetensors';

/**
 * Trains with the PyTorch of `python`. Everything it needs is written to `folder` (job.json, data, start, teacher), so
 * that another machine can run it; a result of the same job that is there is taken as it is, and from a state of the
 * same job it goes on.
 * @throws InputError where Python or PyTorch is missing or the training fails
 */
export async function runPytorch(
  python: string,
  folder: string,
  job: PytorchJob,
  { note, signal }: { readonly note: (line: string) => void; readonly signal?: AbortSignal },
): Promise<PytorchResult | undefined> {
  const output = resolve(folder, RESULT);
  makeFolder(folder);
  if (!existsSync(output) || !isOf(output, job)) {
    const path = writeJob(folder, job);
    const finished = await run(python, path, job, note, signal);
    if (!finished) return undefined;
  }
  const { tensors, metadata } = readSafetensors(output);
  return { tensors, curve: JSON.parse(metadata.curve), engine: JSON.parse(metadata.engine) };
}

/** Whether a result is that of a job. */
function isOf(path: string, job: PytorchJob): boolean {
  return readSafetensorsMetadata(path).key === JSON.stringify(keyOf(job));
}

/** Raise it when the same job gives another result. */
const REVISION = 3;

/** SHA-256 over all that a job's result depends on. */
function keyOf({ network, dataset, normalisation, stage, seed, start, teacher }: PytorchJob): string {
  const { mean, std } = normalisation;
  const hash = createHash('sha256');
  const revision = REVISION;
  hash.update(JSON.stringify({ revision, network, mean, std, stage, seed, data: dataset.checksums }));
  for (const parameters of [start, teacher]) {
    hash.update('|');
    hashParameters(hash, parameters);
  }
  return hash.digest('hex');
}

function writeJob(folder: string, job: PytorchJob): string {
  const { network, dataset, normalisation, stage, seed } = job;
  const at = (name: string) => resolve(folder, `${name}.safetensors`);
  writeSafetensors(
    at('data'),
    new Map([...pictureTensors('train', dataset.train), ...pictureTensors('test', dataset.test)]),
  );
  const written = (name: 'start' | 'teacher') => {
    const parameters = job[name];
    if (!parameters) return null;
    writeSafetensors(at(name), parameters);
    return at(name);
  };
  const { mean, std } = normalisation;
  const fields = {
    key: keyOf(job),
    description: network,
    mean,
    std,
    seed,
    stage,
    output: resolve(folder, RESULT),
  };
  const files = { data: at('data'), start: written('start'), teacher: written('teacher') };
  const path = join(folder, 'job.json');
  writeFileSync(path, JSON.stringify({ ...fields, ...files }));
  return path;
}

function pictureTensors(
  part: string,
  { count, height, width, channels, pixels, labels }: PictureSet,
): [string, WritableTensor][] {
  return [
    [`${part}.pixels`, { shape: [count, height, width, channels], data: pixels }],
    [`${part}.labels`, { shape: [count], data: labels }],
  ];
}

/** Runs run_job.py; false when the signal stopped it. */
function run(
  python: string,
  path: string,
  { stage }: PytorchJob,
  note: (line: string) => void,
  signal?: AbortSignal,
): Promise<boolean> {
  if (signal?.aborted) return Promise.resolve(false);
  const script = join(packageRoot().root, 'src/training/pytorch/run_job.py');
  const child = spawn(python, [script, path], { stdio: ['ignore', 'pipe', 'pipe'] });
  const stop = () => void child.kill();
  process.once('exit', stop);
  signal?.addEventListener('abort', stop);
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-4000);
  });
  createInterface({ input: child.stdout }).on('line', (line) => note(pytorchLine(line, stage.epochs)));
  return new Promise((fulfil, reject) => {
    child.on('error', (error) => reject(new InputError(`--pytorch: cannot run ${python}: ${error.message}`)));
    child.on('close', (status) => {
      process.removeListener('exit', stop);
      signal?.removeEventListener('abort', stop);
      if (status === 0) fulfil(true);
      else if (signal?.aborted) fulfil(false);
      else
        reject(
          new InputError(
            `--pytorch: ${python} failed: ${said.trim().split('\n').at(-1) ?? `status ${status}`}`,
          ),
        );
    });
  });
}

/** An epoch's record as a line for people; what is none, as a warning of a library, as it is. */
function pytorchLine(line: string, epochs: number): string {
  if (!line.startsWith('{"epoch"')) return line;
  const { epoch, loss, trainAccuracy, testAccuracy, seconds } = JSON.parse(line) as PytorchEpoch;
  const test = testAccuracy === undefined ? '' : `, test ${testAccuracy.toFixed(2)} %`;
  return `epoch ${epoch + 1}/${epochs}: loss ${loss.toFixed(3)}, train ${trainAccuracy.toFixed(1)} %${test}, ${seconds.toFixed(0)} s`;
}
