import { describe, expect, it } from 'vitest';
import { overSeeds } from '../../src/experiments/over-seeds';

describe('overSeeds', () => {
  it("gives the mean and Student's 95 % half width, 0 for a single seed", () => {
    expect(overSeeds([90])).toEqual({ mean: 90, interval: 0 });
    const { mean, interval } = overSeeds([87, 88, 89]);
    expect(mean).toBe(88);
    // 4.303 * 1 / sqrt(3), of two degrees of freedom.
    expect(interval).toBeCloseTo(4.3 / Math.sqrt(3), 9);
    expect(overSeeds([87, 89]).interval).toBeCloseTo(12.71, 9);
  });
});
