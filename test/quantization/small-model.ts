import { generatedPictures } from '../../src/data/generated-pictures';
import { calibrationPictures } from '../../src/experiments/calibration';
import type { NetworkDescription, Parameters } from '../../src/networks/description';
import { foldBatchNorm } from '../../src/networks/fold-batch-norm';
import { initialParameters } from '../../src/networks/initial-parameters';
import { buildIntegerNetwork, type QuantizationBits } from '../../src/quantization/build-integer-network';
import { randomStream } from '../../src/tensor/random';

export const dataset = generatedPictures({ train: 64, test: 32, size: 16, classes: 4 });
export const pictures = calibrationPictures(dataset.train, 32, 1);

/** Fresh parameters with batch norms that do something. */
export function livelyParameters(description: NetworkDescription): Parameters {
  const parameters = initialParameters(description, 1);
  for (const [name, { data, shape }] of parameters) {
    if (shape.length > 1) continue;
    const stream = randomStream(2, name);
    const spread = name.endsWith('_var') || name.endsWith('weight') ? 0.3 : 0.1;
    for (let i = 0; i < data.length; i++) data[i] += spread * (2 * stream.uniform() - 1);
  }
  return parameters;
}

/** A folded network with random weights, and its integer form. */
export function smallModel(description: NetworkDescription, bits: Partial<QuantizationBits> = {}) {
  const folded = foldBatchNorm(description, livelyParameters(description));
  const { mean, std } = dataset;
  const network = buildIntegerNetwork(folded.description, folded.parameters, { mean, std }, pictures, {
    weightBits: 8,
    inputBits: 8,
    ...bits,
  });
  return { folded, network };
}
