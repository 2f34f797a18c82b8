import type { Dataset } from '../data/dataset';
import type { OnProgress } from '../progress';
import type { IntegerNetwork } from '../quantization/integer-network';
import type { Accuracy } from '../training/evaluate';
import { floatAccuracy, integerAccuracy } from './accuracy';
import { cachedResult } from './cached-result';
import type { FloatModel } from './open-model';

/** A float network and its unpruned 8-bit form on the same test pictures. */
export interface Baselines {
  readonly float: Accuracy;
  readonly integer: Accuracy;
}

export interface BaselinesOptions {
  readonly model: FloatModel;
  /** The unpruned 8-bit network. */
  readonly quantized: IntegerNetwork;
  readonly dataset: Dataset;
  /** Where they are kept. */
  readonly folder: string;
  /** All that they depend on, but for the number of pictures. */
  readonly key: object;
  readonly onProgress?: OnProgress;
}

/** Both networks on the first `limit` test pictures, measured once for each limit. */
export function keptBaselines({ model, quantized, dataset, folder, key, onProgress }: BaselinesOptions) {
  return (limit: number): Baselines =>
    cachedResult(folder, `baselines-${limit}`, { ...key, limit }, () => ({
      float: floatAccuracy(model, dataset, dataset.test, { limit, onProgress }),
      integer: integerAccuracy(quantized, dataset.test, { limit, onProgress }),
    }));
}

/** Points that an accuracy is below both, on the same pictures. */
export function dropsBelow({ float, integer }: Baselines, { top1 }: Accuracy) {
  return { dropFromFloat: float.top1 - top1, dropFrom8bit: integer.top1 - top1 };
}
