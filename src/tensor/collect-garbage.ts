import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

let collector: (() => void) | undefined;

/** Collects this thread's garbage now. */
export function collectGarbage(): void {
  if (!collector) {
    // Contexts made from here on have it; no option of the command line is needed.
    setFlagsFromString('--expose-gc');
    collector = runInNewContext('gc') as () => void;
  }
  collector();
}
