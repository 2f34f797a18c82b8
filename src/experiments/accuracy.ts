import type { Dataset, PictureSet } from '../data/dataset';
import { createInference, type Inference } from '../networks/inference';
import { createIntegerInference, type IntegerHooks } from '../quantization/integer-inference';
import type { IntegerNetwork } from '../quantization/integer-network';
import { type Accuracy, type AccuracyOptions, measureAccuracy } from '../training/evaluate';
import { normalisationOf } from './normalisation';
import type { FloatModel, IntegerModel } from './open-model';

/** A model that classifies, on pictures whose mean and deviation are the data set's where the model does not tell. */
export function modelInference(
  model: FloatModel | IntegerModel,
  dataset: Pick<Dataset, 'mean' | 'std'>,
): Inference {
  if (model.kind === 'integer') return createIntegerInference(model.network);
  const { description, parameters } = model.folded;
  return createInference(description, parameters, normalisationOf(model, dataset));
}

/** Accuracy of a float model. */
export function floatAccuracy(
  model: FloatModel,
  dataset: Dataset,
  set: PictureSet,
  options: AccuracyOptions = {},
): Accuracy {
  return measureAccuracy(modelInference(model, dataset), model.description.classes, set, options);
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
