import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { encodingNames } from '../../src/bitplanes/plane-encoding';
import { packageRoot } from '../../src/package-root';
import { compiledCore, useCompiledCore } from '../../src/projections/column-core';
import { createColumnSolver } from '../../src/projections/column-solver';
import type { ColumnSolver } from '../../src/projections/column-task';
import { projectColumn } from '../../src/projections/project-column';
import { projectLayer } from '../../src/projections/project-layer';
import { projectionMethods } from '../../src/projections/projection-method';
import { randomStream } from '../../src/tensor/random';
import { encodedProblems } from './encoding-oracles';
import { problems } from './oracles';

/** Set-up compiles it before the tests run. */
const path = join(packageRoot().root, 'dist', 'projections', 'core.wasm');
const bytes = () => readFileSync(path);

function bothWays<T>(run: () => T): { plain: T; compiled: T } {
  useCompiledCore(undefined);
  const plain = run();
  useCompiledCore(bytes);
  expect(compiledCore()).toBeDefined();
  return { plain, compiled: run() };
}

afterEach(() => useCompiledCore(undefined));

describe('the projection core', () => {
  it('runs in plain TypeScript where no compiled one is given or found', () => {
    expect(compiledCore()).toBeUndefined();
    useCompiledCore(() => undefined);
    expect(compiledCore()).toBeUndefined();
  });
});

describe.skipIf(!existsSync(path))('the projection core in WebAssembly', () => {
  it('gives the bits of plain TypeScript for columns of all shapes, budgets and curvatures', () => {
    fc.assert(
      fc.property(
        problems({ bits: [2, 8], rows: [0, 150] }),
        fc.constantFrom(...projectionMethods.filter((method) => method !== 'exact')),
        (problem, method) => {
          const { plain, compiled } = bothWays(() => projectColumn({ ...problem, method }));
          expect(compiled).toEqual(plain);
        },
      ),
      { numRuns: 250 },
    );
  });

  it('gives the bits of plain TypeScript in any encoding, from a warm start too', () => {
    fc.assert(
      fc.property(
        encodedProblems({ bits: [2, 8], rows: [0, 150] }),
        fc.constantFrom('truncation', 'value-only', 'greedy', 'lagrangian'),
        fc.nat(1000),
        (problem, asked, seed) => {
          // Truncation and value-only need a zero without ones.
          const method = problem.encoding === 'offset' && asked !== 'greedy' ? 'lagrangian' : asked;
          const first = bothWays(() => projectColumn({ ...problem, method }));
          expect(first.compiled).toEqual(first.plain);
          const { codes: previous, multipliers } = first.plain;
          const stream = randomStream(seed, 'moved');
          const targets = problem.targets.map((target) => target * (1 + 0.1 * stream.normal()));
          const { plain, compiled } = bothWays(() =>
            projectColumn({ ...problem, targets, previous, multipliers, method }),
          );
          expect(compiled).toEqual(plain);
        },
      ),
      { numRuns: 250 },
    );
  });

  it('gives the bits of plain TypeScript from a warm start', () => {
    fc.assert(
      fc.property(problems({ bits: [2, 8], rows: [1, 150] }), fc.nat(1000), (problem, seed) => {
        const stream = randomStream(seed, 'moved');
        const method = 'lagrangian';
        const { codes: previous, multipliers } = projectColumn({ ...problem, method });
        const targets = problem.targets.map((target) => target * (1 + 0.1 * stream.normal()));
        const { plain, compiled } = bothWays(() =>
          projectColumn({ ...problem, targets, previous, multipliers, method }),
        );
        expect(compiled).toEqual(plain);
      }),
      { numRuns: 120 },
    );
  });

  it('gives the same for a column whatever columns came before', () => {
    fc.assert(
      fc.property(
        problems({ bits: [2, 8], rows: [1, 60] }),
        problems({ bits: [2, 8], rows: [1, 60] }),
        (problem, other) => {
          const { codes: previous, multipliers } = projectColumn({ ...problem, method: 'lagrangian' });
          const again = () => projectColumn({ ...problem, previous, multipliers, method: 'lagrangian' });
          const first = again();
          projectColumn({ ...other, method: 'lagrangian' });
          expect(again()).toEqual(first);
        },
      ),
      { numRuns: 100 },
    );
  });

  it.each(encodingNames)(
    'keeps the limits of each solver, whatever others do in between, in %s',
    (encoding) => {
      const stream = randomStream(4, 'between');
      const targets = Float64Array.from({ length: 60 }, () => 10 * stream.normal());
      const make = (bitLimit: number) =>
        createColumnSolver({ encoding, weightBits: 5, bitLimit, method: 'lagrangian' }, 60);
      const solve = (solver: ColumnSolver) => {
        const [codes, multipliers] = [new Int8Array(60), new Float64Array(solver.multipliers)];
        return solver.solve({
          targets,
          curvature: undefined,
          previous: undefined,
          multipliers,
          warm: false,
          codes,
        });
      };
      useCompiledCore(bytes);
      const alone = solve(make(3));
      const tight = make(3);
      solve(make(20));
      expect(solve(tight)).toEqual(alone);
    },
  );

  it.each(['sign-split', 'csd'] as const)('takes row tiles longer than any before, in %s', (encoding) => {
    const stream = randomStream(3, 'long');
    const rows = 3000;
    const targets = Float64Array.from({ length: rows * 2 }, () => 20 * stream.normal());
    const shape = {
      targets,
      rows,
      columns: 2,
      scales: Float32Array.of(1, 1),
      encoding,
      weightBits: 8,
      bitLimit: 63,
    };
    const { plain, compiled } = bothWays(() =>
      projectLayer({ ...shape, tileRows: rows, method: 'lagrangian' }),
    );
    expect(compiled).toEqual(plain);
  });
});
