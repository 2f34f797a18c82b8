import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { allocateBudgets, type BudgetOption } from '../../src/admm/allocate-budgets';
import { InputError } from '../../src/errors';

const option = fc.record({
  cost: fc.oneof(fc.integer({ min: 0, max: 12 }), fc.double({ min: 0, max: 12, noNaN: true })),
  error: fc.oneof(fc.integer({ min: 0, max: 9 }), fc.double({ min: 0, max: 9, noNaN: true })),
});
const layersOf = (most: number) =>
  fc.array(fc.array(option, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: most });

const cheapest = (layers: readonly (readonly BudgetOption[])[]) =>
  layers.reduce((sum, options) => sum + Math.min(...options.map(({ cost }) => cost)), 0);

/** Budgets from what the cheapest options cost on. */
const problems = (most: number) =>
  fc.tuple(layersOf(most), fc.double({ min: 0, max: 30, noNaN: true })).map(([layers, extra]) => ({
    layers,
    budget: cheapest(layers) + extra,
  }));

/** The least error within the budget, by trying every choice. */
function bruteForce(layers: readonly (readonly BudgetOption[])[], budget: number): number {
  const least = (layer: number, cost: number, error: number): number => {
    if (cost > budget * (1 + 1e-12)) return Infinity;
    if (layer === layers.length) return error;
    return Math.min(...layers[layer].map((own) => least(layer + 1, cost + own.cost, error + own.error)));
  };
  return least(0, 0, 0);
}

describe('allocateBudgets', () => {
  it('finds the least error of all choices, within the budget, and proves it', () => {
    fc.assert(
      fc.property(problems(5), ({ layers, budget }) => {
        const { chosen, cost, error, lowerBound, price } = allocateBudgets({ layers, budget });
        expect(cost).toBeLessThanOrEqual(budget * (1 + 1e-9));
        expect(chosen.reduce((sum, own, layer) => sum + layers[layer][own].cost, 0)).toBe(cost);
        expect(chosen.reduce((sum, own, layer) => sum + layers[layer][own].error, 0)).toBe(error);
        expect(error).toBeCloseTo(bruteForce(layers, budget), 9);
        expect(lowerBound).toBeLessThanOrEqual(error + 1e-9);
        expect(error - lowerBound).toBeLessThan(1e-6 * (1 + error));
        expect(price).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: 400 },
    );
  });

  it('finds it where two options of nearly the same cost make a price that overflows', () => {
    const layers = [
      [
        { cost: 1, error: 0 },
        { cost: 0, error: 5e-324 },
      ],
      [{ cost: 2, error: 0 }],
      [
        { cost: 0, error: 6 },
        { cost: 1.112536929253601e-308, error: 4 },
      ],
    ];
    const { chosen, error, lowerBound, price } = allocateBudgets({ layers, budget: 2 });
    expect(chosen).toEqual([1, 0, 1]);
    expect([error, lowerBound]).toEqual([4, 4]);
    expect(Number.isFinite(price)).toBe(true);
  });

  it('prices the budget alike however often a layer is repeated', () => {
    const options = [6, 5, 3, 2, 0].map((cost, i) => ({ cost, error: i * i }));
    const { price } = allocateBudgets({ layers: [options], budget: 2.5 });
    for (const count of [2, 4, 8]) {
      const repeated = Array.from({ length: count }, () => options);
      expect(allocateBudgets({ layers: repeated, budget: 2.5 * count }).price).toBe(price);
    }
  });

  it('is never worse with more budget', () => {
    fc.assert(
      fc.property(problems(12), fc.double({ min: 0, max: 10, noNaN: true }), ({ layers, budget }, more) => {
        const { error } = allocateBudgets({ layers, budget });
        expect(allocateBudgets({ layers, budget: budget + more }).error).toBeLessThanOrEqual(error + 1e-9);
      }),
      { numRuns: 150 },
    );
  });

  it('says how far it may be from the best where it may not hold all states', () => {
    fc.assert(
      fc.property(problems(6), ({ layers, budget }) => {
        const { cost, error, lowerBound } = allocateBudgets({ layers, budget, stateLimit: 1 });
        const best = bruteForce(layers, budget);
        expect(cost).toBeLessThanOrEqual(budget * (1 + 1e-9));
        expect(error).toBeGreaterThanOrEqual(best - 1e-9);
        expect(lowerBound).toBeLessThanOrEqual(best + 1e-9);
      }),
      { numRuns: 150 },
    );
  });

  it('takes the best of every layer at price 0 where the budget does not bind', () => {
    const layers = [
      [
        { cost: 1, error: 5 },
        { cost: 4, error: 1 },
      ],
      [
        { cost: 2, error: 3 },
        { cost: 3, error: 0 },
      ],
    ];
    expect(allocateBudgets({ layers, budget: 100 })).toMatchObject({ chosen: [1, 1], error: 1, price: 0 });
    expect(allocateBudgets({ layers, budget: 4 })).toMatchObject({ chosen: [0, 1], error: 5, cost: 4 });
  });

  it('refuses a budget below the cheapest choice, layers without options, and unfit numbers', () => {
    const layers = [[{ cost: 2, error: 1 }]];
    for (const [problem, line] of [
      [{ layers, budget: 1 }, /budget 1 is below 2/],
      [{ layers, budget: Number.NaN }, /budget NaN/],
      [{ layers: [[]], budget: 1 }, /layer 0: no option/],
      [{ layers: [[{ cost: -1, error: 0 }]], budget: 1 }, /layer 0: cost -1/],
      [{ layers: [[{ cost: 1, error: Number.NaN }]], budget: 1 }, /error NaN/],
    ] as const) {
      expect(() => allocateBudgets(problem)).toThrow(InputError);
      expect(() => allocateBudgets(problem)).toThrow(line);
    }
  });
});
