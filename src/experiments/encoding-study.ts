import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { defaultCalibration, postTrainingDefaults } from '../admm/post-training-settings';
import { prunePostTraining } from '../admm/prune-post-training';
import { type EncodingName, planeEncoding } from '../bitplanes/plane-encoding';
import type { Dataset } from '../data/dataset';
import type { OnProgress } from '../progress';
import { withWeightBits } from '../quantization/build-integer-network';
import { loadIntegerNetwork, saveIntegerNetwork } from '../quantization/model-file';
import type { Accuracy } from '../training/evaluate';
import { integerAccuracy } from './accuracy';
import { type Baselines, dropsBelow, keptBaselines } from './baselines';
import { cachedResult, writeJson } from './cached-result';
import { calibrationPictures } from './calibration';
import type { ComparedCrossbar } from './certified-row';
import { certifyNetwork } from './certify-network';
import { networkHardware } from './network-hardware';
import { normalisationOf } from './normalisation';
import { notedProgress } from './noted-progress';
import type { FloatModel } from './open-model';
import { quantizedModel } from './quantized-model';
import { describeStudy, type Study } from './study';

/** Encodings compared: both have a zero without ones, which is what pruning saves by. */
export const comparedEncodings = ['sign-split', 'csd'] as const satisfies readonly EncodingName[];

export type ComparedEncoding = (typeof comparedEncodings)[number];

export interface EncodingStudyOptions {
  readonly model: FloatModel;
  readonly dataset: Dataset;
  /** Where results are kept; what is there from the same settings is not computed again. */
  readonly folder: string;
  /** Default: R = 128 at 2, 3 and 4 bits. */
  readonly configurations?: readonly ComparedCrossbar[];
  /** Bit planes a polarity, of either encoding; default 4 to 7. */
  readonly planes?: readonly number[];
  readonly seed?: number;
  /** Times that all is repeated, each with the next seed: other calibration pictures and patches; default 3. */
  readonly seeds?: number;
  readonly calibration?: number;
  readonly iterations?: number;
  readonly patches?: number;
  /** Test pictures at most; default all. */
  readonly testPictures?: number;
  readonly onProgress?: OnProgress;
}

/** A network pruned in an encoding, and what was measured of it. */
export interface EncodingPoint extends ComparedCrossbar {
  readonly encoding: ComparedEncoding;
  readonly weightBits: number;
  /** A polarity. */
  readonly planes: number;
  readonly accuracy: Accuracy;
  readonly dropFromFloat: number;
  readonly dropFrom8bit: number;
  /** Of the networks of all seeds. */
  readonly lossless: boolean;
  /** Top-1 of every seed, the point's own first. */
  readonly bySeed: readonly number[];
  /** Output error over output variance, mean over the layers, on the calibration pictures. */
  readonly relativeError: number;
  readonly nonzeroShare: number;
  /** Of an inference: conversions, energy of the ADCs and of the whole macros (pJ). */
  readonly conversions: number;
  readonly adcEnergyPj: number;
  readonly macroEnergyPj: number;
  readonly seconds: number;
}

export interface EncodingStudyResult extends Study, Baselines {
  readonly seeds: number;
  readonly iterations: number;
  readonly patches: number;
  readonly points: readonly EncodingPoint[];
}

/** Raise it when the same settings give other results. */
const REVISION = 1;

/**
 * Magnitudes against canonical signed digits in as many columns: a weight of w digits in either encoding takes w planes of
 * each polarity, which is sign-split codes of w + 1 bits and csd codes of w bits. Pruned without training.
 */
export function encodingStudy(options: EncodingStudyOptions): EncodingStudyResult {
  const { model, dataset, folder, planes = [4, 5, 6, 7], seeds = 3 } = options;
  const { configurations = [2, 3, 4].map((adcBits) => ({ tileRows: 128, adcBits })) } = options;
  mkdirSync(folder, { recursive: true });
  const bench = openBench(options);
  const jobs = configurations.flatMap((crossbar) =>
    planes.flatMap((count) =>
      comparedEncodings.map((encoding) => ({ encoding, weightBits: bitsFor(encoding, count), crossbar })),
    ),
  );
  const measured = Array.from({ length: seeds }, (_, i) => {
    const own = i === 0 ? bench : reseeded(options, bench, bench.settings.seed + i);
    return jobs.map((job, j) => keptPoint(own, job, `${i * jobs.length + j + 1}/${seeds * jobs.length}`));
  });
  const result: EncodingStudyResult = {
    ...describeStudy(model, dataset, bench.settings),
    ...bench.baselines(bench.testPictures),
    seeds,
    iterations: bench.settings.iterations,
    patches: bench.settings.patches,
    points: measured[0].map((point, j) =>
      overAll(
        point,
        measured.map((points) => points[j]),
      ),
    ),
  };
  writeJson(join(folder, 'results.json'), result);
  return result;
}

/** A point with what the other seeds gave. */
function overAll(point: MeasuredPoint, all: readonly MeasuredPoint[]): EncodingPoint {
  const bySeed = all.map(({ accuracy }) => accuracy.top1);
  return { ...point, lossless: all.every(({ lossless }) => lossless), bySeed };
}

/** What one seed gives. */
type MeasuredPoint = Omit<EncodingPoint, 'bySeed'>;

/** Bits of a code that takes so many planes. */
const bitsFor = (encoding: ComparedEncoding, planes: number) =>
  encoding === 'sign-split' ? planes + 1 : planes;

type Bench = ReturnType<typeof openBench>;

function openBench(options: EncodingStudyOptions) {
  const { model, dataset, folder, seed = 1 } = options;
  const settings = {
    seed,
    calibration: options.calibration ?? defaultCalibration(dataset.train),
    iterations: options.iterations ?? postTrainingDefaults.iterations,
    patches: options.patches ?? postTrainingDefaults.patches,
  };
  const pictures = calibrationPictures(dataset.train, settings.calibration, seed);
  const key = {
    revision: REVISION,
    model: model.identity,
    data: dataset.checksums,
    ...normalisationOf(model, dataset),
    ...settings,
  };
  const quantized = quantizedModel(model, dataset, pictures);
  const { onProgress } = options;
  return {
    ...{ model, dataset, quantized, folder, settings, key, pictures },
    testPictures: Math.min(options.testPictures ?? dataset.test.count, dataset.test.count),
    progress: notedProgress(onProgress),
    baselines: keptBaselines({ model, quantized, dataset, folder, key, onProgress }),
  };
}

/** The same with another seed, in a folder of its own; what float and 8-bit network have stays. */
function reseeded(options: EncodingStudyOptions, { baselines }: Bench, seed: number): Bench {
  const folder = join(options.folder, `seed${seed}`);
  mkdirSync(folder, { recursive: true });
  return { ...openBench({ ...options, folder, seed }), baselines };
}

interface Job {
  readonly encoding: ComparedEncoding;
  readonly weightBits: number;
  readonly crossbar: ComparedCrossbar;
}

/** A point, or what an earlier run kept. */
function keptPoint(bench: Bench, job: Job, place: string): MeasuredPoint {
  const { folder, key, testPictures } = bench;
  const { encoding, weightBits, crossbar } = job;
  const name = `${encoding}-w${weightBits}-r${crossbar.tileRows}-adc${crossbar.adcBits}`;
  return cachedResult(folder, name, { ...key, ...job, testPictures }, () => {
    const started = performance.now();
    const measured = measure(bench, job, join(folder, `${name}.safetensors`), `${place} ${name}`);
    const { planes } = planeEncoding(encoding, weightBits);
    const seconds = (performance.now() - started) / 1000;
    return { encoding, weightBits, planes, ...crossbar, ...measured, seconds };
  });
}

function measure(bench: Bench, { encoding, weightBits, crossbar }: Job, path: string, note: string) {
  const { model, dataset, quantized, pictures, settings, testPictures, baselines } = bench;
  const onProgress = bench.progress(note);
  const coded = withWeightBits(quantized, model.folded.parameters, weightBits);
  const wanted = { ...crossbar, ...settings, encoding };
  const outcome = prunePostTraining(coded, model.folded, pictures, wanted, onProgress);
  saveIntegerNetwork(path, outcome.network, {
    source: { model: model.name, sha256: model.sha256 },
    settings: wanted,
  });
  // What is certified and measured is what was written.
  const network = loadIntegerNetwork(path);
  const { lossless, nonzeroShare } = certifyNetwork(network);
  const { tileRows, adcBits } = crossbar;
  const { pruned } = networkHardware(network, { tileRows, adcBits: () => adcBits });
  const accuracy = integerAccuracy(network, dataset.test, { limit: testPictures, onProgress });
  const errors = outcome.layers.map(({ relativeError }) => relativeError);
  return {
    accuracy,
    ...dropsBelow(baselines(testPictures), accuracy),
    lossless,
    relativeError: errors.reduce((sum, error) => sum + error, 0) / errors.length,
    nonzeroShare,
    conversions: pruned.conversions,
    adcEnergyPj: pruned.scopes.adc.energyPj,
    macroEnergyPj: pruned.scopes.macro.energyPj,
  };
}
