import { InputError } from '../errors';
import { certifyNetwork } from '../experiments/certify-network';
import { type IntegerModel, openIntegerModel } from '../experiments/open-model';

/**
 * An integer network; of a pruned one the codes keep the limits that its record promises.
 * @throws InputError naming the first layer and plane that do not, and as `openIntegerModel`
 */
export function openCertified(nameOrPath: string): IntegerModel {
  const model = openIntegerModel(nameOrPath);
  const { network, path } = model;
  const layers = network.pruning ? certifyNetwork(network).layers : [];
  const broken = layers.find(({ holds }) => !holds);
  if (!broken) return model;
  const { tile, column, plane, count, limit } = broken.offending[0];
  const counted = plane < 0 ? `${count} weights` : `plane ${plane}: ${count} ones`;
  throw new InputError(
    `${path}: layer '${broken.name}', row tile ${tile}, channel ${column}, ${counted} where ${limit} are allowed; \`cim-pruning certify\` tells all`,
  );
}
