import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { PostTrainingSettings } from '../admm/post-training-settings';
import { requireTrained } from '../admm/training-pruning-settings';
import { type AdcBits, adcBitsOf } from '../quantization/adc-bits';
import { createIntegerInference } from '../quantization/integer-inference';
import type { IntegerNetwork } from '../quantization/integer-network';
import type { Provenance } from '../reports/provenance';
import type { Accuracy } from '../training/evaluate';
import type { EpochRecord } from '../training/train';
import { modelInference } from './accuracy';
import { resultPath, writeJson } from './cached-result';
import { certifyNetwork } from './certify-network';
import type { CrossbarCheck } from './check-crossbar';
import { compareLogits, type LogitComparison } from './compare-logits';
import {
  checkedCrossbar,
  crossbarName,
  distilledAt,
  type ImagenetBench,
  type ImagenetBenchOptions,
  type ImagenetCoding,
  openBench,
  PRUNED_BY,
  type PruningOutcome,
  prunedAt,
  REVISION,
} from './imagenet-bench';
import {
  comparableResult,
  type ImagenetConditions,
  PICTURES,
  requireSameScores,
  withEarlierRows,
} from './imagenet-earlier';
import { checkPoint, type ImagenetPoint, imagenetPoints, partText, pointName } from './imagenet-point';
import { type KernelStatistics, kernelStatistics } from './kernel-statistics';
import { type HardwareSummary, networkHardware, summarizeHardware } from './network-hardware';
import { openIntegerModel } from './open-model';
import { accuracyOf } from './picture-scores';
import { originsOf, resultsUsed } from './result-origin';
import { modelChecksums } from './study';

export interface ImagenetStudyOptions extends ImagenetBenchOptions {
  readonly points?: readonly ImagenetPoint[];
  /** Points whose networks are also trained further, without labels; default: none. */
  readonly distilled?: readonly ImagenetPoint[];
  /** Networks trained further after pruning, as files: measured like the others. */
  readonly trained?: readonly { readonly title: string; readonly path: string }[];
  /** What an earlier study under the same conditions gave: rows that are not asked for here stand in this one too. */
  readonly earlier?: unknown;
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

/** What holds for all rows. */
function conditionsOf(
  { options, settings }: ImagenetBench,
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

/** What the codes themselves tell. */
function describePruned(network: IntegerNetwork, dense: IntegerNetwork) {
  const { tileRows, adcBits } = network.pruning!;
  const { lossless, nonzeroShare, requiredAdcBits } = certifyNetwork(network);
  const wanted = { tileRows, dense, adcBits: (layer: string) => adcBitsOf(adcBits, layer) };
  const hardware = summarizeHardware(networkHardware(network, wanted));
  return { tileRows, adcBits, lossless, nonzeroShare, requiredAdcBits, hardware };
}
