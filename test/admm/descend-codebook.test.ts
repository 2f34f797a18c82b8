import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type DescentProblem, descend } from '../../src/admm/hessian-descent';
import { certifyLayer } from '../../src/bitplanes/certify-layer';
import { projectLayer } from '../../src/projections/project-layer';
import { randomStream } from '../../src/tensor/random';
import { codeRange } from '../projections/encoding-oracles';

const forms = fc.constantFrom(
  { encoding: 'twos-complement' as const },
  { encoding: 'offset' as const, flip: true },
  { encoding: 'csd' as const, valueLimit: 2 },
  { encoding: 'sign-split' as const, cellBits: 2 },
  { encoding: 'sign-split' as const, cellBits: 1, byPlane: true },
);

/** Correlated inputs, a feasible start, and 5-bit weights of some rows in tiles of 4. */
function problemOf(seed: number, form: { valueLimit?: number; byPlane?: boolean; flip?: boolean }, rows = 8) {
  const { byPlane, ...coding } = form;
  const [columns, weightBits] = [2, 5];
  const stream = randomStream(seed, 'descent');
  const x = Float64Array.from({ length: 16 * rows }, () => stream.normal());
  for (let i = 0; i < 16; i++) for (let row = 1; row < rows; row++) x[i * rows + row] += x[i * rows];
  const hessian = new Float32Array(rows * rows);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < rows; j++) {
      let sum = i === j ? 0.01 : 0;
      for (let s = 0; s < 16; s++) sum += (x[s * rows + i] * x[s * rows + j]) / 16;
      hessian[i * rows + j] = sum;
    }
  const targets = Float32Array.from({ length: rows * columns }, () => 6 * stream.normal());
  const limits = { ...coding, bitLimit: byPlane ? [2, 1, 2, 1] : 2, weightBits };
  const shape = { rows, columns, tileRows: 4 };
  const scales = new Float32Array(columns).fill(1);
  const { codes, flips } = projectLayer({ ...shape, ...limits, targets, scales, method: 'greedy' });
  const valueLimit = form.valueLimit ?? rows;
  const problem: DescentProblem = { ...shape, ...limits, valueLimit, hessian, targets, flips, rounds: 100 };
  return { problem, codes };
}

function errorOf({ hessian, targets, rows, columns }: DescentProblem, codes: Int8Array): number {
  let sum = 0;
  for (let n = 0; n < columns; n++) {
    const gap = (row: number) => codes[row * columns + n] - targets[row * columns + n];
    for (let i = 0; i < rows; i++)
      for (let j = 0; j < rows; j++) sum += (gap(i) * hessian[i * rows + j] * gap(j)) / 2;
  }
  return sum;
}

const holds = (problem: DescentProblem, codes: Int8Array) => certifyLayer({ ...problem, codes }).holds;

describe('descend in any encoding', () => {
  it('keeps every limit, lowers the error, and stops where no single weight can be changed for the better', () => {
    let lowered = 0;
    fc.assert(
      fc.property(fc.nat(1e6), forms, (seed, form) => {
        const { problem, codes } = problemOf(seed, form);
        const before = errorOf(problem, codes);
        const moves = descend(problem, codes);
        const reached = errorOf(problem, codes);
        expect(holds(problem, codes)).toBe(true);
        if (moves > 0) expect(reached).toBeLessThan(before);
        else expect(reached).toBe(before);
        lowered += reached / before;
        const [low, high] = codeRange({ cellBits: 1, ...form, weightBits: 5 });
        for (let at = 0; at < codes.length; at++) {
          const own = codes[at];
          for (let code = low; code <= high; code++) {
            codes[at] = code;
            if (holds(problem, codes)) expect(errorOf(problem, codes)).toBeGreaterThan(reached - 1e-4);
          }
          codes[at] = own;
        }
      }),
      { numRuns: 40, seed: 1 },
    );
    expect(lowered / 40).toBeLessThan(0.8);
  });

  it('block after block of rows keeps every limit, and stops where no block can be bettered', () => {
    let lowered = 0;
    fc.assert(
      fc.property(fc.nat(1e6), forms, (seed, form) => {
        // The last tile is a short one.
        const { problem, codes } = problemOf(seed, form, 10);
        const before = errorOf(problem, codes);
        descend({ ...problem, blockRows: 4 }, codes);
        const reached = errorOf(problem, codes);
        expect(holds(problem, codes)).toBe(true);
        // Gradients between blocks are float32.
        expect(reached).toBeLessThanOrEqual(before * (1 + 1e-5));
        lowered += reached / before;
        const again = codes.slice();
        descend(problem, again);
        expect(errorOf(problem, again)).toBeGreaterThan(reached - 1e-4 * before - 1e-4);
      }),
      { numRuns: 40, seed: 1 },
    );
    expect(lowered / 40).toBeLessThan(0.8);
  });

  it('hands a bit over where no single change helps', () => {
    // One weight at most may hold a one; the second would gain more by it than the first loses.
    const problem: DescentProblem = {
      hessian: Float32Array.of(1, 0, 0, 1),
      targets: Float32Array.of(0.6, 1),
      rows: 2,
      columns: 1,
      tileRows: 2,
      weightBits: 3,
      encoding: 'twos-complement',
      bitLimit: 1,
      valueLimit: 1,
      rounds: 10,
    };
    const codes = Int8Array.of(1, 0);
    expect(descend(problem, codes)).toBe(1);
    expect([...codes]).toEqual([0, 1]);
  });
});
