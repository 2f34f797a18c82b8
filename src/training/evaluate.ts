import { evaluationBatches, type PictureBatch } from '../data/batches';
import type { PictureSet } from '../data/dataset';
import { InputError } from '../errors';
import type { NetworkDescription, Parameters } from '../networks/description';
import { foldBatchNorm } from '../networks/fold-batch-norm';
import { createInference, type Inference, type InferenceOptions } from '../networks/inference';
import type { OnProgress } from '../progress';

export interface Accuracy {
  /** Percent of the pictures whose largest logit is their class. */
  readonly top1: number;
  /** Percent whose class is among the five largest. */
  readonly top5: number;
  readonly pictures: number;
  /** Half width of the 95 % interval of top1 in points (normal approximation of the binomial). */
  readonly interval: number;
}

export interface AccuracyOptions {
  readonly batchSize?: number;
  /** Only the first so many pictures. */
  readonly limit?: number;
  readonly onProgress?: OnProgress;
}

/** Accuracy on the pictures of `set`; frees the inference. */
export function measureAccuracy(
  inference: Inference,
  classes: number,
  set: PictureSet,
  { batchSize = batchFor(set), limit = set.count, onProgress }: AccuracyOptions = {},
): Accuracy {
  const total = Math.min(limit, set.count);
  const tally = createTally(classes);
  try {
    for (const batch of evaluationBatches(set, { batchSize, limit: total })) {
      tally.add(inference.logits(batch), batch.labels);
      onProgress?.({ done: tally.pictures(), total, note: 'accuracy' });
    }
  } finally {
    inference.dispose();
  }
  return tally.accuracy();
}

/** The same on batches as they come, so that a set need not fit into memory; frees the inference. */
export async function measureStream(
  inference: Inference,
  classes: number,
  batches: AsyncIterable<PictureBatch>,
  { total, onProgress }: { readonly total: number; readonly onProgress?: OnProgress },
): Promise<Accuracy> {
  const tally = createTally(classes);
  try {
    for await (const batch of batches) {
      tally.add(inference.logits(batch), batch.labels);
      onProgress?.({ done: tally.pictures(), total, note: 'accuracy' });
    }
  } finally {
    inference.dispose();
  }
  return tally.accuracy();
}

/** Pictures computed at once: 250 of CIFAR's size, fewer of larger ones for the memory's sake. */
export function batchFor({ height, width }: Pick<PictureSet, 'height' | 'width'>): number {
  return Math.max(16, Math.min(250, Math.floor((2 ** 20 * 1.5) / (height * width))));
}

/** Counts the right ones among the pictures seen. */
export function createTally(classes: number) {
  let pictures = 0;
  let first = 0;
  let five = 0;
  return {
    /**
     * @param logits [pictures, classes]
     * @throws InputError where one is not finite
     */
    add(logits: Float32Array, labels: Int32Array): void {
      const bad = logits.findIndex((logit) => !Number.isFinite(logit));
      if (bad >= 0)
        throw new InputError(
          `picture ${pictures + Math.floor(bad / classes)}: its logits hold ${logits[bad]}, so no class can be told`,
        );
      for (const rank of ranksOf(logits, labels, classes)) {
        if (rank < 1) first++;
        if (rank < 5) five++;
      }
      pictures += labels.length;
    },
    pictures: () => pictures,
    accuracy(): Accuracy {
      const share = first / pictures;
      return {
        top1: 100 * share,
        top5: (100 * five) / pictures,
        pictures,
        interval: 196 * Math.sqrt((share * (1 - share)) / pictures),
      };
    },
  };
}

/** Accuracy of a float network, in float32 with batch norm folded. */
export function evaluateParameters(
  network: NetworkDescription,
  parameters: Parameters,
  { mean, std }: InferenceOptions,
  set: PictureSet,
  options: AccuracyOptions = {},
): Accuracy {
  const folded = foldBatchNorm(network, parameters);
  const inference = createInference(folded.description, folded.parameters, { mean, std });
  return measureAccuracy(inference, network.classes, set, options);
}

/**
 * For each picture, how many classes come before its own, 0..classes-1: those of larger logits, and of equal ones the
 * classes before it, as `largestClass` chooses. A logit of NaN comes last.
 * @throws InputError for a label that is no class
 */
export function ranksOf(logits: Float32Array, labels: Int32Array, classes: number): number[] {
  return Array.from(labels, (label, i) => {
    if (!(label >= 0 && label < classes))
      throw new InputError(`label ${label} of picture ${i} is none of the classes 0..${classes - 1}`);
    const own = logits[i * classes + label];
    if (Number.isNaN(own)) return classes - 1;
    let above = 0;
    for (let c = 0; c < classes; c++) {
      const other = logits[i * classes + c];
      if (other > own || (other === own && c < label)) above++;
    }
    return above;
  });
}
