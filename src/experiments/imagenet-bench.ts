import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { layerStore } from '../admm/layer-store';
import {
  LARGE_PATCHES,
  type PostTrainingSettings,
  postTrainingDefaults,
} from '../admm/post-training-settings';
import { prunePostTraining } from '../admm/prune-post-training';
import { type StageSeconds, totalSeconds } from '../admm/stage-timer';
import type { EncodingName } from '../bitplanes/plane-encoding';
import type { Unlabelled } from '../data/dataset';
import type { TestPictures } from '../data/test-pictures';
import { firstPictures } from '../networks/first-pictures';
import type { Inference } from '../networks/inference';
import type { OnProgress } from '../progress';
import type { AdcBits } from '../quantization/adc-bits';
import { withWeightBits } from '../quantization/build-integer-network';
import type { IntegerNetwork } from '../quantization/integer-network';
import { loadIntegerNetwork, saveIntegerNetwork } from '../quantization/model-file';
import { cachedLater, cachedResult, digestOf } from './cached-result';
import { checkCrossbar } from './check-crossbar';
import {
  type DistillationSettings,
  distillationDefaults,
  distilWithoutLabels,
} from './distil-without-labels';
import { allocatedBits } from './imagenet-allocation';
import { bitsOf, type ImagenetPoint, pointName } from './imagenet-point';
import { notedProgress } from './noted-progress';
import type { FloatModel } from './open-model';
import { keptScores, type PictureScores, scorePictures } from './picture-scores';
import { quantizedModel } from './quantized-model';

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

/** What networks of a study are made and measured with. */
export interface ImagenetBenchOptions extends ImagenetCoding {
  readonly model: FloatModel;
  readonly pictures: ImagenetPictures;
  /** Where results, logits and pruned networks are kept; what is there from the same settings is not computed again. */
  readonly folder: string;
  readonly distillation?: Partial<DistillationSettings>;
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

/** Raise it when the same settings give other results. */
export const REVISION = 5;

/** With as many channels as rows a tile, each tile would hold one tap of the kernel, the middle one far larger weights. */
export const PRUNED_BY = { ridge: 'shrinkage', balancedRows: true } as const;

export type ImagenetBench = ReturnType<typeof openBench>;

/** What every row is measured with. */
export function openBench(options: ImagenetBenchOptions) {
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
      patches: options.patches ?? LARGE_PATCHES,
    },
    score: (name: string, subject: unknown, inference: () => Inference): Promise<PictureScores> =>
      keptScores(join(folder, `${name}.scores`), digestOf({ ...key, total, name, subject }), () =>
        scorePictures(inference(), scored, total, progress(name)),
      ),
  };
}

/** Prunes for a crossbar, or takes what an earlier run wrote. */
export function prunedAt(
  bench: ImagenetBench,
  point: ImagenetPoint,
): { network: IntegerNetwork; pruning: PruningOutcome } {
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
  { options, prunable, key, settings }: ImagenetBench,
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
export async function distilledAt(bench: ImagenetBench, point: ImagenetPoint) {
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

export const crossbarName = (name: string) => `${name}-crossbar`;

/** Every conversion of some calibration pictures on the crossbar that a network was pruned for. */
export function checkedCrossbar(
  bench: ImagenetBench,
  name: string,
  subject: unknown,
  network: IntegerNetwork,
) {
  const { options, key, progress } = bench;
  const { crossbarPictures = 1, folder } = options;
  const few = firstPictures(options.pictures.calibration, crossbarPictures);
  const own = { ...key, subject, crossbarPictures };
  const { agrees, conversions, pictures } = cachedResult(folder, crossbarName(name), own, () =>
    checkCrossbar(network, few, network.pruning!, progress(name)),
  );
  return { agrees, conversions, pictures };
}
