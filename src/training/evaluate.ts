import { evaluationBatches } from '../data/batches';
import type { PictureSet } from '../data/dataset';
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
  { batchSize = 250, limit = set.count, onProgress }: AccuracyOptions = {},
): Accuracy {
  const total = Math.min(limit, set.count);
  let first = 0;
  let five = 0;
  let done = 0;
  try {
    for (const batch of evaluationBatches(set, { batchSize, limit: total })) {
      for (const rank of ranksOf(inference.logits(batch), batch.labels, classes)) {
        if (rank < 1) first++;
        if (rank < 5) five++;
      }
      done += batch.count;
      onProgress?.({ done, total, note: 'accuracy' });
    }
  } finally {
    inference.dispose();
  }
  const share = first / total;
  return {
    top1: 100 * share,
    top5: (100 * five) / total,
    pictures: total,
    interval: 196 * Math.sqrt((share * (1 - share)) / total),
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

/** For each picture, how many classes have a larger logit than its own. */
export function ranksOf(logits: Float32Array, labels: Int32Array, classes: number): number[] {
  return Array.from(labels, (label, i) => {
    const own = logits[i * classes + label];
    let above = 0;
    for (let c = 0; c < classes; c++) if (logits[i * classes + c] > own) above++;
    return above;
  });
}
