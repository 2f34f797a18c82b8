import { type InputActivity, inputActivity, meanActivity } from '../hardware/input-activity';
import type { Pictures } from '../networks/inference';
import type { IntegerNetwork } from '../quantization/integer-network';
import { crossbarInputs } from './crossbar-inputs';
import { layerVectors } from './layer-vectors';
import { observeLayers } from './observe-layers';

/** How many rows of each layer's row tiles the pictures drive through DACs of `dacBits`, by layer. */
export function networkActivity(
  network: IntegerNetwork,
  pictures: Pictures,
  tileRows: number,
  dacBits = network.pruning?.dacBits,
): ReadonlyMap<string, InputActivity> {
  const activities = new Map<string, InputActivity>();
  observeLayers(network, pictures, (node, inputCodes) => {
    const layer = network.layers.get(node.name)!;
    const groups = crossbarInputs(network, node, layerVectors(node, layer, inputCodes), tileRows);
    activities.set(
      node.name,
      meanActivity(groups.map(({ inputs, ...rest }) => inputActivity(inputs, { ...rest, dacBits }))),
    );
    return undefined;
  });
  return activities;
}
