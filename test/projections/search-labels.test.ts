import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  clearLabels,
  createLabelTable,
  freeSlot,
  narrowLabels,
  offerLabel,
} from '../../src/projections/label-table';
import { projectColumn } from '../../src/projections/project-column';
import { projectLayer } from '../../src/projections/project-layer';
import { randomStream } from '../../src/tensor/random';
import { errorOf, keepsLimits, problems } from './oracles';

/** Laplace weights whose standard deviation is 64 / top codes. */
function laplace(seed: number, rows: number, top: number): Float64Array {
  const stream = randomStream(seed, 'laplace columns of the search');
  return Float64Array.from({ length: rows }, () => {
    const u = stream.uniform() - 0.5;
    return ((-Math.sign(u) * Math.log(1 - 2 * Math.abs(u))) / Math.SQRT2) * (64 / top);
  });
}

function curvatureOf(seed: number, rows: number): Float64Array {
  const stream = randomStream(seed, 'curvature of the search');
  return Float64Array.from({ length: rows }, () => Math.exp(stream.normal()));
}

describe('the exact search', () => {
  it('proves the optimum of 64 rows of 8-bit weights with curvature and value limits', () => {
    for (const [bitLimit, valueLimit, top] of [
      [3, undefined, 3.2],
      [3, 6, 3.2],
      [7, 17, 2.4],
      [15, undefined, 1.8],
    ] as const)
      for (const curved of [false, true])
        for (let seed = 0; seed < 3; seed++) {
          const problem = {
            targets: laplace(seed, 64, top),
            curvature: curved ? curvatureOf(seed, 64) : undefined,
            weightBits: 8,
            bitLimit,
            valueLimit,
          };
          const exact = projectColumn({ ...problem, method: 'exact' });
          const lagrangian = projectColumn({ ...problem, method: 'lagrangian' });
          expect(exact.gap).toBeLessThan(1e-9);
          expect(keepsLimits(problem, exact.codes)).toBe(true);
          expect(exact.objective).toBeCloseTo(errorOf(problem, exact.codes), 6);
          expect(exact.objective).toBeLessThanOrEqual(lagrangian.objective * (1 + 1e-12));
          expect(exact.objective).toBeGreaterThanOrEqual(lagrangian.lowerBound * (1 - 1e-12));
        }
  });

  it('beats the Lagrangian heuristic where that leaves a gap', () => {
    const better = Array.from({ length: 20 }, (_, seed) => {
      const options = { targets: laplace(seed, 64, 2.4), weightBits: 8, bitLimit: 7 };
      const exact = projectColumn({ ...options, method: 'exact' }).objective;
      return projectColumn({ ...options, method: 'lagrangian' }).objective > exact * (1 + 1e-6);
    });
    expect(better.filter(Boolean).length).toBeGreaterThan(2);
  });

  it('bounds the optimum from below however few states it may hold', () => {
    fc.assert(
      fc.property(problems({ bits: [4, 8], rows: [8, 40] }), (problem) => {
        const optimum = projectColumn({ ...problem, method: 'exact' });
        fc.pre(optimum.gap < 1e-9);
        for (const searchLimit of [1, 4, 64]) {
          const { objective, lowerBound } = projectColumn({ ...problem, method: 'exact', searchLimit });
          expect(lowerBound).toBeLessThanOrEqual(optimum.objective * (1 + 1e-9) + 1e-9);
          expect(objective).toBeGreaterThanOrEqual(optimum.objective * (1 - 1e-9) - 1e-9);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('gives scaled curvature the same codes and a scaled error', () => {
    fc.assert(
      fc.property(
        problems({ bits: [3, 8], rows: [1, 40] }),
        fc.integer({ min: -20, max: 20 }),
        (problem, power) => {
          const curvature = problem.curvature ?? new Float64Array(problem.targets.length).fill(1);
          const scaled = curvature.map((weight) => weight * 2 ** power);
          const first = projectColumn({ ...problem, curvature, method: 'exact', searchLimit: 500 });
          const second = projectColumn({ ...problem, curvature: scaled, method: 'exact', searchLimit: 500 });
          const allowed = Math.max(first.gap, second.gap) + 1e-9;
          expect(Math.abs(second.objective / 2 ** power - first.objective)).toBeLessThanOrEqual(
            allowed * (1e-9 + first.objective),
          );
        },
      ),
      { numRuns: 40 },
    );
  });
});

describe('projectLayer', () => {
  it('gives weights and scales that grow by a power of two the same codes', () => {
    fc.assert(
      fc.property(
        fc.array(fc.float({ min: -2, max: 2, noNaN: true }), { minLength: 24, maxLength: 24 }),
        fc.integer({ min: -12, max: 12 }),
        fc.constantFrom('truncation', 'value-only', 'greedy', 'lagrangian', 'exact'),
        (weights, power, method) => {
          const shape = { rows: 12, columns: 2, tileRows: 8, weightBits: 6, bitLimit: 2, method } as const;
          const targets = Float32Array.from(weights);
          const scales = Float32Array.of(0.07, 0.05);
          const first = projectLayer({ ...shape, targets, scales });
          const second = projectLayer({
            ...shape,
            targets: targets.map((weight) => weight * 2 ** power),
            scales: scales.map((scale) => scale * 2 ** power),
          });
          expect([...second.codes]).toEqual([...first.codes]);
          expect(second.objective).toBeCloseTo(first.objective * 4 ** power, 6);
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('label table', () => {
  const offer = (table: ReturnType<typeof createLabelTable>, left: number, cost: number) => {
    const slot = freeSlot(table);
    table.left.fill(0, slot * 16, slot * 16 + 16);
    table.left[slot * 16 + (left % 16)] = 1 + (left >> 4);
    table.bounds[slot] = cost;
    table.scores[slot] = cost;
    table.codes[slot] = left;
    offerLabel(table);
  };

  it('keeps the cheapest label for each budget left, as a map does, while it grows', () => {
    const pair = fc.tuple(fc.integer({ min: 0, max: 200 }), fc.integer({ min: 0, max: 50 }));
    fc.assert(
      fc.property(fc.array(pair, { maxLength: 400 }), (offers) => {
        const table = createLabelTable(1, 2);
        const map = new Map<number, number>();
        for (const [left, cost] of offers) {
          offer(table, left, cost);
          map.set(left, Math.min(cost, map.get(left) ?? Infinity));
        }
        const kept = Array.from({ length: table.count }, (_, slot) => [
          table.codes[slot],
          table.bounds[slot],
        ]);
        expect(new Map(kept as [number, number][])).toEqual(map);
        expect(table.count).toBe(map.size);
      }),
      { numRuns: 60 },
    );
  });

  it('narrows to the labels of smallest score, tells the first dropped, and finds those kept', () => {
    const table = createLabelTable(1, 2);
    for (let left = 0; left < 100; left++) offer(table, left, (left * 37) % 101);
    expect(narrowLabels(table, 100)).toBe(Infinity);
    const sorted = Array.from(table.scores.slice(0, 100)).sort((a, b) => a - b);
    expect(narrowLabels(table, 10)).toBe(sorted[10]);
    expect([...table.scores.slice(0, table.count)].sort((a, b) => a - b)).toEqual(sorted.slice(0, 10));
    const left = table.codes[3];
    offer(table, left, 1000);
    expect(table.count).toBe(10);
    clearLabels(table);
    offer(table, left, 1000);
    expect([table.count, table.bounds[0]]).toEqual([1, 1000]);
  });

  it('drops just enough of equal scores', () => {
    const table = createLabelTable(1, 2);
    for (let left = 0; left < 9; left++) offer(table, left, 5);
    expect(narrowLabels(table, 4)).toBe(5);
    expect(table.count).toBe(4);
  });
});
