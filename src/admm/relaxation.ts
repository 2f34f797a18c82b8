import { mapPlanes, type PerPlane } from '../bitplanes/per-plane';
import { checkWhole } from '../check-number';
import { InputError } from '../errors';
import { gradualLimit } from './network-admm';

/** Share of the way to the codes that a step takes (0..1): of the first and of the last step, geometric in between. */
export type Pull = readonly [first: number, last: number];

/**
 * Relaxed training before bits are frozen: real weights follow the loss and are drawn to the nearest codes that keep the
 * limits, at last firmly (a proximal method: ProxQuant, Bai, Wang and Liberty 2019).
 */
export interface Relaxation {
  /** Share of the training (above 0, below 1) that is relaxed. */
  readonly share: number;
  /** Steps between two choices of bits. */
  readonly interval: number;
  /** Of the relaxed steps. */
  readonly pull: Pull;
  /** k_b at the first choice; falls to the limit over the first half of the relaxed steps. Default: the limit. */
  readonly firstBitLimit?: number;
}

/** What a network that was pruned so tells of it. */
export const RELAXED_METHOD = 'hierarchical, relaxed training and frozen bits';

/** Steps whose draw is taken together: one costs a pass over all weights. */
const DRAW_EVERY = 5;

/** @throws InputError for numbers out of range */
export function validateRelaxation({ share, interval, pull }: Relaxation): void {
  if (!(share > 0 && share < 1))
    throw new InputError(`relaxation: share ${share} is not above 0 and below 1`);
  checkWhole('relaxation: interval', interval, 1);
  validatePull(pull);
}

/** @throws InputError for a share that is not above 0 and below 1 */
export function validatePull(pull: Pull): void {
  if (!pull.every((each) => each > 0 && each < 1))
    throw new InputError(`pull ${pull.join(' to ')}: both must be above 0 and below 1`);
}

/** Steps that are relaxed, never all; at the step after them bits are chosen for the last time. */
export function relaxedSteps({ share }: Relaxation, steps: number): number {
  return Math.min(steps - 1, Math.ceil(share * steps));
}

/** Whether bits are chosen before this step. */
export function choosesBits(relaxation: Relaxation, step: number, steps: number): boolean {
  const last = relaxedSteps(relaxation, steps);
  return step === last || (step < last && step % relaxation.interval === 0);
}

/** The limit that a choice of bits keeps. */
export function relaxedLimit(relaxation: Relaxation, limit: PerPlane, step: number, steps: number): PerPlane {
  const last = relaxedSteps(relaxation, steps);
  const share = step < last ? Math.min(1, (2 * step) / last) : 1;
  return mapPlanes(limit, (last) => gradualLimit(last, relaxation.firstBitLimit, share));
}

/** Share of the way to the codes that the weights are moved after this step of `last` that draw; 0: not at all. */
export function drawAfter([from, to]: Pull, step: number, last: number): number {
  if (step >= last || step % DRAW_EVERY !== 0) return 0;
  return 1 - (1 - from * (to / from) ** (step / last)) ** DRAW_EVERY;
}
