import type { Progress } from '../progress';
import { formatDuration } from './duration';

/** What a stage of work has done so far. A new stage begins when `total` changes or `done` falls. */
export interface ProgressReading {
  /** 0 to 1. */
  readonly fraction: number;
  readonly finished: boolean;
  /** This is the first report of its stage. */
  readonly isNew: boolean;
  /** Since the stage's first report. */
  readonly elapsedSeconds: number;
  /** Units a second over the whole stage; undefined before the second report. */
  readonly rate?: number;
  readonly secondsLeft?: number;
  /** `calibrating  34 %  120/350  3.4/s  1 min 20 s left`. */
  readonly text: string;
}

/** Turns reports into readings. @param now clock in milliseconds. */
export function progressMeter(
  now: () => number = () => performance.now(),
): (progress: Progress) => ProgressReading {
  let stage: { total: number; first: number; last: number; start: number } | undefined;
  return (progress) => {
    const { done, total } = progress;
    const isNew = !stage || stage.total !== total || done < stage.last || stage.last >= stage.total;
    if (isNew) stage = { total, first: done, last: done, start: now() };
    const { first, start } = stage!;
    stage!.last = done;
    const elapsedSeconds = (now() - start) / 1000;
    const rate = done > first && elapsedSeconds > 0 ? (done - first) / elapsedSeconds : undefined;
    const reading = {
      fraction: total > 0 ? Math.min(1, Math.max(0, done / total)) : 1,
      finished: done >= total,
      isNew,
      elapsedSeconds,
      rate,
      secondsLeft: rate && Math.max(0, total - done) / rate,
    };
    return { ...reading, text: describe(progress, reading) };
  };
}

function describe({ done, total, note }: Progress, reading: Omit<ProgressReading, 'text'>): string {
  const { fraction, rate, secondsLeft, finished, elapsedSeconds } = reading;
  if (finished) return `${note ?? 'done'}: ${total} in ${formatDuration(elapsedSeconds)}`;
  const parts = [note, `${Math.floor(fraction * 100)} %`, `${round(done)}/${round(total)}`];
  if (rate) parts.push(rate >= 1 ? `${Number(rate.toPrecision(3))}/s` : `${(1 / rate).toFixed(1)} s each`);
  if (secondsLeft !== undefined) parts.push(`${formatDuration(secondsLeft)} left`);
  return parts.filter(Boolean).join('  ');
}

function round(count: number): number {
  return Number.isInteger(count) ? count : Number(count.toFixed(1));
}
