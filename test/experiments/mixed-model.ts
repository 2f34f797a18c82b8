import { prunePostTraining } from '../../src/admm/prune-post-training';
import type { FloatModel, IntegerModel } from '../../src/experiments/open-model';
import { dataset, livelyParameters, pictures, smallModel } from '../quantization/small-model';
import { mixedNetwork } from '../training/small-networks';

export const description = mixedNetwork();
export const { network, folded } = smallModel(description);
export const tileRows = 32;

/** A float network as it is opened from a file. */
export const model: FloatModel = {
  kind: 'float',
  name: 'mixed',
  path: 'mixed.safetensors',
  sha256: '00',
  identity: '00',
  description,
  parameters: livelyParameters(description),
  folded,
  mean: dataset.mean,
  std: dataset.std,
  account: { matched: [], ignored: [] } as never,
};

/** That network pruned for 2-bit ADCs. */
export const pruned: IntegerModel = {
  kind: 'integer',
  name: 'mixed-pruned',
  path: 'mixed-pruned.safetensors',
  sha256: '01',
  network: prunePostTraining(network, folded, pictures, {
    tileRows,
    adcBits: 2,
    compensation: 'none',
    patches: 200,
  }).network,
};
