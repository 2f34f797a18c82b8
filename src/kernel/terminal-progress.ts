import type { Progress } from '../progress';
import { logProgress, SHORT_SECONDS } from './log-progress';
import { progressMeter } from './progress-meter';

/** An OnProgress that draws; `end` takes an unfinished bar off the screen, before an error or other text is printed. */
export interface TerminalProgress {
  (progress: Progress): void;
  end(): void;
}

/** What it needs of a stream such as process.stderr. */
export interface TerminalStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

const REDRAW_MS = 100;
const APPEAR_SECONDS = 0.3;
const BAR = 20;

/**
 * Shows progress on a stream: on a terminal one line that is redrawn, with bar, percentage, count, rate and time left;
 * elsewhere a line every ten seconds. A stage that took less than 2 s leaves no trace.
 * @param now clock in milliseconds.
 */
export function terminalProgress(
  stream: TerminalStream = process.stderr,
  now: () => number = () => performance.now(),
): TerminalProgress {
  if (!stream.isTTY || process.env.TERM === 'dumb')
    return Object.assign(
      logProgress((line) => stream.write(`${line}\n`), { now }),
      { end: () => undefined },
    );
  const read = progressMeter(now);
  let drawn = Number.NEGATIVE_INFINITY;
  let visible = false;
  const clear = () => {
    if (visible) stream.write('\r\x1b[K');
    visible = false;
  };
  const show = (progress: Progress) => {
    const { finished, elapsedSeconds, fraction, text } = read(progress);
    if (finished) {
      clear();
      if (elapsedSeconds >= SHORT_SECONDS) stream.write(`${text}\n`);
      drawn = Number.NEGATIVE_INFINITY;
    } else if (elapsedSeconds >= APPEAR_SECONDS && now() - drawn >= REDRAW_MS) {
      const full = Math.round(fraction * BAR);
      const line = `${'█'.repeat(full)}${'░'.repeat(BAR - full)} ${text}`;
      // One column is left free: a full line would wrap and could not be redrawn.
      stream.write(`\r${line.slice(0, (stream.columns ?? 80) - 1)}\x1b[K`);
      visible = true;
      drawn = now();
    }
  };
  return Object.assign(show, { end: clear });
}
