import type { NetworkDescription, Parameters } from '../networks/description';
import { createInference, type Inference, type InferenceOptions } from '../networks/inference';

/** A trained network, batch norm folded, whose probabilities are learnt: as fast as there is, for it may approximate. */
export function createTeacher(
  { description, parameters }: { readonly description: NetworkDescription; readonly parameters: Parameters },
  { mean, std }: InferenceOptions,
): Inference {
  return createInference(description, parameters, { mean, std, approximate: true });
}
