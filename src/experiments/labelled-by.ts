import { evaluationBatches } from '../data/batches';
import type { Dataset, PictureSet } from '../data/dataset';
import { nodeShapes } from '../networks/node-shapes';
import type { OnProgress } from '../progress';
import { batchFor } from '../training/evaluate';
import { modelInference } from './accuracy';
import type { FloatModel } from './open-model';

/**
 * A data set with the classes that a network tells in place of labels: what is trained on it needs no labels, and its
 * accuracy is how often it agrees with that network. The set's own classes may be others.
 * @throws InputError where the network cannot take the pictures
 */
export function labelledBy(model: FloatModel, dataset: Dataset, onProgress?: OnProgress): Dataset {
  const { classes } = model.description;
  nodeShapes(model.description, dataset.train);
  const label = (set: PictureSet): PictureSet => ({
    ...set,
    labels: classesTold(model, dataset, set, onProgress),
  });
  return {
    ...dataset,
    title: `${dataset.title}, labelled by ${model.name}`,
    classes: Array.from({ length: classes }, (_, i) => String(i)),
    train: label(dataset.train),
    test: label(dataset.test),
    checksums: { ...dataset.checksums, [`${model.name} (labels)`]: model.sha256 },
  };
}

/** The class of the largest logit of every picture. */
function classesTold(
  model: FloatModel,
  dataset: Dataset,
  set: PictureSet,
  onProgress: OnProgress | undefined,
): Int32Array {
  const { classes } = model.description;
  const labels = new Int32Array(set.count);
  const inference = modelInference(model, dataset);
  let done = 0;
  try {
    for (const batch of evaluationBatches(set, { batchSize: batchFor(set) })) {
      const logits = inference.logits(batch);
      for (let i = 0; i < batch.count; i++) {
        const own = logits.subarray(i * classes, (i + 1) * classes);
        labels[done + i] = own.indexOf(Math.max(...own));
      }
      done += batch.count;
      onProgress?.({ done, total: set.count, note: `classes that ${model.name} tells` });
    }
  } finally {
    inference.dispose();
  }
  return labels;
}
