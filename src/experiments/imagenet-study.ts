import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { layerStore } from '../admm/layer-store';
import { type PostTrainingSettings, postTrainingDefaults } from '../admm/post-training-settings';
import { requireTrained } from '../admm/prune-by-training';
import { prunePostTraining } from '../admm/prune-post-training';
import { type StageSeconds, totalSeconds } from '../admm/stage-timer';
import type { EncodingName } from '../bitplanes/plane-encoding';
import type { Unlabelled } from '../data/dataset';
import type { TestPictures } from '../data/test-pictures';
import { firstPictures } from '../networks/first-pictures';
import type { Inference } from '../networks/inference';
import type { OnProgress } from '../progress';
import { type AdcBits, adcBitsOf } from '../quantization/adc-bits';
import { withWeightBits } from '../quantization/build-integer-network';
import { createIntegerInference } from '../quantization/integer-inference';
import type { IntegerNetwork } from '../quantization/integer-network';
import { loadIntegerNetwork, saveIntegerNetwork } from '../quantization/model-file';
import type { Provenance } from '../reports/provenance';
import type { Accuracy } from '../training/evaluate';
import type { EpochRecord } from '../training/train';
import { modelInference } from './accuracy';
import { cachedLater, cachedResult, digestOf, resultPath, writeJson } from './cached-result';
import { certifyNetwork } from './certify-network';
import { type CrossbarCheck, checkCrossbar } from './check-crossbar';
import { compareLogits, type LogitComparison } from './compare-logits';
import {
  type DistillationSettings,
  distillationDefaults,
  distilWithoutLabels,
} from './distil-without-labels';
import { allocatedBits } from './imagenet-allocation';
import {
  comparableResult,
  type ImagenetConditions,
  PICTURES,
  requireSameScores,
  withEarlierRows,
} from './imagenet-earlier';
import {
  bitsOf,
  checkPoint,
  type ImagenetPoint,
  imagenetPoints,
  partText,
  pointName,
} from './imagenet-point';
import { type KernelStatistics, kernelStatistics } from './kernel-statistics';
import { type HardwareSummary, networkHardware, summarizeHardware } from './network-hardware';
import { notedProgress } from './noted-progress';
import { type FloatModel, openIntegerModel } from './open-model';
import { accuracyOf, keptScores, type PictureScores, scorePictures } from './picture-scores';
import { quantizedModel } from './quantized-model';
import { originsOf, resultsUsed } from './result-origin';
import { modelChecksums } from './study';

/** What to calibrate on and what to score; see `calibrationSplit`. */
export interface ImagenetPictures {
  readonly calibration: Unlabelled;
  readonly scored: TestPictures;
  readonly rule: string;
  readonly checksum: string;
  /** What else calibration pictures are made by: random views, mosaics. */
  readonly preparation?: Readonly<Record<string, number>>;
}

/** How the pruned networks' weights lie in 1-bit cells, and their bits; default sign-split and 8. */
export interface ImagenetCoding {
  readonly encoding?: EncodingName;
  readonly weightBits?: number;
}

export interface ImagenetStudyOptions extends ImagenetCoding {
  readonly model: FloatModel;
  readonly pictures: ImagenetPictures;
  /** Where results, logits and pruned networks are kept; what is there from the same settings is not computed again. */
  readonly folder: string;
  readonly points?: readonly ImagenetPoint[];
  /** Points whose networks are also trained further, without labels; default: none. */
  readonly distilled?: readonly ImagenetPoint[];
  readonly distillation?: Partial<DistillationSettings>;
  /** Networks trained further after pruning, as files: measured like the others. */
  readonly trained?: readonly { readonly title: string; readonly path: string }[];
  /** What an earlier study under the same conditions gave: rows that are not asked for here stand in this one too. */
  readonly earlier?: unknown;
  readonly seed?: number;
  readonly iterations?: number;
  readonly patches?: number;
  /** Scored pictures at most; default all. */
  readonly testPictures?: number;
  /** Pictures whose every conversion is simulated on the crossbar; default 1. */
  readonly crossbarPictures?: number;
  readonly onProgress?: OnProgress;
}

/** What pruning a network took and left. */
export interface PruningOutcome {
  /** Output error over output variance on the calibration pictures, by layer. */
  readonly relativeErrors: Readonly<Record<string, number>>;
  /** Mean certified distance of the last projections' columns from the best ones. */
  readonly meanGap: number;
  /** Time by stage, over all layers; of an interrupted run too. */
  readonly stages: StageSeconds;
  /** Largest memory of the process until then. */
  readonly memoryGib: number;
}

/** A pruned network beside the float and the 8-bit one. */
export interface ImagenetRow {
  readonly title: string;
  readonly tileRows: number;
  readonly adcBits: AdcBits;
  readonly accuracy: Accuracy;
  readonly fromFloat: LogitComparison;
  readonly from8bit: LogitComparison;
  readonly nonzeroShare: number;
  readonly lossless: boolean;
  readonly requiredAdcBits: number;
  /** Of post-training pruning. */
  readonly pruning?: PruningOutcome;
  readonly point?: ImagenetPoint;
  /** Of the training after pruning: agreement with the float network as its test accuracy. */
  readonly curve?: readonly EpochRecord[];
  readonly hardware: HardwareSummary;
  /** All conversions on some calibration pictures, one by one. */
  readonly crossbar: Pick<CrossbarCheck, 'agrees' | 'pictures' | 'conversions'>;
  /** Sources and time of its pruning and its crossbar check. */
  readonly origins: Provenance['results'];
}

export interface ImagenetResult {
  /** Of the method: higher where the same settings give other results. */
  readonly revision: number;
  readonly model: string;
  readonly network: string;
  readonly pictures: string;
  readonly rule: string;
  readonly seed: number;
  readonly calibrationPictures: number;
  /** How points are pruned. */
  readonly pruning: Required<
    Pick<PostTrainingSettings, 'encoding' | 'iterations' | 'patches' | 'ridge' | 'balancedRows'>
  > & { readonly weightBits: number };
  readonly checksums: Readonly<Record<string, string>>;
  readonly float: Accuracy;
  readonly integer: Accuracy;
  /** The 8-bit network beside the float one. */
  readonly quantization: LogitComparison;
  readonly kernels: readonly KernelStatistics[];
  readonly rows: readonly ImagenetRow[];
  /** Sources and time of what it was put together from. */
  readonly origins: Provenance['results'];
}

/** What tells a coding from the package's own in names: nothing, or `csd-w7`. */
export function codingParts({ encoding = 'sign-split', weightBits = 8 }: ImagenetCoding): string[] {
  return encoding === 'sign-split' && weightBits === 8 ? [] : [`${encoding}-w${weightBits}`];
}

/** Raise it when the same settings give other results. */
const REVISION = 5;

/** With as many channels as rows a tile, each tile would hold one tap of the kernel, the middle one far larger weights. */
const PRUNED_BY = { ridge: 'shrinkage', balancedRows: true } as const;

/**
 * Post-training pruning of an ImageNet network, scored on pictures that calibration never saw.
 * @throws InputError for points to be trained further in an encoding that training does not keep, for points that cannot be
 * pruned for, and for an earlier result under other conditions
 */
export async function imagenetStudy(options: ImagenetStudyOptions): Promise<ImagenetResult> {
  const { model, pictures, folder, points = imagenetPoints } = options;
  const { encoding = 'sign-split', weightBits = 8, distilled = [] } = options;
  for (const point of [...points, ...distilled]) checkPoint(point, encoding, weightBits);
  if (distilled.length > 0) requireTrained(encoding);
  mkdirSync(folder, { recursive: true });
  const trained = (options.trained ?? []).map(({ title, path }) => ({
    title,
    model: openIntegerModel(path),
  }));
  const bench = openBench(options);
  const conditions = conditionsOf(
    bench,
    trained.map((own) => own.model),
  );
  const earlier = options.earlier === undefined ? undefined : comparableResult(options.earlier, conditions);
  const float = await bench.score('float', {}, () => modelInference(model, pictures.scored));
  const integer = await bench.score('8-bit', {}, () => createIntegerInference(bench.quantized));
  const scores = { float: accuracyOf(float), integer: accuracyOf(integer) };
  if (earlier) requireSameScores(earlier, scores);
  const row = async (title: string, name: string, subject: unknown, network: IntegerNetwork) => {
    const scores = await bench.score(name, subject, () => createIntegerInference(network));
    return {
      ...describePruned(network, bench.quantized),
      title,
      accuracy: accuracyOf(scores),
      fromFloat: compareLogits(float.logits, scores.logits, scores.labels),
      from8bit: compareLogits(integer.logits, scores.logits, scores.labels),
      crossbar: checkedCrossbar(bench, name, subject, network),
      origins: originsOf([name, crossbarName(name)].map((own) => resultPath(folder, own))),
    };
  };
  const rows: ImagenetRow[] = [];
  for (const point of points) {
    const { network, pruning } = prunedAt(bench, point);
    const title = ['layer ADMM', partText(point)].filter((text) => text).join(', ');
    const subject = { ...bench.settings, ...point };
    rows.push({ ...(await row(title, pointName(point), subject, network)), pruning, point });
  }
  for (const point of distilled) {
    const { network, curve, settings } = await distilledAt(bench, point);
    const title = ['layer ADMM, distilled', partText(point)].filter((text) => text).join(', ');
    const subject = { ...bench.settings, ...point, distillation: settings };
    rows.push({ ...(await row(title, `${pointName(point)}-distilled`, subject, network)), curve });
  }
  for (const { title, model: own } of trained) {
    rows.push(await row(title, own.name, { sha256: own.sha256 }, own.network));
  }
  const measured: ImagenetResult = {
    ...conditions,
    pictures: pictures.scored.title,
    ...scores,
    quantization: compareLogits(float.logits, integer.logits, integer.labels),
    kernels: kernelStatistics(model.folded.description, model.folded.parameters),
    rows,
    origins: resultsUsed(folder),
  };
  const result = earlier ? withEarlierRows(measured, earlier) : measured;
  writeJson(join(folder, 'results.json'), result);
  return result;
}

type Bench = ReturnType<typeof openBench>;

/** What every row is measured with. */
function openBench(options: ImagenetStudyOptions) {
  const { model, pictures, folder, seed = 1 } = options;
  const { calibration, scored, checksum } = pictures;
  const { encoding = 'sign-split', weightBits = 8 } = options;
  const total = Math.min(options.testPictures ?? scored.test.count, scored.test.count);
  const key = { revision: REVISION, model: model.identity, pictures: checksum, ...pictures.preparation };
  const progress = notedProgress(options.onProgress);
  const quantized = quantizedModel(model, scored, calibration, undefined, progress('8-bit'));
  return {
    options,
    quantized,
    prunable: withWeightBits(quantized, model.folded.parameters, weightBits),
    key,
    progress,
    settings: {
      seed,
      encoding,
      weightBits,
      iterations: options.iterations ?? postTrainingDefaults.iterations,
      patches: options.patches ?? postTrainingDefaults.patches,
    },
    score: (name: string, subject: unknown, inference: () => Inference): Promise<PictureScores> =>
      keptScores(join(folder, `${name}.scores`), digestOf({ ...key, total, name, subject }), () =>
        scorePictures(inference(), scored, total, progress(name)),
      ),
  };
}

/** What holds for all rows. */
function conditionsOf(
  { options, settings }: Bench,
  trained: readonly { readonly name: string; readonly sha256: string }[],
): ImagenetConditions {
  const { model, pictures } = options;
  const { seed, ...pruning } = settings;
  return {
    revision: REVISION,
    model: model.name,
    network: model.folded.description.name,
    rule: pictures.rule,
    seed,
    calibrationPictures: pictures.calibration.count,
    pruning: { ...pruning, ...PRUNED_BY },
    checksums: { ...modelChecksums([model, ...trained]), [PICTURES]: pictures.checksum },
  };
}

/** Prunes for a crossbar, or takes what an earlier run wrote. */
function prunedAt(bench: Bench, point: ImagenetPoint): { network: IntegerNetwork; pruning: PruningOutcome } {
  const { options, prunable, key, settings, progress } = bench;
  const { model, pictures, folder } = options;
  const name = pointName(point);
  const path = join(folder, `${name}.safetensors`);
  const own = { ...key, ...settings, ...point };
  const prune = (): PruningOutcome => {
    const store = layerStore(`${path}.unfinished`, own);
    const { weightBits, ...others } = settings;
    const { calibration } = pictures;
    const onProgress = progress(name);
    const plan = { ...others, tileRows: point.tileRows, ...PRUNED_BY };
    const wanted = { ...plan, adcBits: chosenBits(bench, point, plan, onProgress) };
    const pruned = prunePostTraining(prunable, model.folded, calibration, wanted, onProgress, store);
    const source = { model: model.name, sha256: model.sha256 };
    saveIntegerNetwork(path, pruned.network, { source, settings: wanted });
    store.clear();
    const gaps = pruned.layers.flatMap((layer) => [...(layer.gaps ?? [])]);
    return {
      relativeErrors: Object.fromEntries(pruned.layers.map((layer) => [layer.name, layer.relativeError])),
      meanGap: gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length,
      stages: totalSeconds(pruned.layers.map(({ seconds }) => seconds)),
      memoryGib: process.resourceUsage().maxRSS / 2 ** 20,
    };
  };
  const pruning = cachedResult(folder, name, own, prune, [path]);
  return { network: loadIntegerNetwork(path), pruning };
}

/** A point's bits: what its name says, or what is allocated. */
function chosenBits(
  { options, prunable, key, settings }: Bench,
  point: ImagenetPoint,
  plan: Omit<PostTrainingSettings, 'adcBits'>,
  onProgress: OnProgress,
): AdcBits {
  if (point.part !== 'allocated') return bitsOf(prunable, settings.encoding, point);
  const { model, pictures, folder } = options;
  const { weightBits } = settings;
  const { calibration } = pictures;
  const own = { key: { ...key, weightBits }, network: prunable, reference: model.folded };
  return allocatedBits({ ...own, calibration, settings: plan, folder, onProgress }, point.adcBits);
}

/** The network pruned for a crossbar, trained further on the calibration pictures; or what an earlier run wrote. */
async function distilledAt(bench: Bench, point: ImagenetPoint) {
  const { options, key, progress } = bench;
  const { model, pictures, folder } = options;
  const { scored, calibration, rule, checksum } = pictures;
  const settings = { ...distillationDefaults, seed: bench.settings.seed, ...options.distillation };
  const name = `${pointName(point)}-distilled`;
  const path = join(folder, `${name}.safetensors`);
  const states = join(folder, name);
  const { network: start } = prunedAt(bench, point);
  const source = {
    name: 'calibration pictures',
    title: rule,
    mean: scored.mean,
    std: scored.std,
    checksums: { pictures: checksum },
  };
  const own = { ...key, ...bench.settings, ...point, distillation: settings };
  const distil = async () => {
    mkdirSync(states, { recursive: true });
    const { network, curve } = await distilWithoutLabels({
      model,
      start,
      pictures: calibration,
      source,
      settings,
      folder: states,
      onProgress: progress(name),
    });
    saveIntegerNetwork(path, network, { source: { model: model.name, sha256: model.sha256 }, settings });
    return curve;
  };
  const curve = await cachedLater(folder, name, own, distil, [path]);
  return { network: loadIntegerNetwork(path), curve, settings };
}

/** What the codes themselves tell. */
function describePruned(network: IntegerNetwork, dense: IntegerNetwork) {
  const { tileRows, adcBits } = network.pruning!;
  const { lossless, nonzeroShare, requiredAdcBits } = certifyNetwork(network);
  const wanted = { tileRows, dense, adcBits: (layer: string) => adcBitsOf(adcBits, layer) };
  const hardware = summarizeHardware(networkHardware(network, wanted));
  return { tileRows, adcBits, lossless, nonzeroShare, requiredAdcBits, hardware };
}

const crossbarName = (name: string) => `${name}-crossbar`;

/** Every conversion of some calibration pictures on the crossbar that a network was pruned for. */
function checkedCrossbar(bench: Bench, name: string, subject: unknown, network: IntegerNetwork) {
  const { options, key, progress } = bench;
  const { crossbarPictures = 1, folder } = options;
  const few = firstPictures(options.pictures.calibration, crossbarPictures);
  const own = { ...key, subject, crossbarPictures };
  const { agrees, conversions, pictures } = cachedResult(folder, crossbarName(name), own, () =>
    checkCrossbar(network, few, network.pruning!, progress(name)),
  );
  return { agrees, conversions, pictures };
}
