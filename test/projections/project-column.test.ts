import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../src/errors';
import { projectColumn } from '../../src/projections/project-column';
import { projectionMethods } from '../../src/projections/projection-method';
import { randomStream } from '../../src/tensor/random';
import {
  bruteForce,
  errorOf,
  keepsLimits,
  planeLimits,
  problems,
  tableOptimum,
  UNEVEN_ERROR,
  withUnevenRows,
} from './oracles';

const usual = problems({ bits: [2, 8], rows: [0, 40] });
const tiny = problems({ bits: [2, 3], rows: [1, 5] });
const slack = (value: number) => 1e-9 * (1 + value);

describe.each(projectionMethods)('projectColumn by %s', (method) => {
  it('keeps every limit, tells its error, and a bound below it', () => {
    fc.assert(
      fc.property(usual, (problem) => {
        const { codes, objective, lowerBound, gap } = projectColumn({ ...problem, method, searchLimit: 200 });
        expect(keepsLimits(problem, codes)).toBe(true);
        expect(Math.abs(objective - errorOf(problem, codes))).toBeLessThanOrEqual(slack(objective));
        expect(lowerBound).toBeLessThanOrEqual(objective);
        expect(lowerBound).toBeGreaterThanOrEqual(0);
        expect(gap).toBeGreaterThanOrEqual(0);
        expect(gap).toBeLessThanOrEqual(1);
        codes.forEach((code, i) => {
          expect(code * problem.targets[i]).toBeGreaterThanOrEqual(0);
        });
      }),
      { numRuns: 60 },
    );
  });

  it('bounds the brute-force optimum of tiny columns from below', () => {
    fc.assert(
      fc.property(tiny, (problem) => {
        const { objective, lowerBound } = projectColumn({ ...problem, method });
        const optimum = bruteForce(problem);
        expect(lowerBound).toBeLessThanOrEqual(optimum + slack(optimum));
        expect(objective).toBeGreaterThanOrEqual(optimum - slack(optimum));
      }),
      { numRuns: 40 },
    );
  });
});

describe('projectColumn', () => {
  it('finds the brute-force optimum of tiny columns exactly', () => {
    fc.assert(
      fc.property(tiny, (problem) => {
        const { objective, gap } = projectColumn({ ...problem, method: 'exact' });
        const optimum = bruteForce(problem);
        expect(Math.abs(objective - optimum)).toBeLessThanOrEqual(slack(optimum));
        expect(gap).toBeLessThan(1e-9);
      }),
      { numRuns: 150 },
    );
  });

  it('finds the optimum of the dynamic program over all states', () => {
    const small = problems({ bits: [3, 4], rows: [4, 7] }).map((problem) => ({
      ...problem,
      bitLimit: planeLimits(problem).map((limit) => Math.min(limit, 1)),
      valueLimit: problem.valueLimit && Math.min(problem.valueLimit, 3),
    }));
    fc.assert(
      fc.property(small, (problem) => {
        const { objective } = projectColumn({ ...problem, method: 'exact' });
        const optimum = tableOptimum(problem);
        expect(Math.abs(objective - optimum)).toBeLessThanOrEqual(slack(optimum));
      }),
      { numRuns: 60 },
    );
  });

  it('finds that optimum by the Lagrangian too where all curvatures are equal and a plane has one one at most', () => {
    const single = problems({ bits: [3, 5], rows: [0, 9] }).map((problem) => ({
      ...problem,
      curvature: undefined,
      valueLimit: undefined,
      bitLimit: planeLimits(problem).map((limit) => Math.min(limit, 1)),
    }));
    fc.assert(
      fc.property(single, (problem) => {
        const { codes, objective, gap } = projectColumn({ ...problem, method: 'lagrangian' });
        const optimum = tableOptimum(problem);
        expect(keepsLimits(problem, codes)).toBe(true);
        expect(Math.abs(objective - optimum)).toBeLessThanOrEqual(slack(optimum));
        expect(gap).toBeLessThan(1e-9);
      }),
      { numRuns: 60 },
    );
  });

  it('finds what it finds where rows of hardly other curvature keep it from leaving small rows out', () => {
    fc.assert(
      fc.property(usual, (problem) => {
        const even = { ...problem, curvature: undefined, method: 'exact', searchLimit: 200 } as const;
        const { objective, gap } = projectColumn(even);
        const uneven = projectColumn({ ...even, ...withUnevenRows(problem) });
        const allowed = gap * objective + uneven.gap * uneven.objective + UNEVEN_ERROR;
        expect(Math.abs(uneven.objective - objective)).toBeLessThanOrEqual(allowed + slack(objective));
      }),
      { numRuns: 60 },
    );
  });

  it('agrees between oracles: dynamic program and brute force', () => {
    fc.assert(
      fc.property(problems({ bits: [2, 3], rows: [1, 4] }), (problem) => {
        const optimum = bruteForce(problem);
        expect(Math.abs(tableOptimum(problem) - optimum)).toBeLessThanOrEqual(slack(optimum));
      }),
      { numRuns: 40 },
    );
  });

  it('is never worse by the Lagrangian than greedy, truncation or value-only at k_v = k_b', () => {
    fc.assert(
      fc.property(usual, (problem) => {
        const error = (method: 'lagrangian' | 'greedy' | 'truncation' | 'value-only', valueLimit?: number) =>
          projectColumn({ ...problem, method, valueLimit }).objective;
        const best = error('lagrangian', problem.valueLimit);
        expect(best).toBeLessThanOrEqual(error('greedy', problem.valueLimit) + slack(best));
        expect(best).toBeLessThanOrEqual(error('truncation', problem.valueLimit) + slack(best));
        const k = Math.min(...planeLimits(problem));
        expect(error('lagrangian', k)).toBeLessThanOrEqual(error('value-only') + slack(best));
        expect(error('lagrangian')).toBeLessThanOrEqual(error('value-only') + slack(best));
      }),
      { numRuns: 80 },
    );
  });

  it('gives back a feasible integer column untouched, gap 0', () => {
    fc.assert(
      fc.property(usual, fc.constantFrom(...projectionMethods), (problem, method) => {
        const first = projectColumn({ ...problem, method, searchLimit: 200 }).codes;
        const again = projectColumn({ ...problem, targets: Float64Array.from(first), method });
        expect([...again.codes]).toEqual([...first]);
        expect([again.objective, again.lowerBound, again.gap]).toEqual([0, 0, 0]);
      }),
      { numRuns: 60 },
    );
  });

  it('rounds, with gap 0, when no limit can bind', () => {
    fc.assert(
      fc.property(usual, (problem) => {
        const limits = { bitLimit: problem.targets.length, valueLimit: problem.targets.length };
        const { codes, gap } = projectColumn({ ...problem, ...limits, method: 'lagrangian' });
        const max = 2 ** (problem.weightBits - 1) - 1;
        expect(gap).toBe(0);
        codes.forEach((code, i) => {
          const distance = Math.abs(problem.targets[i] - code);
          expect(distance <= 0.5 || Math.abs(code) === max).toBe(true);
        });
      }),
    );
  });

  it('has the same error for rows in another order and for negated weights', () => {
    fc.assert(
      fc.property(usual, fc.integer(), (problem, seed) => {
        const order = randomStream(seed, 'order').permutation(problem.targets.length);
        const moved = {
          ...problem,
          targets: Float64Array.from(order, (i) => problem.targets[i]),
          curvature: problem.curvature && Float64Array.from(order, (i) => problem.curvature![i]),
        };
        const negated = { ...problem, targets: problem.targets.map((target) => -target) };
        const method = 'exact';
        const { objective, gap } = projectColumn({ ...problem, method, searchLimit: 200 });
        for (const other of [moved, negated]) {
          const twin = projectColumn({ ...other, method, searchLimit: 200 });
          // Ties may break otherwise, so only proven optima are bound to agree to the last digit.
          const allowed = Math.max(gap, twin.gap) * Math.max(objective, twin.objective);
          expect(Math.abs(twin.objective - objective)).toBeLessThanOrEqual(allowed + slack(objective));
        }
      }),
      { numRuns: 60 },
    );
  });

  it('takes the previous codes when they are better, and stays certified from any multipliers', () => {
    const problem = laplace(3, 128, 2.4);
    const options = { targets: problem, weightBits: 8, bitLimit: 7 };
    const exact = projectColumn({ ...options, method: 'exact' });
    const wild = Float64Array.from({ length: 15 }, (_, i) => 1000 * (i % 4));
    const again = projectColumn({
      ...options,
      method: 'lagrangian',
      previous: exact.codes,
      multipliers: wild,
    });
    expect(again.objective).toBeLessThanOrEqual(exact.objective * (1 + 1e-12));
    expect(again.lowerBound).toBeLessThanOrEqual(exact.objective * (1 + 1e-12));
    const warm = projectColumn({ ...options, method: 'greedy', multipliers: exact.multipliers });
    expect(warm.gap).toBeLessThan(0.3);
  });

  it('ignores previous codes that break the limits', () => {
    const options = { targets: Float64Array.of(5, 5, 5, 5), weightBits: 8, bitLimit: 2 };
    const { codes } = projectColumn({ ...options, method: 'lagrangian', previous: Int8Array.of(5, 5, 5, 5) });
    expect(keepsLimits(options, codes)).toBe(true);
  });

  it('ignores previous codes of more bits than it has', () => {
    const options = { targets: Float64Array.of(20, 20, 20, 20), weightBits: 4, bitLimit: 1 };
    const exact = projectColumn({ ...options, method: 'exact' });
    const previous = Int8Array.of(24, 16, 0, 0);
    const { codes, objective } = projectColumn({ ...options, method: 'lagrangian', previous });
    expect(keepsLimits(options, codes)).toBe(true);
    expect(objective).toBeGreaterThanOrEqual(exact.objective);
  });

  it('certifies Laplace columns of 128 rows to a tenth of a percent in the mean', () => {
    for (const [bitLimit, valueLimit, top] of [
      [3, undefined, 3.2],
      [7, undefined, 2.4],
      [7, 40, 2.4],
    ] as const) {
      let gaps = 0;
      for (let seed = 0; seed < 12; seed++) {
        const targets = laplace(seed, 128, top);
        gaps += projectColumn({ targets, weightBits: 8, bitLimit, valueLimit, method: 'lagrangian' }).gap;
      }
      expect(gaps / 12).toBeLessThan(0.004);
    }
  });

  it('empties the column for a limit of 0 and only the plane for a plane limit of 0', () => {
    const base = { targets: Float64Array.of(5, -3, 1), weightBits: 4 } as const;
    for (const method of projectionMethods) {
      expect([...projectColumn({ ...base, bitLimit: 0, method }).codes]).toEqual([0, 0, 0]);
      expect([...projectColumn({ ...base, bitLimit: 3, valueLimit: 0, method }).codes]).toEqual([0, 0, 0]);
    }
    const { codes } = projectColumn({ ...base, bitLimit: [3, 3, 0], method: 'exact' });
    expect([...codes]).toEqual([3, -3, 1]);
  });

  it('takes empty and all-zero columns', () => {
    for (const method of projectionMethods) {
      const none = projectColumn({ targets: new Float64Array(0), weightBits: 8, bitLimit: 3, method });
      expect([none.codes.length, none.objective, none.gap]).toEqual([0, 0, 0]);
      const zero = projectColumn({ targets: new Float64Array(9), weightBits: 8, bitLimit: 3, method });
      expect([...zero.codes, zero.objective, zero.gap]).toEqual(new Array(11).fill(0));
    }
  });

  it.each([
    ['negative k_b', { bitLimit: -1 }, /bitLimit: -1/],
    ['fractional k_b', { bitLimit: 2.5 }, /bitLimit: 2.5/],
    ['NaN as k_b', { bitLimit: Number.NaN }, /bitLimit: NaN/],
    ['too few plane limits', { bitLimit: [1, 2] }, /2 numbers for the 7 planes/],
    ['negative k_v', { valueLimit: -2 }, /valueLimit: -2/],
    ['fractional k_v', { valueLimit: 0.5 }, /valueLimit: 0.5/],
    ['one-bit weights', { weightBits: 1 }, /weightBits: 1/],
    ['a NaN weight', { targets: Float64Array.of(1, Number.NaN) }, /weight 1 is NaN/],
    ['an infinite weight', { targets: Float64Array.of(-Infinity, 1) }, /weight 0 is -Infinity/],
    ['zero curvature', { curvature: Float64Array.of(1, 0) }, /curvature of row 1 is 0/],
    ['curvature of another length', { curvature: Float64Array.of(1) }, /1 numbers for 2 rows/],
    ['previous codes of another length', { previous: new Int8Array(3) }, /3 codes for 2 weights/],
    ['multipliers of another length', { multipliers: new Float64Array(3) }, /3 numbers where 15/],
    ['negative multipliers', { multipliers: new Float64Array(15).fill(-1) }, /multiplier 0 is -1/],
    ['a searchLimit of 0', { searchLimit: 0 }, /searchLimit: 0/],
    ['an unknown method', { method: 'magic' as never }, /"magic"/],
  ])('refuses %s in one line', (_, wrong, message) => {
    const base = {
      targets: Float64Array.of(1, 2),
      weightBits: 8,
      bitLimit: 3,
      method: 'lagrangian' as const,
    };
    const call = () => projectColumn({ ...base, ...wrong });
    expect(call).toThrow(InputError);
    expect(call).toThrow(message);
  });

  it('takes a k_b above the rows as no limit', () => {
    const { codes } = projectColumn({
      targets: Float64Array.of(7, 7),
      weightBits: 4,
      bitLimit: 9,
      method: 'greedy',
    });
    expect([...codes]).toEqual([7, 7]);
  });
});

/** Laplace weights in units of a scale that puts the top plane at `top` standard deviations. */
function laplace(seed: number, rows: number, top: number): Float64Array {
  const stream = randomStream(seed, 'laplace');
  return Float64Array.from({ length: rows }, () => {
    const u = stream.uniform() - 0.5;
    return ((-Math.sign(u) * Math.log(1 - 2 * Math.abs(u))) / Math.SQRT2) * (64 / top);
  });
}
