import { InputError } from '../errors';
import type { NetworkDescription } from '../networks/description';
import type { Pictures } from '../networks/inference';
import { buildIntegerNetwork } from '../quantization/build-integer-network';
import type { IntegerNetwork } from '../quantization/integer-network';
import { randomStream } from '../tensor/random';
import type { FloatModel, IntegerModel } from './open-model';

/**
 * The unpruned network beside a pruned one, for counting what its weights take: a float model gets the pruned network's
 * bits and normalisation. Its input scales come from random pictures: codes do not depend on them, accuracy would.
 * @throws InputError for a model of another network, and for one that is pruned itself
 */
export function denseNetwork(model: FloatModel | IntegerModel, pruned: IntegerNetwork): IntegerNetwork {
  const { description } = model.kind === 'integer' ? model.network : model;
  if (description.name !== pruned.description.name)
    throw new InputError(
      `${model.path}: ${description.name}; the pruned network is ${pruned.description.name}`,
    );
  if (model.kind === 'integer') {
    if (model.network.pruning)
      throw new InputError(`${model.path}: pruned itself; the unpruned network is needed`);
    return model.network;
  }
  const { mean, std, weightBits } = pruned;
  const inputBits = Math.max(...[...pruned.layers.values()].slice(1).map((layer) => layer.inputBits), 1);
  const folded = model.folded;
  const bits = { weightBits, inputBits };
  return buildIntegerNetwork(
    folded.description,
    folded.parameters,
    { mean, std },
    randomPictures(pruned.description.input),
    bits,
  );
}

function randomPictures(shape: NetworkDescription['input']): Pictures {
  const count = 2;
  const random = randomStream(1, 'random pictures');
  const pixels = Uint8Array.from({ length: count * shape.height * shape.width * shape.channels }, () =>
    random.integer(256),
  );
  return { pixels, count, ...shape };
}
