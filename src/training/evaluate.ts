import { evaluationBatches } from '../data/batches';
import type { Dataset, PictureSet } from '../data/dataset';
import type { NetworkDescription, Parameters } from '../networks/description';
import { foldBatchNorm } from '../networks/fold-batch-norm';
import { createInference } from '../networks/inference';
import type { OnProgress } from '../progress';

export interface Accuracy {
  /** Percent of the pictures whose largest logit is their class. */
  readonly top1: number;
  /** Percent whose class is among the five largest. */
  readonly top5: number;
  readonly pictures: number;
}

/** Accuracy in float32 with batch norm folded, on all pictures of `set`. */
export function evaluateParameters(
  network: NetworkDescription,
  parameters: Parameters,
  { mean, std }: Pick<Dataset, 'mean' | 'std'>,
  set: PictureSet,
  { batchSize = 500, onProgress }: { batchSize?: number; onProgress?: OnProgress } = {},
): Accuracy {
  const folded = foldBatchNorm(network, parameters);
  const inference = createInference(folded.description, folded.parameters, { mean, std });
  let top1 = 0;
  let top5 = 0;
  let done = 0;
  try {
    for (const batch of evaluationBatches(set, { batchSize })) {
      const ranks = ranksOf(inference.logits(batch), batch.labels, network.classes);
      top1 += ranks.filter((rank) => rank < 1).length;
      top5 += ranks.filter((rank) => rank < 5).length;
      done += batch.count;
      onProgress?.({ done, total: set.count, note: 'accuracy' });
    }
  } finally {
    inference.dispose();
  }
  return { top1: (100 * top1) / set.count, top5: (100 * top5) / set.count, pictures: set.count };
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
