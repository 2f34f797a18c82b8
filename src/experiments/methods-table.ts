import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import {
  defaultCalibration,
  type PostTrainingSettings,
  postTrainingDefaults,
} from '../admm/post-training-settings';
import { prunePostTraining } from '../admm/prune-post-training';
import type { Compensation, PruningMethod } from '../admm/pruning-method';
import type { Dataset } from '../data/dataset';
import { InputError } from '../errors';
import type { Pictures } from '../networks/inference';
import type { OnProgress } from '../progress';
import type { IntegerNetwork } from '../quantization/integer-network';
import { loadIntegerNetwork, saveIntegerNetwork } from '../quantization/model-file';
import type { Accuracy } from '../training/evaluate';
import { integerAccuracy } from './accuracy';
import { type Baselines, dropsBelow, keptBaselines } from './baselines';
import { cachedResult, writeJson } from './cached-result';
import { calibrationPictures } from './calibration';
import { type CertifiedRow, type ComparedCrossbar, certifiedRow } from './certified-row';
import { certifyNetwork } from './certify-network';
import { gapHistogram } from './gap-histogram';
import { normalisationOf } from './normalisation';
import { type FloatModel, type IntegerModel, openIntegerModel } from './open-model';
import { quantizedModel } from './quantized-model';
import { describeStudy, modelChecksums, type Study } from './study';
import { clippedLine, rowLimitedLine } from './unpruned-lines';

/** Everything compared: methods of pruning, and what leaves the weights alone. */
export type ComparedMethod = PruningMethod | 'unpruned' | 'row-limited' | 'clipped' | 'trained';

/** A line of the comparison: a method with its compensation, measured at every R and ADC resolution. */
export interface MethodEntry {
  readonly method: ComparedMethod;
  /** Only for methods of pruning. */
  readonly compensation?: Compensation;
  /** Only for methods of pruning: how, other than by default. */
  readonly settings?: Pick<PostTrainingSettings, 'balancedRows' | 'ridge'>;
  /** What people read. */
  readonly title: string;
}

const PRUNING: readonly (readonly [PruningMethod, string])[] = [
  ['truncation', 'truncation'],
  ['value-only', 'value-only (TinyADC-like)'],
  ['bit-only', 'bit-only'],
  ['magnitude', 'magnitude pruning'],
  ['greedy', 'hierarchical, greedy'],
  ['lagrangian', 'hierarchical, Lagrangian'],
];

/**
 * What is compared without training. The exact search is left out: its columns are better than the Lagrangian ones by less
 * than the gap those certify, at many times the time (the study of projections compares the two).
 */
export const methodEntries: readonly MethodEntry[] = [
  { method: 'unpruned', title: 'unpruned, 8-bit weights' },
  { method: 'row-limited', title: 'row-limited dense' },
  { method: 'clipped', title: 'clipped dense, calibrated range' },
  ...(['none', 'layer-admm'] as const).flatMap((compensation) =>
    PRUNING.map(([method, title]) => ({ method, compensation, title })),
  ),
  {
    method: 'lagrangian',
    compensation: 'layer-admm',
    settings: { balancedRows: true, ridge: 'shrinkage' },
    title: 'hierarchical, Lagrangian, balanced rows',
  },
];

/** `unpruned`, `truncation-none`, `lagrangian-layer-admm-balanced`. */
export const lineId = ({ method, compensation, settings }: MethodEntry) =>
  [method, compensation, settings?.balancedRows && 'balanced'].filter((part) => part).join('-');

/** The line of an id. @throws InputError for another id */
export function lineOf(id: string): MethodEntry {
  const entry = methodEntries.find((one) => lineId(one) === id);
  if (entry) return entry;
  throw new InputError(`--lines ${id}: allowed are ${methodEntries.map(lineId).join(', ')}`);
}

export const methodConfigurations = [128, 64, 32].flatMap((tileRows) =>
  [2, 3, 4].map((adcBits) => ({ tileRows, adcBits })),
);

export interface MethodsOptions {
  readonly model: FloatModel;
  readonly dataset: Dataset;
  /** Where the result of every line is kept; what is there from the same settings is not computed again. */
  readonly folder: string;
  readonly entries?: readonly MethodEntry[];
  readonly configurations?: readonly { readonly tileRows: number; readonly adcBits: number }[];
  /** Networks pruned in training (bit-slice L1, network ADMM), as files; measured like the others. */
  readonly trained?: readonly { readonly title: string; readonly path: string }[];
  readonly seed?: number;
  readonly calibration?: number;
  readonly iterations?: number;
  readonly patches?: number;
  /** Test pictures at most; default all. */
  readonly testPictures?: number;
  /** Test pictures of clipped dense, whose every conversion is simulated; default 1000. */
  readonly clippedPictures?: number;
  readonly onProgress?: OnProgress;
}

/** One line at one R and ADC resolution. */
export interface MethodRow extends CertifiedRow, ComparedCrossbar {
  readonly method: ComparedMethod;
  readonly title: string;
  readonly compensation?: Compensation;
  readonly accuracy: Accuracy;
  /** Points below the float and the 8-bit network on the same pictures. */
  readonly dropFromFloat: number;
  readonly dropFrom8bit: number;
  /** Output error over output variance, mean over the layers, on the calibration pictures. */
  readonly relativeError?: number;
  /** Mean certified distance of the (last) projection's columns from the best ones, and their histogram. */
  readonly meanGap?: number;
  readonly gaps?: readonly number[];
  readonly seconds: number;
}

export interface MethodsResult extends Study {
  readonly float: Accuracy;
  readonly integer: Accuracy;
  readonly weightBits: number;
  readonly inputBits: number;
  readonly encoding: 'sign-split';
  /** ADMM iterations a layer. */
  readonly iterations: number;
  readonly rows: readonly MethodRow[];
}

/** Raise it when the same settings give other results: what earlier runs kept is then computed again. */
const REVISION = 1;

/** What every line is measured with. */
interface Bench {
  readonly options: MethodsOptions;
  readonly quantized: IntegerNetwork;
  readonly pictures: Pictures;
  readonly settings: {
    readonly seed: number;
    readonly calibration: number;
    readonly iterations: number;
    readonly patches: number;
  };
  readonly testPictures: number;
  readonly clippedPictures: number;
  /** Float and 8-bit network on the first so many test pictures. */
  readonly baselines: (limit: number) => Baselines;
}

/**
 * The methods compared at equal R, weight, activation and ADC bits, without training: each line pruned, certified from
 * its written codes, measured on the test pictures, its conversions counted. An interrupted run goes on where it was.
 */
export function compareMethods(options: MethodsOptions): MethodsResult {
  const { model, dataset, folder, entries = methodEntries, configurations = methodConfigurations } = options;
  mkdirSync(folder, { recursive: true });
  const trained = (options.trained ?? []).map(({ title, path }) => ({
    title,
    model: openIntegerModel(path),
  }));
  const bench = openBench(options);
  const { settings, testPictures, clippedPictures, quantized } = bench;
  const key = { revision: REVISION, model: model.identity, data: dataset.checksums, ...settings };
  const jobs = entries.flatMap((entry) =>
    crossbarsOf(entry, configurations, quantized).map((crossbar) => ({ entry, crossbar })),
  );
  const rows = jobs.map(({ entry, crossbar }, i) => {
    const name = rowName(entry, crossbar);
    const note = `${i + 1}/${jobs.length} ${name}`;
    const onProgress: OnProgress = (p) => options.onProgress?.({ ...p, note: `${note}: ${p.note ?? ''}` });
    const limit = entry.method === 'clipped' ? clippedPictures : testPictures;
    return cachedResult(folder, name, { ...key, entry, crossbar, limit }, () =>
      measureRow(bench, entry, crossbar, onProgress),
    );
  });
  for (const { title, model } of trained) rows.push(trainedRow(bench, title, model));
  const study = describeStudy(model, dataset, settings);
  const result: MethodsResult = {
    ...study,
    checksums: { ...study.checksums, ...modelChecksums(trained.map(({ model }) => model)) },
    ...bench.baselines(testPictures),
    weightBits: 8,
    inputBits: 8,
    encoding: 'sign-split',
    iterations: settings.iterations,
    rows,
  };
  writeJson(join(folder, 'results.json'), result);
  return result;
}

function openBench(options: MethodsOptions): Bench {
  const { model, dataset, folder, seed = 1, onProgress } = options;
  const settings = {
    seed,
    calibration: options.calibration ?? defaultCalibration(dataset.train),
    iterations: options.iterations ?? postTrainingDefaults.iterations,
    patches: options.patches ?? postTrainingDefaults.patches,
  };
  const testPictures = Math.min(options.testPictures ?? dataset.test.count, dataset.test.count);
  const pictures = calibrationPictures(dataset.train, settings.calibration, seed);
  const quantized = quantizedModel(model, dataset, pictures);
  const key = {
    revision: REVISION,
    model: model.identity,
    data: dataset.checksums,
    ...normalisationOf(model, dataset),
    calibration: settings.calibration,
    seed,
  };
  const baselines = keptBaselines({ model, quantized, dataset, folder, key, onProgress });
  const clippedPictures = Math.min(options.clippedPictures ?? 1000, testPictures);
  return { options, quantized, pictures, settings, testPictures, clippedPictures, baselines };
}

/** The unpruned network is measured once an R, at the bits it needs. */
function crossbarsOf(
  { method }: MethodEntry,
  configurations: readonly ComparedCrossbar[],
  quantized: IntegerNetwork,
): readonly ComparedCrossbar[] {
  if (method !== 'unpruned') return configurations;
  return [...new Set(configurations.map(({ tileRows }) => tileRows))].map((tileRows) => ({
    tileRows,
    adcBits: certifyNetwork(quantized, tileRows).requiredAdcBits,
  }));
}

const rowName = (entry: MethodEntry, { tileRows, adcBits }: ComparedCrossbar) =>
  `${lineId(entry)}-r${tileRows}-adc${adcBits}`;

function measureRow(
  bench: Bench,
  entry: MethodEntry,
  crossbar: ComparedCrossbar,
  onProgress: OnProgress,
): MethodRow {
  const started = performance.now();
  const measured = measure(bench, entry, crossbar, onProgress);
  const { accuracy } = measured;
  return {
    ...entry,
    ...crossbar,
    ...measured,
    ...dropsBelow(bench.baselines(accuracy.pictures), accuracy),
    seconds: (performance.now() - started) / 1000,
  };
}

type Measured = Omit<
  MethodRow,
  keyof MethodEntry | keyof ComparedCrossbar | 'dropFromFloat' | 'dropFrom8bit' | 'seconds'
>;

function measure(
  bench: Bench,
  entry: MethodEntry,
  crossbar: ComparedCrossbar,
  onProgress: OnProgress,
): Measured {
  const { quantized, settings, options } = bench;
  const unpruned = { quantized, dataset: options.dataset, seed: settings.seed };
  const { method } = entry;
  switch (method) {
    case 'unpruned':
      return {
        ...certifiedRow(quantized, quantized, crossbar),
        accuracy: bench.baselines(bench.testPictures).integer,
      };
    case 'row-limited':
      return rowLimitedLine(unpruned, crossbar, bench.baselines(bench.testPictures).integer);
    case 'clipped':
      return clippedLine(unpruned, crossbar, bench.clippedPictures, onProgress);
    case 'trained':
      throw new Error('trained networks come as files');
    default:
      return pruned(bench, { ...entry, method }, crossbar, onProgress);
  }
}

function pruned(
  bench: Bench,
  entry: MethodEntry & { readonly method: PruningMethod },
  crossbar: ComparedCrossbar,
  onProgress: OnProgress,
): Measured {
  const { quantized, pictures, settings, options, testPictures } = bench;
  const { model, dataset, folder } = options;
  const { method, compensation } = entry;
  const wanted = { ...crossbar, ...settings, ...entry.settings, method, compensation };
  const outcome = prunePostTraining(quantized, model.folded, pictures, wanted, onProgress);
  const path = join(folder, `${rowName(entry, crossbar)}.safetensors`);
  saveIntegerNetwork(path, outcome.network, {
    source: { model: model.name, sha256: model.sha256 },
    settings: wanted,
  });
  // What is certified and measured is what was written.
  const network = loadIntegerNetwork(path);
  const gaps = outcome.layers.flatMap((layer) => Array.from(layer.gaps ?? []));
  return {
    ...certifiedRow(network, bench.quantized, crossbar),
    accuracy: integerAccuracy(network, dataset.test, { limit: testPictures, onProgress }),
    relativeError: mean(outcome.layers.map(({ relativeError }) => relativeError)),
    ...(gaps.length > 0 && { meanGap: mean(gaps), gaps: gapHistogram(gaps) }),
  };
}

/** A network that training pruned, measured from its file at the R and ADC bits of its record. */
function trainedRow(bench: Bench, title: string, { network, path }: IntegerModel): MethodRow {
  const { pruning } = network;
  if (typeof pruning?.adcBits !== 'number')
    throw new InputError(`${path}: only networks pruned for one ADC resolution can be compared`);
  const crossbar = { tileRows: pruning.tileRows, adcBits: pruning.adcBits };
  const accuracy = integerAccuracy(network, bench.options.dataset.test, { limit: bench.testPictures });
  return {
    method: 'trained',
    title,
    ...crossbar,
    ...certifiedRow(network, bench.quantized, crossbar),
    accuracy,
    ...dropsBelow(bench.baselines(bench.testPictures), accuracy),
    seconds: 0,
  };
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
