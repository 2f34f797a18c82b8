import type { Dataset } from '../data/dataset';
import type { InferenceOptions } from '../networks/inference';
import type { FloatModel } from './open-model';

/** The pictures' mean and deviation that a model was trained with; the data set's own where the model does not tell. */
export function normalisationOf(model: FloatModel, dataset: Pick<Dataset, 'mean' | 'std'>): InferenceOptions {
  return { mean: model.mean ?? dataset.mean, std: model.std ?? dataset.std };
}
