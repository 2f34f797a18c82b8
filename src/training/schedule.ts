import { InputError } from '../errors';

/** How the learning rate moves over training; steps count from 0. */
export interface Schedule {
  readonly kind: 'cosine' | 'one-cycle' | 'constant';
  /** Highest rate. */
  readonly peak: number;
  /** Rate that is reached when the last step is done (default 0). */
  readonly final?: number;
  /** Share of the steps that climbs linearly to the peak (default: cosine 0, one-cycle 0.25). */
  readonly warmup?: number;
}

/** Learning rate of step `step` of `steps`. */
export function learningRate(schedule: Schedule, step: number, steps: number): number {
  const { kind, peak } = schedule;
  if (kind === 'constant') return peak;
  const final = schedule.final ?? 0;
  const climb = Math.round((schedule.warmup ?? (kind === 'one-cycle' ? 0.25 : 0)) * steps);
  if (step < climb) return (peak * (step + 1)) / climb;
  const share = (step - climb) / Math.max(1, steps - climb);
  if (kind === 'one-cycle') return peak + (final - peak) * share;
  return final + ((peak - final) * (1 + Math.cos(Math.PI * share))) / 2;
}

/** @throws InputError naming the field that is out of range. */
export function validateSchedule({ kind, peak, final, warmup }: Schedule): void {
  if (!['cosine', 'one-cycle', 'constant'].includes(kind))
    throw new InputError(`schedule '${kind}' is unknown; allowed: cosine, one-cycle, constant`);
  if (!(peak > 0)) throw new InputError(`learning rate ${peak} is not above 0`);
  if (final !== undefined && !(final >= 0)) throw new InputError(`final learning rate ${final} is below 0`);
  if (warmup !== undefined && !(warmup >= 0 && warmup < 1))
    throw new InputError(`warm-up share ${warmup} is not from 0 to below 1`);
}
