import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type DescentProblem, descend } from '../../src/admm/hessian-descent';
import { certifyLayer } from '../../src/bitplanes/certify-layer';
import { projectLayer } from '../../src/projections/project-layer';
import { randomStream } from '../../src/tensor/random';

interface Sizes {
  readonly seed: number;
  readonly rows: number;
  readonly columns: number;
  readonly tileRows: number;
  readonly weightBits: number;
  readonly bitLimit: number;
  readonly valueLimit: number;
  /** Unit of the inputs: the curvature goes with its square. */
  readonly unit: number;
}

const sizes = (most: { rows: number; columns: number; weightBits: number }) =>
  fc.record<Sizes>({
    seed: fc.nat(1e6),
    rows: fc.integer({ min: 1, max: most.rows }),
    columns: fc.integer({ min: 1, max: most.columns }),
    tileRows: fc.integer({ min: 1, max: 6 }),
    weightBits: fc.integer({ min: 2, max: most.weightBits }),
    bitLimit: fc.integer({ min: 1, max: 3 }),
    valueLimit: fc.integer({ min: 1, max: 6 }),
    unit: fc.constantFrom(1, 1e-4, 300),
  });

/** A random problem with strongly correlated inputs. */
function problemOf({ seed, unit, ...rest }: Sizes): DescentProblem {
  const { rows, columns, weightBits } = rest;
  const stream = randomStream(seed, 'descent');
  const samples = 2 * rows;
  const common = Float64Array.from({ length: samples }, () => stream.normal());
  const x = Float64Array.from(
    { length: samples * rows },
    (_, i) => unit * (stream.normal() + common[Math.floor(i / rows)]),
  );
  const hessian = new Float32Array(rows * rows);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < rows; j++) {
      let sum = i === j ? 0.01 * unit * unit : 0;
      for (let s = 0; s < samples; s++) sum += (x[s * rows + i] * x[s * rows + j]) / samples;
      hessian[i * rows + j] = sum;
    }
  const targets = Float32Array.from(
    { length: rows * columns },
    () => stream.normal() * 2 ** (weightBits - 2),
  );
  return { ...rest, hessian, targets, rounds: 1000 };
}

/** 1/2 (v - a)' H (v - a) of a column. */
function errorOf(
  { hessian, targets, rows, columns }: DescentProblem,
  codes: Int8Array,
  column: number,
): number {
  let sum = 0;
  const gap = (row: number) => codes[row * columns + column] - targets[row * columns + column];
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < rows; j++) sum += gap(i) * hessian[i * rows + j] * gap(j);
  return sum / 2;
}

const keepsLimits = (problem: DescentProblem, codes: Int8Array) => certifyLayer({ ...problem, codes }).holds;

function greedyCodes(problem: DescentProblem): Int8Array {
  return projectLayer({ ...problem, scales: new Float32Array(problem.columns).fill(1), method: 'greedy' })
    .codes;
}

/** What a move must gain to count. */
const leastGain = ({ hessian, rows }: DescentProblem) => {
  let trace = 0;
  for (let i = 0; i < rows; i++) trace += hessian[i * rows + i];
  return (2e-6 * trace) / rows + 1e-4 * (trace / rows) * 1e-2;
};

const total = (problem: DescentProblem, codes: Int8Array) =>
  Array.from({ length: problem.columns }, (_, column) => errorOf(problem, codes, column)).reduce(
    (a, b) => a + b,
  );

/** The least error of all feasible codes of a column, by trying them all. */
function leastError(problem: DescentProblem): number {
  const limit = 2 ** (problem.weightBits - 1) - 1;
  const codes = new Int8Array(problem.rows);
  let least = Number.POSITIVE_INFINITY;
  const fill = (row: number) => {
    if (row === problem.rows) {
      if (keepsLimits(problem, codes)) least = Math.min(least, errorOf(problem, codes, 0));
      return;
    }
    for (let code = -limit; code <= limit; code++) {
      codes[row] = code;
      fill(row + 1);
    }
  };
  fill(0);
  return least;
}

describe('descend', () => {
  it('never raises the error in the metric of the Hessian, and keeps every limit', () => {
    fc.assert(
      fc.property(sizes({ rows: 14, columns: 3, weightBits: 8 }), fc.boolean(), (shape, fromZero) => {
        const problem = problemOf(shape);
        const codes = fromZero ? new Int8Array(problem.targets.length) : greedyCodes(problem);
        const before = codes.slice();
        const moves = descend(problem, codes);
        expect(keepsLimits(problem, codes)).toBe(true);
        expect(moves === 0).toBe(codes.every((code, i) => code === before[i]));
        for (let n = 0; n < problem.columns; n++) {
          const was = errorOf(problem, before, n);
          expect(errorOf(problem, codes, n)).toBeLessThanOrEqual(was * (1 + 1e-9));
        }
        if (moves > 0) expect(total(problem, codes)).toBeLessThan(total(problem, before));
      }),
    );
  });

  it('keeps a budget of each plane, as the descent for any encoding does; equal ones are the same as one', () => {
    const limits = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 7, maxLength: 7 });
    fc.assert(
      fc.property(sizes({ rows: 14, columns: 2, weightBits: 8 }), limits, (shape, list) => {
        const uniform = problemOf(shape);
        const planes = shape.weightBits - 1;
        const problem = { ...uniform, bitLimit: list.slice(0, planes) };
        const start = greedyCodes(problem);
        const [own, any] = [start.slice(), start.slice()];
        descend(problem, own);
        descend(problem, any, true);
        for (const codes of [own, any]) {
          expect(keepsLimits(problem, codes)).toBe(true);
          expect(total(problem, codes)).toBeLessThanOrEqual(total(problem, start) * (1 + 1e-9));
        }
        const [one, each] = [greedyCodes(uniform), greedyCodes(uniform)];
        descend(uniform, one);
        descend({ ...uniform, bitLimit: new Array(planes).fill(shape.bitLimit) }, each);
        expect(each).toEqual(one);
      }),
    );
  });

  it('uses no other bits and signs than allowed', () => {
    fc.assert(
      fc.property(sizes({ rows: 12, columns: 2, weightBits: 8 }), (shape) => {
        const problem = problemOf(shape);
        const stream = randomStream(shape.seed, 'allowed bits');
        const { length } = problem.targets;
        const allowed = {
          mask: Uint8Array.from({ length }, () => Math.floor(stream.uniform() * 2 ** (shape.weightBits - 1))),
          sign: Int8Array.from({ length }, () => (stream.uniform() < 0.5 ? -1 : 1)),
        };
        const codes = new Int8Array(length);
        descend({ ...problem, allowed }, codes);
        expect(keepsLimits(problem, codes)).toBe(true);
        codes.forEach((code, i) => {
          expect(Math.abs(code) & ~allowed.mask[i]).toBe(0);
          expect(code * allowed.sign[i]).toBeGreaterThanOrEqual(0);
        });
        const all = { mask: new Uint8Array(length).fill(127), sign: allowed.sign };
        const free = new Int8Array(length);
        descend({ ...problem, allowed: all }, free);
        expect(free.some((code) => code !== 0) || codes.every((code) => code === 0)).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  it('in signed digits leaves weights at zero that may use no bits, and moves others', () => {
    fc.assert(
      fc.property(sizes({ rows: 12, columns: 2, weightBits: 8 }), (shape) => {
        const problem = { ...problemOf(shape), encoding: 'csd' as const };
        const stream = randomStream(shape.seed, 'kept rows');
        const mask = Uint8Array.from(problem.targets, () => (stream.uniform() < 0.5 ? 0 : 127));
        const kept = new Int8Array(mask.length);
        const free = new Int8Array(mask.length);
        descend({ ...problem, allowed: { mask, sign: new Int8Array(mask.length).fill(1) } }, kept);
        kept.forEach((code, i) => {
          if (mask[i] === 0) expect(code).toBe(0);
        });
        descend({ ...problem, allowed: { mask: mask.fill(127), sign: kept } }, free);
        const any = new Int8Array(mask.length);
        descend(problem, any);
        expect(free).toEqual(any);
      }),
      { numRuns: 60 },
    );
  });

  it('block after block of rows also keeps every limit, never raises the error, and stops where no block can be bettered', () => {
    fc.assert(
      fc.property(
        sizes({ rows: 24, columns: 3, weightBits: 8 }),
        fc.integer({ min: 1, max: 12 }),
        fc.boolean(),
        (shape, blockRows, masked) => {
          const whole = problemOf(shape);
          const length = whole.targets.length;
          const allowed = masked
            ? { mask: new Uint8Array(length).fill(5), sign: Int8Array.from(whole.targets, Math.sign) }
            : undefined;
          const problem = { ...whole, allowed, blockRows };
          const codes = masked ? new Int8Array(length) : greedyCodes(problem);
          const before = codes.slice();
          const moves = descend(problem, codes);
          expect(keepsLimits(problem, codes)).toBe(true);
          expect(moves === 0).toBe(codes.every((code, i) => code === before[i]));
          if (masked) for (const code of codes) expect(Math.abs(code) & ~5).toBe(0);
          // Gradients between blocks are float32.
          expect(total(problem, codes)).toBeLessThanOrEqual(total(problem, before) * (1 + 1e-5));
          const again = codes.slice();
          descend({ ...problem, blockRows: undefined }, again);
          expect(total(problem, again)).toBeGreaterThanOrEqual(
            total(problem, codes) - 1e-4 * total(problem, before) - length * leastGain(problem),
          );
        },
      ),
      { numRuns: 60 },
    );
  });

  it('stops only where no single weight can be changed for the better', () => {
    fc.assert(
      fc.property(sizes({ rows: 10, columns: 2, weightBits: 5 }), (shape) => {
        const problem = problemOf(shape);
        const codes = greedyCodes(problem);
        descend(problem, codes);
        const limit = 2 ** (problem.weightBits - 1) - 1;
        for (let at = 0; at < codes.length; at++) {
          const own = codes[at];
          const reached = errorOf(problem, codes, at % problem.columns);
          for (let code = -limit; code <= limit; code++) {
            codes[at] = code;
            if (keepsLimits(problem, codes))
              expect(errorOf(problem, codes, at % problem.columns)).toBeGreaterThan(
                reached - leastGain(problem),
              );
          }
          codes[at] = own;
        }
      }),
      { numRuns: 40 },
    );
  });

  it('stops only where no bit of a full bit column, or of a tile full of nonzeros, can move for the better', () => {
    fc.assert(
      fc.property(sizes({ rows: 10, columns: 1, weightBits: 5 }), (shape) => {
        const problem = problemOf(shape);
        const { rows, tileRows, weightBits, bitLimit, valueLimit } = { ...problem, ...shape };
        const codes = greedyCodes(problem);
        descend(problem, codes);
        const reached = errorOf(problem, codes, 0);
        for (let first = 0; first < rows; first += tileRows) {
          const tile = Array.from({ length: Math.min(tileRows, rows - first) }, (_, i) => first + i);
          const full = tile.filter((row) => codes[row] !== 0).length >= valueLimit;
          for (const sign of [1, -1])
            for (let bit = 1; bit < 2 ** (weightBits - 1); bit *= 2) {
              const givers = tile.filter((row) => codes[row] * sign > 0 && Math.abs(codes[row]) & bit);
              if (givers.length < bitLimit && !full) continue;
              for (const giver of givers)
                for (const taker of tile) {
                  if (codes[taker] * sign < 0 || Math.abs(codes[taker]) & bit) continue;
                  const moved = codes.slice();
                  moved[giver] -= sign * bit;
                  moved[taker] += sign * bit;
                  if (keepsLimits(problem, moved))
                    expect(errorOf(problem, moved, 0)).toBeGreaterThan(reached - leastGain(problem));
                }
            }
        }
      }),
      { numRuns: 60 },
    );
  });

  it('finds the best code of a single weight, and on tiny problems is close to the best of all codes', () => {
    let excess = 0;
    let count = 0;
    fc.assert(
      fc.property(sizes({ rows: 4, columns: 1, weightBits: 3 }), (shape) => {
        const problem = problemOf({ ...shape, weightBits: 3, columns: 1 });
        const codes = greedyCodes(problem);
        descend(problem, codes);
        const reached = errorOf(problem, codes, 0);
        const best = leastError(problem);
        expect(reached).toBeGreaterThanOrEqual(best * (1 - 1e-9));
        if (problem.rows === 1) expect(reached).toBeLessThanOrEqual(best + leastGain(problem));
        excess += best > 0 ? reached / best - 1 : 0;
        count++;
      }),
      { numRuns: 40, seed: 1 },
    );
    expect(excess / count).toBeLessThan(0.25);
  });
});
