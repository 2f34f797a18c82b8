import { describe, expect, it } from 'vitest';
import { benchCrossbar } from '../../src/crossbar/bench-crossbar';
import { simulateLayer } from '../../src/crossbar/simulate-layer';
import { checksum, speedChecksums, speedWorkload } from '../../src/crossbar/speed-workload';
import { useFastEngines } from '../../src/experiments/fast-engines';

useFastEngines({ threads: 1 });

describe('the speed workload', () => {
  it.each(['sign-split', 'offset'] as const)(
    'has the agreed checksums in %s encoding',
    (encoding) => {
      const { outputs, saturated } = simulateLayer(speedWorkload(encoding));
      expect(checksum(outputs)).toEqual(speedChecksums[encoding]);
      expect(saturated).toBeGreaterThan(0);
      if (encoding === 'sign-split')
        expect([...outputs.subarray(0, 4)]).toEqual([146459, 89017, 301319, 122257]);
    },
    60_000,
  );

  it('is timed with its checksum', () => {
    const { milliseconds, fnv1a, threads } = benchCrossbar({ repeats: 1 });
    expect(milliseconds).toBeGreaterThan(0);
    expect([fnv1a, threads]).toEqual(['9bf95b3f', 1]);
  }, 60_000);
});
