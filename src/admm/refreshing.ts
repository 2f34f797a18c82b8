import type { Pull } from './relaxation';

/** Bits that are chosen anew under way, while only codes are used. */
export interface Refreshing {
  /** Times that they are, evenly over the first 85 % of the steps. */
  readonly refreshes: number;
  /** Of the steps up to the last of them. */
  readonly pull: Pull;
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
