import { randomBytes } from 'node:crypto';
import type { OnProgress, Progress } from '../progress';
import { escapeHtml } from '../reports/escape-html';
import { displayBundle, inNotebook } from './notebook-display';
import { progressMeter } from './progress-meter';
import { terminalProgress } from './terminal-progress';

/** Marks displays that show progress: `runNotebook` passes them on and leaves them out of the saved notebook. */
export const PROGRESS_TYPE = 'application/vnd.cim-pruning.progress+json';

const REDRAW_MS = 250;

/** An OnProgress that updates one bar below the cell; outside a notebook, the bar of the terminal on stderr. */
export function showProgress(): OnProgress {
  if (!inNotebook()) return terminalProgress();
  const read = progressMeter();
  // Names a display, decides no result.
  const id = randomBytes(8).toString('hex');
  let begun = false;
  let drawn = Number.NEGATIVE_INFINITY;
  return (progress: Progress) => {
    const { text, fraction, finished } = read(progress);
    if (!finished && performance.now() - drawn < REDRAW_MS) return;
    drawn = performance.now();
    const { done, total, note } = progress;
    const bar = `<progress max="1" value="${fraction.toFixed(4)}" style="width:20em"></progress>`;
    const bundle = {
      [PROGRESS_TYPE]: { done, total, note },
      'text/html': `<div>${bar} ${escapeHtml(text)}</div>`,
      'text/plain': text,
    };
    displayBundle(bundle, id, begun);
    begun = true;
  };
}
