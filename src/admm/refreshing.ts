import { InputError } from '../errors';
import type { Pull } from './relaxation';

/** Bits that are chosen anew under way, while only codes are used. */
export interface Refreshing {
  /** Times that they are, evenly over the first 85 % of the steps. */
  readonly refreshes: number;
  /** Of the steps up to the last of them. */
  readonly pull: Pull;
  /**
   * Share of its gradient that a weight without bits follows, above 0 and up to 1 (default 1). Until the next choice all
   * of them follow the same error, which one alone could mend; where choices are few or the rate is high so many come up at
   * once that a network is thrown back: less keeps them down, and leaves the others their rate.
   */
  readonly prunedGradient?: number;
}

/** @throws InputError for a share out of range */
export function validatePrunedGradient(share: number): void {
  if (!(share > 0 && share <= 1))
    throw new InputError(`prunedGradient ${share}: a share above 0 and up to 1 is needed`);
}

/** What a network tells of it that was retrained under bits chosen anew on the way. */
export const REFRESHED_METHOD = 'hierarchical, retraining that chooses its bits anew';

/** Of training that chooses its bits anew: of 0.01, 0.003 and 0.001 the best for a 1-bit ResNet-20, one run each (data/runs.csv). */
export const REFRESH_PULL: Pull = [0.001, 0.001];

/** Steps within which bits are chosen anew; in the rest weights and batch norm settle under the last ones. */
export function refreshedSteps(steps: number): number {
  return Math.floor((85 * steps) / 100);
}

/** Whether one of so many refreshes, spread evenly over the steps from 1 to the last that may choose, comes before this step. */
export function isRefresh(step: number, steps: number, refreshes: number): boolean {
  const last = refreshedSteps(steps);
  if (step < 1 || step > last) return false;
  return Math.floor((step * refreshes) / last) > Math.floor(((step - 1) * refreshes) / last);
}
