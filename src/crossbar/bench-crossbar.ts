import { InputError } from '../errors';
import type { OnProgress } from '../progress';
import { simulateLayer } from './simulate-layer';
import { checksum, speedChecksums, speedWorkload } from './speed-workload';

export interface CrossbarBench {
  /** Median of the repeats, uint8 inputs to int32 outputs. */
  readonly milliseconds: number;
  readonly sum: number;
  readonly fnv1a: string;
  readonly threads: number;
  readonly engine: string;
  readonly repeats: number;
}

/**
 * Times the speed workload. Throws when a checksum differs: a fast wrong answer is no measurement.
 * `repeats`: timed runs after one to warm up, 1..1000.
 */
export function benchCrossbar({
  repeats = 5,
  onProgress,
}: {
  repeats?: number;
  onProgress?: OnProgress;
} = {}): CrossbarBench {
  if (!Number.isInteger(repeats) || repeats < 1 || repeats > 1000) {
    throw new InputError(`repeats: ${repeats} is not a whole number from 1 to 1000`);
  }
  const layer = speedWorkload();
  const times: number[] = [];
  let sums = { sum: 0, fnv1a: '' };
  for (let run = 0; run <= repeats; run++) {
    const start = performance.now();
    const { outputs } = simulateLayer(layer);
    if (run > 0) times.push(performance.now() - start);
    sums = checksum(outputs);
    if (sums.fnv1a !== speedChecksums['sign-split'].fnv1a) {
      throw new Error(`crossbar bench: checksum ${sums.fnv1a} is not ${speedChecksums['sign-split'].fnv1a}`);
    }
    onProgress?.({ done: run + 1, total: repeats + 1, note: 'crossbar speed workload' });
  }
  times.sort((a, b) => a - b);
  const milliseconds = (times[(repeats - 1) >> 1] + times[repeats >> 1]) / 2;
  return { milliseconds, ...sums, threads: 1, engine: 'bit-sliced TypeScript', repeats };
}
