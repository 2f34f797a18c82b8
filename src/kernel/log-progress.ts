import type { OnProgress } from '../progress';
import { progressMeter } from './progress-meter';

export interface LogProgressOptions {
  /** Least distance of two lines. Default 10. */
  readonly everySeconds?: number;
  /** Puts the time (ISO 8601, UTC) before each line. Default false. */
  readonly timestamps?: boolean;
  /** Clock in milliseconds. */
  readonly now?: () => number;
}

/** Stages shorter than this leave no trace. */
export const SHORT_SECONDS = 2;

/** Progress as lines, for logs and pipes: the first after 2 s, then one every `everySeconds`, and one at the end of a stage. */
export function logProgress(write: (line: string) => void, options: LogProgressOptions = {}): OnProgress {
  const { everySeconds = 10, timestamps = false, now = () => performance.now() } = options;
  const read = progressMeter(now);
  let last = Number.NEGATIVE_INFINITY;
  return (progress) => {
    const reading = read(progress);
    if (reading.elapsedSeconds < SHORT_SECONDS) return;
    if (!reading.finished && now() - last < everySeconds * 1000) return;
    last = now();
    write(timestamps ? `${new Date().toISOString()}  ${reading.text}` : reading.text);
  };
}
