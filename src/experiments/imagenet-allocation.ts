import { join } from 'node:path';
import { candidateStore } from '../admm/candidate-store';
import { layerCandidates, planeProfiles } from '../admm/layer-candidates';
import type { PostTrainingSettings } from '../admm/post-training-settings';
import type { ReferenceNetwork } from '../admm/through-layers';
import { planeEncoding } from '../bitplanes/plane-encoding';
import type { Pictures } from '../networks/inference';
import type { OnProgress } from '../progress';
import type { AdcBits } from '../quantization/adc-bits';
import type { IntegerNetwork } from '../quantization/integer-network';
import { allocateAdcBits } from './allocate-adc-bits';
import { cachedResult, digestOf } from './cached-result';
import { allocatableBits } from './imagenet-point';

export interface ImagenetAllocation {
  readonly network: IntegerNetwork;
  readonly reference: ReferenceNetwork;
  readonly calibration: Pictures;
  /** As the network will be pruned. */
  readonly settings: Omit<PostTrainingSettings, 'adcBits'>;
  /** Where sensitivities are kept, for other budgets too. */
  readonly folder: string;
  /** Everything else that they depend on. */
  readonly key: object;
  readonly onProgress: OnProgress;
}

/**
 * ADC bits by layer and plane that spend the energy of `bits` everywhere.
 * @param bits within those that are tried (`checkPoint`)
 */
export function allocatedBits(
  { network, reference, calibration, settings, folder, key, onProgress }: ImagenetAllocation,
  bits: number,
): AdcBits {
  const { iterations: _, ...trial } = settings;
  const { tileRows, encoding = 'sign-split' } = settings;
  const { planes } = planeEncoding(encoding, network.weightBits);
  const wanted = { ...trial, adcBits: planeProfiles(allocatableBits, planes) };
  const own = { ...key, ...wanted };
  return cachedResult(folder, `r${tileRows}-adc${bits}-allocation`, { ...own, bits }, () => {
    const store = candidateStore(join(folder, `r${tileRows}-sensitivities`), digestOf(own));
    const candidates = layerCandidates(network, reference, calibration, wanted, onProgress, store);
    const coding = { encoding };
    return allocateAdcBits(network, candidates, { tileRows, coding, budget: { uniformBits: bits } }).adcBits;
  });
}
