import type { Dataset, PictureSet } from '../data/dataset';
import { datasetStream } from '../data/test-pictures';
import { largestClass } from '../networks/largest-class';
import { nodeShapes } from '../networks/node-shapes';
import type { OnProgress } from '../progress';
import { modelInference } from './accuracy';
import type { FloatModel } from './open-model';
import { scorePictures } from './picture-scores';

/**
 * A data set with the classes that a network tells in place of labels: what is trained on it needs no labels, and its
 * accuracy is how often it agrees with that network. The set's own classes may be others.
 * @throws InputError where the network cannot take the pictures
 */
export async function labelledBy(
  model: FloatModel,
  dataset: Dataset,
  onProgress?: OnProgress,
): Promise<Dataset> {
  const { description, name, sha256 } = model;
  nodeShapes(description, dataset.train);
  const classes = Array.from({ length: description.classes }, (_, i) => String(i));
  const label = async (set: PictureSet): Promise<PictureSet> => {
    const stream = datasetStream({ ...dataset, classes, test: set });
    const { logits } = await scorePictures(modelInference(model, dataset), stream, set.count, onProgress);
    return {
      ...set,
      labels: set.labels.map((_, i) => largestClass(logits, i * classes.length, classes.length)),
    };
  };
  return {
    ...dataset,
    title: `${dataset.title}, labelled by ${name}`,
    classes,
    train: await label(dataset.train),
    test: await label(dataset.test),
    checksums: { ...dataset.checksums, [`${name} (labels)`]: sha256 },
  };
}
