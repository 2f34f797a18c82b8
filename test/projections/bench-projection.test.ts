import { describe, expect, it } from 'vitest';
import { useFastEngines } from '../../src/experiments/fast-engines';
import { benchProjection } from '../../src/projections/bench-projection';

useFastEngines({ threads: 1 });

describe('benchProjection', () => {
  it('times sign-split columns on both engines, which give the same codes', () => {
    const first = benchProjection({ columns: 12, sample: 3 });
    expect(first).toMatchObject({ columns: 12, threads: 1, engine: 'WebAssembly' });
    expect(first.sample.compiled).toBeGreaterThan(0);
    expect(benchProjection({ columns: 12, sample: 3 }).fnv1a).toBe(first.fnv1a);
  });

  it('times other encodings on both engines too, signed digits with less error in as many columns', () => {
    const magnitudes = benchProjection({ columns: 12, sample: 3 });
    const digits = benchProjection({ columns: 12, sample: 3, encoding: 'csd', weightBits: 7 });
    expect(digits.engine).toBe('WebAssembly');
    expect(digits.sample.compiled).toBeGreaterThan(0);
    expect(digits.relativeError).toBeLessThan(magnitudes.relativeError);
    expect(digits.largestGapPercent).toBeLessThan(5);
  });

  it('proves every column of a 1-bit ADC optimal', () => {
    const { largestGapPercent } = benchProjection({ columns: 12, sample: 3, adcBits: 1 });
    expect(largestGapPercent).toBe(0);
  });

  it('refuses a number of columns that is none', () => {
    expect(() => benchProjection({ columns: 0 })).toThrow(/columns: 0 is not a whole number of at least 1/);
  });
});
