import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type CellArray,
  columnCurrents,
  effectiveConductances,
  type WireModel,
  wiredCells,
} from '../../src/crossbar/ir-drop';
import { randomStream } from '../../src/tensor/random';

/** Kirchhoff's current law at every node, solved by Gaussian elimination with pivoting: the slow way round. */
function nodalCurrents(
  { conductances, rows, columns }: CellArray,
  voltages: ArrayLike<number>,
  wires: Required<Omit<WireModel, 'arrayColumns'>>,
): number[] {
  const size = 2 * rows * columns;
  const rowNode = (i: number, j: number) => i * columns + j;
  const columnNode = (i: number, j: number) => rows * columns + i * columns + j;
  const matrix = Array.from({ length: size }, () => new Float64Array(size + 1));
  const connect = (a: number, b: number, conductance: number) => {
    matrix[a][a] += conductance;
    matrix[b][b] += conductance;
    matrix[a][b] -= conductance;
    matrix[b][a] -= conductance;
  };
  const toSource = (a: number, voltage: number, conductance: number) => {
    matrix[a][a] += conductance;
    matrix[a][size] += conductance * voltage;
  };
  const sense = 1 / (wires.columnResistance + wires.senseResistance);
  for (let i = 0; i < rows; i++) {
    toSource(rowNode(i, 0), voltages[i], 1 / (wires.rowResistance + wires.driverResistance));
    for (let j = 0; j < columns; j++) {
      connect(rowNode(i, j), columnNode(i, j), conductances[i * columns + j]);
      if (j > 0) connect(rowNode(i, j - 1), rowNode(i, j), 1 / wires.rowResistance);
      if (i > 0) connect(columnNode(i - 1, j), columnNode(i, j), 1 / wires.columnResistance);
      if (i === rows - 1) toSource(columnNode(i, j), 0, sense);
    }
  }
  for (let k = 0; k < size; k++) {
    let pivot = k;
    for (let i = k + 1; i < size; i++) if (Math.abs(matrix[i][k]) > Math.abs(matrix[pivot][k])) pivot = i;
    [matrix[k], matrix[pivot]] = [matrix[pivot], matrix[k]];
    for (let i = k + 1; i < size; i++) {
      const factor = matrix[i][k] / matrix[k][k];
      if (factor !== 0) for (let j = k; j <= size; j++) matrix[i][j] -= factor * matrix[k][j];
    }
  }
  const solution = new Float64Array(size);
  for (let k = size - 1; k >= 0; k--) {
    let rest = matrix[k][size];
    for (let j = k + 1; j < size; j++) rest -= matrix[k][j] * solution[j];
    solution[k] = rest / matrix[k][k];
  }
  return Array.from({ length: columns }, (_, j) => solution[columnNode(rows - 1, j)] * sense);
}

function randomArray(rows: number, columns: number, seed: number, on = 1e-5, off = 1e-7): CellArray {
  const random = randomStream(seed, 'array');
  const conductances = Float64Array.from({ length: rows * columns }, () =>
    random.uniform() < 0.5 ? on * (0.8 + 0.4 * random.uniform()) : off,
  );
  return { conductances, rows, columns };
}

const pulses = (rows: number, seed: number) => {
  const random = randomStream(seed, 'pulses');
  return Float64Array.from({ length: rows }, () => 0.2 * random.integer(2));
};

function product({ conductances, rows, columns }: CellArray, voltages: ArrayLike<number>): number[] {
  return Array.from({ length: columns }, (_, j) => {
    let sum = 0;
    for (let i = 0; i < rows; i++) sum += voltages[i] * conductances[i * columns + j];
    return sum;
  });
}

const expectClose = (got: ArrayLike<number>, wanted: ArrayLike<number>, relative: number) => {
  const scale = Math.max(...Array.from(wanted, Math.abs), 1e-300);
  for (let i = 0; i < wanted.length; i++) {
    expect(Math.abs(got[i] - wanted[i])).toBeLessThanOrEqual(relative * scale);
  }
};

describe('columnCurrents', () => {
  it.each([
    [8, 8, 2, 2],
    [16, 4, 5, 1],
    [4, 16, 1, 5],
    [1, 1, 3, 3],
    [1, 9, 100, 10],
    [9, 1, 100, 10],
    [8, 8, 2000, 5000],
    [8, 8, 1e6, 1e6],
  ])(
    'solves the nodal equations of a %i x %i array with %d and %d ohm a cell',
    (rows, columns, row, column) => {
      for (const seed of [1, 2, 3]) {
        const array = randomArray(rows, columns, seed);
        const voltages = pulses(rows, seed);
        voltages[0] = 0.2;
        const wires = {
          rowResistance: row,
          columnResistance: column,
          driverResistance: 50 * seed,
          senseResistance: 20 * seed,
        };
        expectClose(columnCurrents(array, voltages, wires), nodalCurrents(array, voltages, wires), 1e-9);
      }
    },
  );

  it('is the plain product without resistance, and next to it with next to none', () => {
    const array = randomArray(20, 12, 4);
    const voltages = pulses(20, 4);
    const none = columnCurrents(array, voltages, { rowResistance: 0, columnResistance: 0 });
    expectClose(none, product(array, voltages), 1e-14);
    const little = columnCurrents(array, voltages, { rowResistance: 1e-6, columnResistance: 1e-6 });
    expectClose(little, product(array, voltages), 1e-8);
  });

  it('needs no resistance in either direction: 0 ohm is the limit of little', () => {
    const array = randomArray(10, 6, 5);
    const voltages = pulses(10, 5);
    for (const [exact, near] of [
      [
        { rowResistance: 0, columnResistance: 500 },
        { rowResistance: 1e-5, columnResistance: 500 },
      ],
      [
        { rowResistance: 500, columnResistance: 0 },
        { rowResistance: 500, columnResistance: 1e-5 },
      ],
    ]) {
      expectClose(
        columnCurrents(array, voltages, exact),
        nodalCurrents(array, voltages, { driverResistance: 0, senseResistance: 0, ...near }),
        1e-6,
      );
    }
  });

  it('never gives more current than without resistance, and less the more there is', () => {
    const array = randomArray(32, 32, 6);
    const voltages = new Float64Array(32).fill(0.2);
    let last = product(array, voltages);
    for (const resistance of [1, 10, 100, 1000]) {
      const now = columnCurrents(array, voltages, {
        rowResistance: resistance,
        columnResistance: resistance,
      });
      now.forEach((current, j) => {
        expect(current).toBeLessThan(last[j]);
      });
      last = [...now];
    }
  });

  it('loses most in the column that is farthest from the drivers', () => {
    const conductances = new Float64Array(64 * 64).fill(1e-5);
    const currents = columnCurrents({ conductances, rows: 64, columns: 64 }, new Float64Array(64).fill(1), {
      rowResistance: 5,
      columnResistance: 5,
    });
    for (let j = 1; j < 64; j++) expect(currents[j]).toBeLessThan(currents[j - 1]);
  });

  it('names what is out of range', () => {
    const array = randomArray(2, 2, 1);
    const wires = { rowResistance: 1, columnResistance: 1 };
    expect(() => columnCurrents(array, [1], wires)).toThrow(/voltages: 1 where 2 rows/);
    expect(() => columnCurrents(array, [1, 1], { ...wires, rowResistance: -1 })).toThrow(
      /wires\.rowResistance: -1/,
    );
    expect(() => columnCurrents(array, [1, 1], { ...wires, arrayColumns: 0 })).toThrow(
      /wires\.arrayColumns: 0/,
    );
    expect(() => columnCurrents({ ...array, rows: 3 }, [1, 1, 1], wires)).toThrow(
      /conductances: 4 are not 3/,
    );
  });
});

describe('effectiveConductances', () => {
  it('gives the currents of any drive voltages as a plain product', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 1, max: 12 }),
        fc.nat(),
        fc.constantFrom(0, 1, 300, 1e5),
        (rows, columns, seed, resistance) => {
          const array = randomArray(rows, columns, seed);
          const wires = { rowResistance: resistance, columnResistance: 2 * resistance };
          const random = randomStream(seed, 'volts');
          const voltages = Float64Array.from({ length: rows }, () => random.normal());
          const conductances = effectiveConductances(array, wires);
          expectClose(
            product({ ...array, conductances }, voltages),
            columnCurrents(array, voltages, wires),
            1e-9,
          );
        },
      ),
      { numRuns: 40 },
    );
  });
});

describe('wiredCells', () => {
  it('lays columns side by side on arrays of the stated width, each array by itself', () => {
    const rows = 6;
    const random = randomStream(3, 'cells');
    const cells = Float32Array.from({ length: rows * 7 }, () => random.integer(2));
    const wires = { rowResistance: 200, columnResistance: 300, arrayColumns: 3 };
    const seen = wiredCells(cells, rows, wires, 1e4);
    expect(seen.subarray(0, 3 * rows)).toEqual(wiredCells(cells.slice(0, 3 * rows), rows, wires, 1e4));
    expect(seen.subarray(6 * rows)).toEqual(wiredCells(cells.slice(6 * rows), rows, wires, 1e4));
    const ideal = wiredCells(cells, rows, { rowResistance: 0, columnResistance: 0 }, 1e4);
    ideal.forEach((value, i) => {
      expect(value).toBeCloseTo(cells[i], 6);
    });
  });
});
