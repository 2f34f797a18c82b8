import type { Dataset, PictureSet } from '../data/dataset';
import { createInference } from '../networks/inference';
import { createIntegerInference, type IntegerHooks } from '../quantization/integer-inference';
import type { IntegerNetwork } from '../quantization/integer-network';
import { type Accuracy, type AccuracyOptions, measureAccuracy } from '../training/evaluate';
import { normalisationOf } from './normalisation';
import type { FloatModel } from './open-model';

/** Accuracy of a float model. */
export function floatAccuracy(
  model: FloatModel,
  dataset: Dataset,
  set: PictureSet,
  options: AccuracyOptions = {},
): Accuracy {
  const { description, parameters } = model.folded;
  const inference = createInference(description, parameters, normalisationOf(model, dataset));
  return measureAccuracy(inference, description.classes, set, options);
}

/** Accuracy of an integer network on the tensor engine, which is what lossless crossbars give. */
export function integerAccuracy(
  network: IntegerNetwork,
  set: PictureSet,
  options: AccuracyOptions = {},
  hooks: IntegerHooks = {},
): Accuracy {
  return measureAccuracy(createIntegerInference(network, hooks), network.description.classes, set, options);
}
