import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../src/errors';
import { openFloatModel } from '../../src/experiments/open-model';
import {
  projectionClaims,
  projectionErrorTable,
  projectionFigures,
  projectionMethodTable,
} from '../../src/experiments/projection-report';
import { type ProjectionStudy, projectionStudy } from '../../src/experiments/projection-study';
import { rowPermutationStudy, rowPermutationTable } from '../../src/experiments/row-permutation';
import { dealRows } from '../../src/projections/deal-rows';
import { expectedVersusObtained } from '../../src/reports/expected-versus-obtained';
import { requireTable } from '../../src/reports/table';

const small = {
  columns: 30,
  tuningColumns: 12,
  distributions: ['Laplace'],
  curvatures: ['uniform'],
} as const;

const merged = (...studies: ProjectionStudy[]): ProjectionStudy => ({
  ...studies[0],
  cases: studies.flatMap(({ cases }) => cases),
});

const study = merged(
  projectionStudy({ ...small, tileRows: [128], bitLimits: [3, 7] }),
  projectionStudy({ ...small, tileRows: [64], bitLimits: [3, 7] }),
  projectionStudy({ ...small, tileRows: [32, 16], bitLimits: [3, 7] }),
);

describe('projectionStudy', () => {
  it('loses what the reference says, within sampling error, and keeps its claims', () => {
    const { claims, obtained } = projectionClaims(study);
    expect(claims.filter(({ compare }) => compare === 'equal').length).toBeGreaterThanOrEqual(6);
    const { results, passed } = expectedVersusObtained(claims, obtained);
    expect(results.filter(({ verdict }) => verdict !== 'PASS')).toEqual([]);
    expect(passed).toBe(true);
  });

  it('fails its claims where the errors are another table', () => {
    const wrong = {
      ...study,
      cases: study.cases.map((each) => ({
        ...each,
        ownScales: undefined,
        methods: each.methods.map((result) => ({ ...result, error: 2 * result.error })),
      })),
    };
    const { claims, obtained } = projectionClaims(wrong);
    const { results } = expectedVersusObtained(claims, obtained);
    const failed = results.filter(({ verdict }) => verdict === 'FAIL').map(({ id }) => id);
    expect(failed).toContain('Laplace, uniform, R = 128, k = 3');
    expect(failed).toContain('Laplace, uniform, R = 64, k = 7');
  });

  it('loses less with fewer rows or more ones, and a scale a column loses no more than one for all', () => {
    const error = (tileRows: number, bitLimit: number) =>
      study.cases
        .find((each) => each.tileRows === tileRows && each.bitLimit === bitLimit)!
        .methods.find(({ method }) => method === 'exact')!.error;
    expect(error(128, 7)).toBeLessThan(error(128, 3));
    expect(error(64, 3)).toBeLessThan(error(128, 3));
    expect(error(32, 3)).toBeLessThan(error(64, 3));
    expect(error(16, 3)).toBeLessThan(error(32, 3));
    for (const { ownScales, tileRows, bitLimit } of study.cases)
      expect(ownScales!.error).toBeLessThan(error(tileRows, bitLimit) * 1.05);
  });

  it('counts every column once in the histogram of gaps', () => {
    for (const { methods } of study.cases)
      for (const { gapCounts, largestGap, meanGap } of methods) {
        expect(gapCounts.reduce((sum, count) => sum + count, 0)).toBe(30);
        expect(meanGap).toBeLessThanOrEqual(largestGap);
      }
  });

  it('gives the same numbers for the same seed, others for another, and takes curvature and Gauss columns', () => {
    const options = {
      columns: 4,
      tuningColumns: 2,
      tileRows: [16],
      bitLimits: [3],
      distributions: ['Gauss'],
      curvatures: ['log-normal'],
    } as const;
    const first = projectionStudy(options);
    expect(projectionStudy(options)).toEqual(first);
    const other = projectionStudy({ ...options, seed: 2 });
    expect(other.cases[0].methods[0].error).not.toBe(first.cases[0].methods[0].error);
    expect(first.cases[0].ownScales).toBeUndefined();
  });

  it.each([['columns'], ['tuningColumns']])('refuses one of the %s, or a fraction', (name) => {
    for (const wrong of [1, 2.5, Number.NaN]) {
      expect(() => projectionStudy({ [name]: wrong })).toThrow(InputError);
      expect(() => projectionStudy({ [name]: wrong })).toThrow(new RegExp(`${name}: ${wrong}`));
    }
  });
});

describe('the report of the study', () => {
  it('has a row a case, a row a method, and figures of plain JSON', () => {
    expect(requireTable(projectionErrorTable(study)).rows).toHaveLength(study.cases.length);
    expect(requireTable(projectionMethodTable(study)).rows).toHaveLength(5 * study.cases.length);
    const figures = projectionFigures(study);
    expect([...figures.keys()]).toEqual(['01-relative-error', '01-methods', '01-gaps']);
    for (const figure of figures.values()) expect(JSON.parse(JSON.stringify(figure))).toEqual(figure);
  });
});

describe('row orders', () => {
  it('deal every row once, each tile its places', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 100, noNaN: true }), { minLength: 1, maxLength: 60 }),
        fc.integer({ min: 1, max: 20 }),
        fc.boolean(),
        (energies, tileRows, byCount) => {
          const order = dealRows(Float64Array.from(energies), tileRows, byCount);
          expect([...order].sort((a, b) => a - b)).toEqual(energies.map((_, row) => row));
        },
      ),
    );
  });

  it('deal equal tiles like cards, and balance energy over unequal ones', () => {
    expect([...dealRows(Float64Array.of(9, 8, 7, 6), 2, true)]).toEqual([0, 2, 1, 3]);
    // Places for 4 and 2 rows: the short tile takes the larger ones.
    const energies = Float64Array.of(6, 1, 5, 1, 1, 1);
    const order = dealRows(energies, 4, false);
    const load = (rows: Int32Array) => rows.reduce((sum, row) => sum + energies[row], 0);
    expect(load(order.slice(0, 4)) - load(order.slice(4))).toBeLessThanOrEqual(3);
  });

  it('are compared at equal budgets, layer by layer', () => {
    const models = [openFloatModel('tiny-generated')];
    const rows = rowPermutationStudy({
      models,
      configurations: [{ tileRows: 32, bitLimit: 3 }],
      layers: 2,
      channels: 3,
    });
    expect(rows.length).toBe(2);
    for (const { errors } of rows)
      for (const error of Object.values(errors)) {
        expect(error).toBeGreaterThan(0);
        expect(error).toBeLessThan(1);
      }
    expect(requireTable(rowPermutationTable(rows)).rows).toHaveLength(3);
  });
});
