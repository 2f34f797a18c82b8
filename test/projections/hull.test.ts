import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Hull } from '../../src/projections/core/hull';

const price = fc.oneof(fc.constant(0), fc.double({ min: 0, max: 3000, noNaN: true }));

describe('the hull of the codes', () => {
  it('tells for any magnitude the code whose error and price together are least', () => {
    const hull = new Hull();
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 7 }),
        fc.array(price, { minLength: 8, maxLength: 8 }),
        fc.double({ min: 0.01, max: 100, noNaN: true }),
        fc.array(fc.double({ min: 0, max: 140, noNaN: true }), { minLength: 1, maxLength: 30 }),
        (planes, prices, curvature, magnitudes) => {
          const multipliers = new Float64Array(15);
          for (let plane = 0; plane < planes; plane++) multipliers[plane] = prices[plane];
          multipliers[2 * planes] = prices[7];
          hull.build(planes, multipliers, 0, curvature);
          const priceOf = (code: number) =>
            code === 0
              ? 0
              : prices.slice(0, planes).reduce((sum, each, p) => sum + ((code >> p) & 1) * each, prices[7]);
          const cost = (code: number, size: number) => curvature * (size - code) ** 2 + priceOf(code);
          for (const size of magnitudes) {
            let at = hull.count - 1;
            while (at > 0 && size < hull.borders[at]) at--;
            expect(hull.prices[at]).toBeCloseTo(priceOf(hull.codes[at]), 6);
            let least = Infinity;
            for (let code = 0; code < 2 ** planes; code++) least = Math.min(least, cost(code, size));
            expect(cost(hull.codes[at], size)).toBeLessThanOrEqual(least * (1 + 1e-9) + 1e-9);
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});
