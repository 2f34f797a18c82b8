import { checkWhole } from '../check-number';
import type { OnProgress } from '../progress';
import { threadCount } from '../tensor/parallel';
import { compiledKernel } from './compiled-kernel';
import { createLayerSimulator } from './layer-simulator';
import { checksum, speedChecksums, speedWorkload } from './speed-workload';

export interface CrossbarBench {
  /** Median of the repeats, uint8 inputs to int32 outputs, the layer already on its crossbars. */
  readonly milliseconds: number;
  /** Laying the layer on its crossbars, once. */
  readonly mappingMilliseconds: number;
  readonly sum: number;
  readonly fnv1a: string;
  readonly threads: number;
  readonly engine: string;
  readonly repeats: number;
}

/**
 * Times the speed workload on the threads there are. Throws when a checksum differs: a fast wrong answer is no measurement.
 * `repeats`: timed runs after two to warm up, 1..1000.
 */
export function benchCrossbar({
  repeats = 11,
  onProgress,
}: {
  repeats?: number;
  onProgress?: OnProgress;
} = {}): CrossbarBench {
  checkWhole('repeats', repeats, 1, 1000);
  const { inputs, vectors, ...layer } = speedWorkload();
  const begun = performance.now();
  const simulator = createLayerSimulator(layer);
  const times: number[] = [];
  let sums = { sum: 0, fnv1a: '' };
  let mappingMilliseconds = performance.now() - begun;
  for (let run = -2; run < repeats; run++) {
    const start = performance.now();
    const { outputs } = simulator.run(inputs, vectors);
    const time = performance.now() - start;
    if (run === -2) mappingMilliseconds += time;
    if (run >= 0) times.push(time);
    sums = checksum(outputs);
    if (sums.fnv1a !== speedChecksums['sign-split'].fnv1a) {
      throw new Error(`crossbar bench: checksum ${sums.fnv1a} is not ${speedChecksums['sign-split'].fnv1a}`);
    }
    onProgress?.({ done: run + 3, total: repeats + 2, note: 'crossbar speed workload' });
  }
  times.sort((a, b) => a - b);
  const milliseconds = (times[(repeats - 1) >> 1] + times[repeats >> 1]) / 2;
  const engine = compiledKernel() ? 'WebAssembly SIMD, bit-sliced' : 'reference';
  return { milliseconds, mappingMilliseconds, ...sums, threads: threadCount(), engine, repeats };
}
