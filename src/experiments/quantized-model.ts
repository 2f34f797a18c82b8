import type { Dataset } from '../data/dataset';
import type { Pictures } from '../networks/inference';
import type { OnProgress } from '../progress';
import { buildIntegerNetwork, type QuantizationBits } from '../quantization/build-integer-network';
import type { IntegerNetwork } from '../quantization/integer-network';
import { normalisationOf } from './normalisation';
import type { FloatModel } from './open-model';

/**
 * A float model as an unpruned integer network (default: 8-bit weights and inputs), its input scales from `pictures`,
 * unlabelled. @throws InputError as `buildIntegerNetwork`
 */
export function quantizedModel(
  model: FloatModel,
  dataset: Pick<Dataset, 'mean' | 'std'>,
  pictures: Pictures,
  bits: QuantizationBits = { weightBits: 8, inputBits: 8 },
  onProgress?: OnProgress,
): IntegerNetwork {
  const { description, parameters } = model.folded;
  const normalisation = normalisationOf(model, dataset);
  return buildIntegerNetwork(description, parameters, normalisation, pictures, bits, onProgress);
}
