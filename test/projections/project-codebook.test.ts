import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { certifyLayer } from '../../src/bitplanes/certify-layer';
import { encodingNames } from '../../src/bitplanes/plane-encoding';
import { InputError } from '../../src/errors';
import { projectColumn } from '../../src/projections/project-column';
import { projectLayer } from '../../src/projections/project-layer';
import { projectionMethods } from '../../src/projections/projection-method';
import { tuneScales } from '../../src/projections/tune-scales';
import { randomStream } from '../../src/tensor/random';
import {
  codeRange,
  type EncodedProblem,
  encodedBruteForce,
  encodedError,
  encodedProblems,
  encodedTableOptimum,
  keepsEncodedLimits,
} from './encoding-oracles';
import { UNEVEN_ERROR, withUnevenRows } from './oracles';

const usual = encodedProblems({ bits: [2, 8], rows: [0, 30] });
const tiny = encodedProblems({ bits: [2, 3], rows: [1, 4] });
const slack = (value: number) => 1e-9 * (1 + value);
/** Truncation and value-only need a zero without ones. */
const methodsFor = ({ encoding }: EncodedProblem) =>
  projectionMethods.filter(
    (method) => encoding !== 'offset' || (method !== 'truncation' && method !== 'value-only'),
  );
const lagrangian = { method: 'lagrangian' as const };

describe('projectColumn in any encoding', () => {
  it('keeps every limit, tells its error, and a bound below it, by every method', () => {
    fc.assert(
      fc.property(usual, (problem) => {
        for (const method of methodsFor(problem)) {
          const answer = projectColumn({ ...problem, method, searchLimit: 100 });
          const { codes, objective, lowerBound, gap } = answer;
          expect(keepsEncodedLimits(problem, codes, answer.flipped ?? false)).toBe(true);
          expect(Math.abs(objective - encodedError(problem, codes))).toBeLessThanOrEqual(slack(objective));
          expect(lowerBound).toBeLessThanOrEqual(objective);
          expect(lowerBound).toBeGreaterThanOrEqual(0);
          expect(gap).toBeGreaterThanOrEqual(0);
          expect(gap).toBeLessThanOrEqual(1);
        }
      }),
      { numRuns: 120 },
    );
  });

  it('finds the brute-force optimum of tiny columns exactly, and bounds it from below by every method', () => {
    fc.assert(
      fc.property(tiny, (problem) => {
        const optimum = encodedBruteForce(problem);
        for (const method of methodsFor(problem)) {
          const { objective, lowerBound, gap } = projectColumn({ ...problem, method });
          expect(lowerBound).toBeLessThanOrEqual(optimum + slack(optimum));
          expect(objective).toBeGreaterThanOrEqual(optimum - slack(optimum));
          if (method !== 'exact') continue;
          expect(Math.abs(objective - optimum)).toBeLessThanOrEqual(slack(optimum));
          expect(gap).toBeLessThan(1e-9);
        }
      }),
      { numRuns: 150 },
    );
  });

  it('finds the optimum of the dynamic program over all states', () => {
    fc.assert(
      fc.property(encodedProblems({ bits: [3, 4], rows: [4, 5] }), (problem) => {
        const { objective } = projectColumn({ ...problem, method: 'exact' });
        const optimum = encodedTableOptimum(problem);
        expect(Math.abs(objective - optimum)).toBeLessThanOrEqual(slack(optimum));
      }),
      { numRuns: 40 },
    );
  });

  it('finds what it finds where rows of hardly other curvature keep it from leaving small rows out', () => {
    const signed = usual.filter(({ encoding }) => encoding === 'csd' || encoding === 'sign-split');
    fc.assert(
      fc.property(signed, (problem) => {
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
      fc.property(tiny, (problem) => {
        const optimum = encodedBruteForce(problem);
        expect(Math.abs(encodedTableOptimum(problem) - optimum)).toBeLessThanOrEqual(slack(optimum));
      }),
      { numRuns: 40 },
    );
  });

  it('is never worse by the Lagrangian than greedy, truncation or value-only at k_v = k_b', () => {
    fc.assert(
      fc.property(usual, (problem) => {
        const error = (method: (typeof projectionMethods)[number], change: Partial<EncodedProblem> = {}) =>
          projectColumn({ ...problem, ...change, method }).objective;
        const best = error('lagrangian');
        expect(best).toBeLessThanOrEqual(error('greedy') + slack(best));
        if (problem.encoding === 'offset') return;
        expect(best).toBeLessThanOrEqual(error('truncation') + slack(best));
        const { bitLimit } = problem;
        const k = typeof bitLimit === 'object' ? Math.min(...bitLimit) : bitLimit;
        const valueOnly = error('value-only', { valueLimit: k });
        expect(error('lagrangian', { valueLimit: k })).toBeLessThanOrEqual(valueOnly + slack(best));
      }),
      { numRuns: 120 },
    );
  });

  it('gives back its own codes untouched, gap 0', () => {
    fc.assert(
      fc.property(usual, (problem) => {
        for (const method of methodsFor(problem)) {
          const first = projectColumn({ ...problem, method, searchLimit: 100 }).codes;
          const again = projectColumn({ ...problem, targets: Float64Array.from(first), method });
          expect([...again.codes]).toEqual([...first]);
          expect([again.objective, again.lowerBound, again.gap]).toEqual([0, 0, 0]);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('rounds, with gap 0, when no limit can bind', () => {
    fc.assert(
      fc.property(usual, (problem) => {
        const rows = problem.targets.length;
        const limits = { bitLimit: rows * (2 ** problem.cellBits - 1), valueLimit: rows };
        const { codes, gap } = projectColumn({ ...problem, ...limits, ...lagrangian });
        const [low, high] = codeRange(problem);
        expect(gap).toBe(0);
        codes.forEach((code, i) => {
          const target = Math.max(low, Math.min(high, problem.targets[i]));
          expect(Math.abs(target - code)).toBeLessThanOrEqual(0.5);
        });
      }),
    );
  });

  it('has the same error for rows in another order', () => {
    fc.assert(
      fc.property(usual, fc.integer(), (problem, seed) => {
        const order = randomStream(seed, 'order').permutation(problem.targets.length);
        const moved = {
          ...problem,
          targets: Float64Array.from(order, (i) => problem.targets[i]),
          curvature: problem.curvature && Float64Array.from(order, (i) => problem.curvature![i]),
        };
        const [one, other] = [problem, moved].map((each) =>
          projectColumn({ ...each, method: 'exact', searchLimit: 100 }),
        );
        // Ties may break otherwise, so only proven optima are bound to agree to the last digit.
        const allowed = Math.max(one.gap, other.gap) * Math.max(one.objective, other.objective);
        expect(Math.abs(one.objective - other.objective)).toBeLessThanOrEqual(allowed + slack(one.objective));
      }),
      { numRuns: 60 },
    );
  });

  it('is never worse with flips than without, and stores complemented what leans to the positive side', () => {
    fc.assert(
      fc.property(
        usual.filter(({ encoding }) => encoding === 'offset'),
        (problem) => {
          const error = (flip: boolean) =>
            projectColumn({ ...problem, flip, method: 'exact', searchLimit: 100 });
          const [plain, free] = [error(false), error(true)];
          expect(free.objective).toBeLessThanOrEqual(plain.objective + slack(plain.objective));
          expect(plain.flipped).toBeUndefined();
        },
      ),
      { numRuns: 40 },
    );
    const high = {
      targets: Float64Array.of(7, 7, 6, 7),
      weightBits: 4,
      bitLimit: 1,
      encoding: 'offset' as const,
    };
    const { codes, flipped, objective } = projectColumn({ ...high, flip: true, ...lagrangian });
    expect([[...codes], flipped, objective]).toEqual([[7, 7, 6, 7], true, 0]);
  });

  it('goes on from earlier codes and multipliers, and stays certified from wild ones', () => {
    fc.assert(
      fc.property(usual, (problem) => {
        const first = projectColumn({ ...problem, ...lagrangian });
        const warm = { previous: first.codes, multipliers: first.multipliers };
        const again = projectColumn({ ...problem, ...lagrangian, ...warm });
        expect(again.objective).toBeLessThanOrEqual(first.objective + slack(first.objective));
        const wild = first.multipliers.map((_, i) => 1000 * (i % 4));
        const astray = projectColumn({ ...problem, ...lagrangian, multipliers: wild });
        expect(astray.lowerBound).toBeLessThanOrEqual(first.objective + slack(first.objective));
      }),
      { numRuns: 40 },
    );
  });

  it('certifies Laplace columns of 128 rows to half a percent in the mean', () => {
    const stream = randomStream(1, 'laplace');
    for (const form of [
      { encoding: 'twos-complement', bitLimit: 15 },
      { encoding: 'offset', flip: true, bitLimit: 63 },
      { encoding: 'csd', bitLimit: 7 },
      { encoding: 'sign-split', cellBits: 2, bitLimit: 15 },
    ] as const) {
      let gaps = 0;
      for (let i = 0; i < 4; i++) {
        const targets = Float64Array.from({ length: 128 }, () => {
          const u = stream.uniform() - 0.5;
          return -Math.sign(u) * Math.log(1 - 2 * Math.abs(u)) * 30;
        });
        gaps += projectColumn({ targets, weightBits: 8, ...form, ...lagrangian }).gap / 4;
      }
      expect(gaps, JSON.stringify(form)).toBeGreaterThan(0);
      expect(gaps, JSON.stringify(form)).toBeLessThan(0.005);
    }
  });

  it.each([
    ['flips of another encoding', { flip: true, encoding: 'csd' as const }, /flip: .*offset.*not csd/],
    ['flips of sign-split', { flip: true }, /flip: .*offset.*not sign-split/],
    ['an unknown encoding', { encoding: 'gray' as never }, /encoding: "gray"/],
    ['5-bit cells', { cellBits: 5 }, /cellBits: 5/],
    ['csd in 2-bit cells', { encoding: 'csd' as const, cellBits: 2 }, /cellBits: canonical/],
    ['negative k_b', { encoding: 'csd' as const, bitLimit: -1 }, /bitLimit: -1/],
    ['fractional k_b', { encoding: 'offset' as const, bitLimit: 2.5 }, /bitLimit: 2.5/],
    ['too few plane limits', { encoding: 'offset' as const, bitLimit: [1, 2] }, /2 numbers for the 8 planes/],
    ['negative k_v', { encoding: 'csd' as const, valueLimit: -2 }, /valueLimit: -2/],
    ['one-bit weights', { encoding: 'offset' as const, weightBits: 1 }, /weightBits: 1/],
    [
      'a NaN weight',
      { encoding: 'csd' as const, targets: Float64Array.of(1, Number.NaN) },
      /weight 1 is NaN/,
    ],
    [
      'truncation of offset',
      { encoding: 'offset' as const, method: 'truncation' as const },
      /method: truncation/,
    ],
    [
      'value-only of offset',
      { encoding: 'offset' as const, method: 'value-only' as const },
      /method: value-only/,
    ],
    [
      'limits that no offset codes keep',
      { encoding: 'offset' as const, bitLimit: 1, valueLimit: 0 },
      /valueLimit: 0 nonzero weights of 2 rows; .* only 1 be zero/,
    ],
    [
      'foreign multipliers',
      { encoding: 'csd' as const, multipliers: new Float64Array(3) },
      /3 numbers where 17/,
    ],
    ['an unknown method', { encoding: 'csd' as const, method: 'magic' as never }, /"magic"/],
  ])('refuses %s in one line', (_, wrong, message) => {
    const base = { targets: Float64Array.of(1, 2), weightBits: 8, bitLimit: 3, ...lagrangian };
    const call = () => projectColumn({ ...base, ...wrong });
    expect(call).toThrow(InputError);
    expect(call).toThrow(message);
  });

  it('empties what budgets of 0 leave: zeros, or in offset encoding the word without ones', () => {
    for (const encoding of encodingNames) {
      const base = { targets: Float64Array.of(5, -3, 0), weightBits: 4, bitLimit: 0, encoding };
      const { codes } = projectColumn({ ...base, ...lagrangian });
      expect([...codes]).toEqual(encoding === 'offset' ? [-8, -8, -8] : [0, 0, 0]);
      const none = projectColumn({ ...base, targets: new Float64Array(0), ...lagrangian });
      expect([none.codes.length, none.objective, none.gap]).toEqual([0, 0, 0]);
    }
    const flip = { weightBits: 4, bitLimit: 0, encoding: 'offset' as const, flip: true, ...lagrangian };
    expect([...projectColumn({ ...flip, targets: Float64Array.of(5, 3) }).codes]).toEqual([7, 7]);
  });

  it('keeps a value limit in offset encoding where the top plane lets enough weights be zero', () => {
    const base = { weightBits: 4, encoding: 'offset' as const, bitLimit: [9, 9, 9, 3], valueLimit: 2 };
    const targets = Float64Array.of(6, -7, 2, 1, 0.4);
    const { codes, objective } = projectColumn({ ...base, targets, method: 'exact' });
    // One of the four zeros wanted must be nonzero after all, as near as the top plane leaves it.
    expect([...codes]).toEqual([0, -7, 0, 0, -1]);
    expect(objective).toBeCloseTo(36 + 4 + 1 + 1.96, 10);
  });
});

describe('projectLayer and tuneScales in any encoding', () => {
  const shape = { rows: 50, columns: 3, tileRows: 32, weightBits: 8 };
  const stream = randomStream(3, 'layer');
  const targets = Float32Array.from({ length: 150 }, () => 0.1 * stream.normal());
  const scales = Float32Array.of(0.002, 0.0021, 0.0025);
  const settings = [
    { encoding: 'twos-complement', bitLimit: 7 },
    { encoding: 'offset', bitLimit: 15, flip: true },
    { encoding: 'csd', bitLimit: 3, valueLimit: 12 },
    { encoding: 'sign-split', cellBits: 2, bitLimit: 15 },
  ] as const;

  it('projects every row tile and channel as projectColumn does, and certifies', () => {
    for (const limits of settings) {
      const layer = projectLayer({ ...shape, ...limits, targets, scales, ...lagrangian });
      for (let tile = 0; tile < 2; tile++) {
        for (let column = 0; column < 3; column++) {
          const rows = Array.from({ length: Math.min(32, 50 - 32 * tile) }, (_, i) => 32 * tile + i);
          const alone = projectColumn({
            ...limits,
            weightBits: 8,
            ...lagrangian,
            targets: Float64Array.from(rows, (row) => targets[row * 3 + column] / scales[column]),
          });
          expect(rows.map((row) => layer.codes[row * 3 + column])).toEqual([...alone.codes]);
          expect(layer.gaps[tile * 3 + column]).toBe(alone.gap);
          if ('flip' in limits) expect(layer.flips![tile * 3 + column] === 1).toBe(alone.flipped);
        }
      }
      const { codes, flips, objective, lowerBound } = layer;
      expect(certifyLayer({ ...shape, ...limits, codes, flips }).holds).toBe(true);
      expect(lowerBound).toBeLessThanOrEqual(objective);
      const again = projectLayer({ ...shape, ...limits, targets, scales, ...lagrangian, state: layer.state });
      expect(again.objective).toBeLessThanOrEqual(objective * (1 + 1e-12));
    }
  });

  it('gives the same codes when weights and scales grow alike', () => {
    for (const limits of settings) {
      const first = projectLayer({ ...shape, ...limits, targets, scales, ...lagrangian });
      const grown = { targets: targets.map((w) => 4 * w), scales: scales.map((s) => 4 * s) };
      const second = projectLayer({ ...shape, ...limits, ...grown, ...lagrangian });
      expect(second.codes).toEqual(first.codes);
      expect(second.flips).toEqual(first.flips);
      expect(second.objective).toBeCloseTo(16 * first.objective, 10);
    }
  });

  it('tunes scales that lose less than those of the largest weight', () => {
    for (const limits of settings) {
      const tuned = tuneScales({ ...shape, ...limits, weights: targets });
      const largest = targets.reduce((max, weight) => Math.max(max, Math.abs(weight)), 0);
      const plain = new Float32Array(3).fill(largest / 127);
      const untuned = projectLayer({ ...shape, ...limits, targets, scales: plain, ...lagrangian });
      expect(tuned.objective).toBeLessThan(untuned.objective);
      expect(certifyLayer({ ...shape, ...limits, codes: tuned.codes, flips: tuned.flips }).holds).toBe(true);
    }
  });

  it('refuses empty layers and states of another encoding', () => {
    const base = { ...shape, ...settings[2], targets, scales, ...lagrangian };
    expect(() => projectLayer({ ...base, rows: 0, targets: new Float32Array(0) })).toThrow(/rows: 0/);
    const { state } = projectLayer({ ...base, encoding: 'twos-complement' });
    expect(() => projectLayer({ ...base, state })).toThrow(/state: /);
  });
});
