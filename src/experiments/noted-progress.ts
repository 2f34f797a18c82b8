import type { OnProgress } from '../progress';

/** Tells progress under a note of its own: `r128-adc3: conv1`. */
export const notedProgress =
  (onProgress: OnProgress | undefined) =>
  (note: string): OnProgress =>
  (progress) =>
    onProgress?.({ ...progress, note: `${note}: ${progress.note ?? ''}` });
