import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { defaultCalibration, postTrainingDefaults } from '../admm/post-training-settings';
import { trainingPruningDefaults } from '../admm/training-pruning-settings';
import { checkWhole } from '../check-number';
import type { Dataset } from '../data/dataset';
import type { OnProgress } from '../progress';
import { loadIntegerNetwork, saveIntegerNetwork } from '../quantization/model-file';
import type { Accuracy } from '../training/evaluate';
import type { EpochRecord } from '../training/train';
import { integerAccuracy } from './accuracy';
import { dropsBelow, keptBaselines } from './baselines';
import { cachedLater, cachedResult, writeJson } from './cached-result';
import { calibrationPictures } from './calibration';
import { type CertifiedRow, certifiedRow } from './certified-row';
import { normalisationOf } from './normalisation';
import type { FloatModel } from './open-model';
import { quantizedModel } from './quantized-model';
import { type RivalEntry, rivalEntries, type UnprunedEntry, unprunedEntries } from './rival-entries';
import { describeStudy, type Study } from './study';
import { RIVAL_BITS, trainRival } from './train-rival';
import { clippedLine, rowLimitedLine } from './unpruned-lines';

export interface RivalsOptions {
  readonly model: FloatModel;
  readonly dataset: Dataset;
  /** Where every line's result, network and training state are kept; an interrupted run goes on from there. */
  readonly folder: string;
  readonly entries?: readonly RivalEntry[];
  /** Default: all. */
  readonly unpruned?: readonly UnprunedEntry[];
  /** Test pictures of clipped dense, whose every conversion is simulated; default 1000. */
  readonly clippedPictures?: number;
  /** Default 128. */
  readonly tileRows?: number;
  /** Default 2 and 3; ablations at the lowest alone, where parts matter most. */
  readonly adcBits?: readonly number[];
  /** Training epochs of every line; default 2. */
  readonly epochs?: number;
  /** Highest learning rate; default 0.02. */
  readonly rate?: number;
  readonly batchSize?: number;
  readonly seed?: number;
  /** Seeds of the lines that are repeated, at the lowest resolution; default 3. */
  readonly seeds?: number;
  readonly calibration?: number;
  readonly iterations?: number;
  readonly patches?: number;
  readonly onProgress?: OnProgress;
  readonly note?: (line: string) => void;
}

/** A line at one ADC resolution, after its training. */
export interface RivalRow extends CertifiedRow {
  readonly name: string;
  readonly title: string;
  readonly kind: (RivalEntry | UnprunedEntry)['kind'];
  readonly adcBits: number;
  /** On all test pictures (clipped dense: the first); `before` training, where its bits were chosen without. */
  readonly accuracy: Accuracy;
  readonly before?: Accuracy;
  /** top-1 of every seed, the row's own first, where the line was repeated with others: calibration and training anew. */
  readonly bySeed?: readonly number[];
  readonly dropFromFloat: number;
  readonly dropFrom8bit: number;
  readonly curve: readonly EpochRecord[];
  readonly seconds: number;
}

export interface RivalsResult extends Study {
  readonly tileRows: number;
  readonly epochs: number;
  readonly rate: number;
  readonly batchSize: number;
  /** Of the lines that are repeated. */
  readonly seeds: number;
  /** ADMM iterations and patches a layer of what is pruned without training. */
  readonly iterations: number;
  readonly patches: number;
  readonly float: Accuracy;
  readonly integer: Accuracy;
  readonly rows: readonly RivalRow[];
}

/** The lines whose training is repeated with other seeds: ours and the rival nearest to it. */
const REPEATED: readonly string[] = ['hierarchical', 'greedy'];

/** Raise it when the same settings give other results. */
const REVISION = 1;

/**
 * The methods at equal R, ADC bits, weight and activation bits and equal training: each chooses its bits, trains as long as
 * the others under the limits its method knows, and is certified and measured from its file on all test pictures. Beside
 * them the unpruned network, reading few rows at a time or clipping.
 */
export async function compareTrained(options: RivalsOptions): Promise<RivalsResult> {
  const { folder, entries = rivalEntries, adcBits = [2, 3], seeds = 3, model, dataset } = options;
  mkdirSync(folder, { recursive: true });
  const bench = openBench(options);
  const { settings, key } = bench;
  const otherSeeds = entries.some(({ name }) => REPEATED.includes(name))
    ? Array.from({ length: seeds - 1 }, (_, i) => reseeded(options, bench, settings.seed + i + 1))
    : [];
  const rows: RivalRow[] = [];
  // All lines at one resolution before the next: an interrupted run leaves whole comparisons.
  const lowest = Math.min(...adcBits);
  const wanted = (bits: number) => entries.filter(({ kind }) => kind !== 'ablation' || bits === lowest);
  const { unpruned = unprunedEntries } = options;
  const jobs = adcBits.flatMap((bits) => [...wanted(bits), ...unpruned].map((entry) => ({ entry, bits })));
  for (const [i, { entry, bits }] of jobs.entries()) {
    const name = `${entry.name}-adc${bits}`;
    const at = `${i + 1}/${jobs.length} ${name}`;
    const onProgress: OnProgress = (p) => options.onProgress?.({ ...p, note: `${at}: ${p.note ?? ''}` });
    const row =
      entry.kind === 'unpruned'
        ? cachedResult(folder, name, { ...key, entry, bits, limit: bench.clippedPictures }, () =>
            measureUnpruned(bench, entry, bits, onProgress),
          )
        : await keptRow(bench, entry, bits, onProgress);
    options.note?.(`${at}: ${row.accuracy.top1.toFixed(2)} %`);
    const others: number[] = [];
    if (entry.kind !== 'unpruned' && bits === lowest && REPEATED.includes(entry.name))
      for (const other of otherSeeds) {
        const { accuracy } = await keptRow(other, entry, bits, onProgress);
        options.note?.(`${at}, seed ${other.settings.seed}: ${accuracy.top1.toFixed(2)} %`);
        others.push(accuracy.top1);
      }
    rows.push(others.length > 0 ? { ...row, bySeed: [row.accuracy.top1, ...others] } : row);
  }
  const result: RivalsResult = {
    ...describeStudy(model, dataset, settings),
    tileRows: settings.tileRows,
    epochs: settings.epochs,
    rate: settings.rate,
    batchSize: settings.batchSize,
    seeds,
    iterations: settings.iterations ?? postTrainingDefaults.iterations,
    patches: settings.patches ?? postTrainingDefaults.patches,
    ...bench.baselines(dataset.test.count),
    rows,
  };
  writeJson(join(folder, 'results.json'), result);
  return result;
}

type Bench = ReturnType<typeof openBench>;

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
  // Network ADMM and retraining share them.
  checkWhole('epochs', settings.epochs, 2);
  const pictures = calibrationPictures(dataset.train, settings.calibration, seed);
  const normalisation = normalisationOf(model, dataset);
  const quantized = quantizedModel(model, dataset, pictures, RIVAL_BITS);
  const key = { revision: REVISION, model: model.identity, data: dataset.checksums, ...settings };
  const { onProgress } = options;
  const clippedPictures = Math.min(options.clippedPictures ?? 1000, dataset.test.count);
  const baselines = keptBaselines({ model, quantized, dataset, folder, key, onProgress });
  return {
    model,
    dataset,
    folder,
    settings,
    pictures,
    normalisation,
    quantized,
    key,
    clippedPictures,
    baselines,
  };
}

async function measure(
  bench: Bench,
  entry: RivalEntry,
  adcBits: number,
  path: string,
  onProgress: OnProgress,
): Promise<RivalRow> {
  const started = performance.now();
  const { model, dataset, settings, quantized } = bench;
  const { network: made, before, curve } = await trainRival({ ...bench, onProgress }, entry, adcBits);
  saveIntegerNetwork(path, made, {
    source: { model: model.name, sha256: model.sha256 },
    settings: { ...settings, ...entry, adcBits },
  });
  // What is certified and measured is what was written.
  const network = loadIntegerNetwork(path);
  const accuracy = integerAccuracy(network, dataset.test, { onProgress });
  return {
    ...rowOf(bench, entry, adcBits, accuracy),
    ...(before && { before }),
    ...certifiedRow(network, quantized, { tileRows: settings.tileRows, adcBits }),
    curve,
    seconds: (performance.now() - started) / 1000,
  };
}

/** The same with another seed, in a folder of its own; what float and 8-bit network have stays. */
function reseeded(options: RivalsOptions, { baselines }: Bench, seed: number): Bench {
  const folder = join(options.folder, `seed${seed}`);
  mkdirSync(folder, { recursive: true });
  return { ...openBench({ ...options, folder, seed }), baselines };
}

/** A trained line, or what an earlier run kept of it. */
function keptRow(
  bench: Bench,
  entry: RivalEntry,
  adcBits: number,
  onProgress: OnProgress,
): Promise<RivalRow> {
  const name = `${entry.name}-adc${adcBits}`;
  const path = join(bench.folder, `${name}.safetensors`);
  const make = () => measure(bench, entry, adcBits, path, onProgress);
  return cachedLater(bench.folder, name, { ...bench.key, entry, bits: adcBits }, make, [path]);
}

function measureUnpruned(
  bench: Bench,
  entry: UnprunedEntry,
  adcBits: number,
  onProgress: OnProgress,
): RivalRow {
  const started = performance.now();
  const { quantized, dataset, settings, clippedPictures } = bench;
  const unpruned = { quantized, dataset, seed: settings.seed };
  const crossbar = { tileRows: settings.tileRows, adcBits };
  const measured =
    entry.name === 'clipped'
      ? clippedLine(unpruned, crossbar, clippedPictures, onProgress)
      : rowLimitedLine(unpruned, crossbar, bench.baselines(dataset.test.count).integer);
  return {
    ...measured,
    ...rowOf(bench, entry, adcBits, measured.accuracy),
    curve: [],
    seconds: (performance.now() - started) / 1000,
  };
}

/** What every line tells; drops are from the float and the 8-bit network on the same pictures. */
function rowOf(
  bench: Bench,
  { name, title, kind }: RivalEntry | UnprunedEntry,
  adcBits: number,
  accuracy: Accuracy,
) {
  return {
    name,
    title,
    kind,
    adcBits,
    accuracy,
    ...dropsBelow(bench.baselines(accuracy.pictures), accuracy),
  };
}
