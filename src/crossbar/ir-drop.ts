import { checkWhole } from '../check-number';
import { InputError } from '../errors';

/**
 * Resistance of an array's wires, ohm. Each row has a driver at its first column; each column ends, past its last row, in a sense
 * amplifier that holds it at 0 V (virtual ground) and measures its current; the other ends are open. Between neighbouring cells
 * a wire has one segment, and one more leads from the driver to the first cell and from the last cell to the amplifier. Rows that are
 * not driven are held at 0 V. Cells are linear, so currents are linear in the drive voltages.
 *
 * For scale: NeuroSim 1.4 (Param.cpp) has copper of 2.97e-8 ohm m, 40 nm wide, aspect ratio 1.9, at 22 nm: 1.6 ohm along the 4 F
 * and 4.7 ohm along the 12 F of a 1T1R cell (derived, without its barrier and temperature corrections).
 */
export interface WireModel {
  /** Of a segment of a row, at least 0. */
  readonly rowResistance: number;
  /** Of a segment of a column, at least 0. */
  readonly columnResistance: number;
  /** Output resistance of a row driver, at least 0. Default 0. */
  readonly driverResistance?: number;
  /** Input resistance of a sense amplifier, at least 0. Default 0. */
  readonly senseResistance?: number;
  /** Columns of cells on one array: what a row wire runs past, at least 1. Default 128 (ISAAC). */
  readonly arrayColumns?: number;
}

/** Throws an InputError that names the field out of range. */
export function checkWires(wires: WireModel, field = 'wires'): void {
  const { rowResistance, columnResistance, driverResistance = 0, senseResistance = 0 } = wires;
  const { arrayColumns = 128 } = wires;
  for (const [name, value] of Object.entries({
    rowResistance,
    columnResistance,
    driverResistance,
    senseResistance,
  })) {
    if (typeof value !== 'number' || !(value >= 0 && value < Infinity)) {
      throw new InputError(`${field}.${name}: ${value} is not a number of ohms of at least 0`);
    }
  }
  checkWhole(`${field}.arrayColumns`, arrayColumns, 1);
}

/** An array of cells, siemens, at least 0: conductances[row * columns + column]. */
export interface CellArray {
  readonly conductances: Float64Array;
  readonly rows: number;
  readonly columns: number;
}

/** Current into each column's sense amplifier, ampere, when the row drivers hold `voltages`. */
export function columnCurrents(
  array: CellArray,
  voltages: ArrayLike<number>,
  wires: WireModel,
): Float64Array {
  checkArray(array, voltages.length);
  checkWires(wires);
  return wiredArray(array, wires)(voltages);
}

/**
 * What an array with wires does, as the cells of one without: current of column c = sum over rows of voltage * effective
 * conductance, exactly, because the circuit is linear. [rows][columns]
 */
export function effectiveConductances(array: CellArray, wires: WireModel): Float64Array {
  checkArray(array, array.rows);
  checkWires(wires);
  const { rows, columns } = array;
  const currents = wiredArray(array, wires);
  const effective = new Float64Array(rows * columns);
  const voltages = new Float64Array(rows);
  for (let row = 0; row < rows; row++) {
    voltages.fill(0);
    voltages[row] = 1;
    effective.set(currents(voltages), row * columns);
  }
  return effective;
}

/**
 * Effective cells of columns of cells that stand side by side on arrays of `arrayColumns`; values and result are
 * [column][rows] in one unit, `unitResistance` ohm being the resistance of a cell of value 1.
 */
export function wiredCells(
  cells: Float32Array,
  rows: number,
  wires: WireModel,
  unitResistance: number,
): Float32Array {
  const { arrayColumns = 128 } = wires;
  const total = cells.length / rows;
  const seen = new Float32Array(cells.length);
  for (let first = 0; first < total; first += arrayColumns) {
    const columns = Math.min(arrayColumns, total - first);
    const conductances = new Float64Array(rows * columns);
    for (let column = 0; column < columns; column++) {
      for (let row = 0; row < rows; row++) {
        conductances[row * columns + column] = cells[(first + column) * rows + row] / unitResistance;
      }
    }
    const effective = effectiveConductances({ conductances, rows, columns }, wires);
    for (let column = 0; column < columns; column++) {
      for (let row = 0; row < rows; row++) {
        seen[(first + column) * rows + row] = effective[row * columns + column] * unitResistance;
      }
    }
  }
  return seen;
}

function checkArray({ conductances, rows, columns }: CellArray, drivers: number): void {
  if (conductances.length !== rows * columns) {
    throw new InputError(`conductances: ${conductances.length} are not ${rows} rows x ${columns} columns`);
  }
  if (drivers !== rows) throw new InputError(`voltages: ${drivers} where ${rows} rows are driven`);
  for (let i = 0; i < conductances.length; i++) {
    if (!(conductances[i] >= 0 && conductances[i] < Infinity)) {
      throw new InputError(`conductances[${i}]: ${conductances[i]} is not a number of siemens of at least 0`);
    }
  }
}

/**
 * The nodal equations. With column voltages w given, each row wire is a ladder, solved exactly in one pass there and back; so is
 * each column wire with row voltages u given. Alternating the two is w <- T w + c; (I - T) is self-adjoint and positive in the
 * inner product of M = G * (row ladders) * G, so conjugate gradients in it solve (I - T) w = c in few steps, however
 * resistive the wires. Ladders hold resistances, not conductances, so that 0 ohm is no special case.
 */
function wiredArray(
  { conductances: g, rows, columns }: CellArray,
  { rowResistance, columnResistance, driverResistance = 0, senseResistance = 0 }: WireModel,
): (voltages: ArrayLike<number>) => Float64Array {
  const size = rows * columns;
  const driver = rowResistance + driverResistance;
  const sense = columnResistance + senseResistance;
  // 1 / (1 + resistance * admittance beyond it), of the segment that leads to each node from the driver or the amplifier.
  const rowFactor = new Float64Array(size);
  const columnFactor = new Float64Array(size);
  // Of each whole column, seen from its last node.
  const columnAdmittance = new Float64Array(columns);
  for (let row = 0; row < rows; row++) {
    let admittance = 0;
    for (let column = columns - 1; column >= 0; column--) {
      const at = row * columns + column;
      admittance += g[at];
      rowFactor[at] = 1 / (1 + (column === 0 ? driver : rowResistance) * admittance);
      admittance *= rowFactor[at];
    }
  }
  for (let column = 0; column < columns; column++) {
    let admittance = 0;
    for (let row = 0; row < rows; row++) {
      const at = row * columns + column;
      admittance += g[at];
      columnFactor[at] = 1 / (1 + (row === rows - 1 ? sense : columnResistance) * admittance);
      if (row === rows - 1) columnAdmittance[column] = admittance;
      admittance *= columnFactor[at];
    }
  }

  /** Norton currents of ladders on the way. */
  const norton = new Float64Array(size);

  /** Row wire voltages u for given column wire voltages (none: 0) and drivers (none: 0). */
  const solveRows = (
    w: Float64Array | undefined,
    voltages: ArrayLike<number> | undefined,
    u: Float64Array,
  ): void => {
    for (let row = 0; row < rows; row++) {
      const start = row * columns;
      let current = 0;
      for (let at = start + columns - 1; at >= start; at--) {
        current += w ? g[at] * w[at] : 0;
        norton[at] = current;
        current *= rowFactor[at];
      }
      let voltage = ((voltages?.[row] ?? 0) + driver * norton[start]) * rowFactor[start];
      u[start] = voltage;
      for (let at = start + 1; at < start + columns; at++) {
        voltage = (voltage + rowResistance * norton[at]) * rowFactor[at];
        u[at] = voltage;
      }
    }
  };

  /** Column wire voltages w for given row wire voltages; returns the currents sensed. */
  const solveColumns = (u: Float64Array, w: Float64Array): Float64Array => {
    // Row by row, so that memory is read in order.
    for (let at = 0; at < columns; at++) norton[at] = g[at] * u[at];
    for (let at = columns; at < size; at++) {
      norton[at] = g[at] * u[at] + norton[at - columns] * columnFactor[at - columns];
    }
    const end = size - columns;
    const currents = new Float64Array(columns);
    for (let column = 0; column < columns; column++) {
      const at = end + column;
      w[at] = sense * norton[at] * columnFactor[at];
      currents[column] = norton[at] - columnAdmittance[column] * w[at];
    }
    for (let at = end - 1; at >= 0; at--) {
      w[at] = (w[at + columns] + columnResistance * norton[at]) * columnFactor[at];
    }
    return currents;
  };

  return (voltages) => {
    const u = new Float64Array(size); // row wires
    const r = new Float64Array(size); // residual of w = T w + c; w itself is not needed
    const p = new Float64Array(size); // direction
    const ur = new Float64Array(size);
    const up = new Float64Array(size);
    const tp = new Float64Array(size);
    solveRows(undefined, voltages, u);
    solveColumns(u, r);
    let last = 0;
    let first = 0;
    for (let step = 0; step < 10 * size + 100; step++) {
      solveRows(r, undefined, ur);
      let rho = 0;
      for (let i = 0; i < size; i++) rho += r[i] * g[i] * ur[i];
      if (step === 0) first = rho;
      if (!(rho > 1e-28 * first)) break;
      const beta = step === 0 ? 0 : rho / last;
      for (let i = 0; i < size; i++) {
        p[i] = r[i] + beta * p[i];
        up[i] = ur[i] + beta * up[i];
      }
      solveColumns(up, tp);
      let curvature = 0;
      for (let i = 0; i < size; i++) curvature += (p[i] - tp[i]) * g[i] * up[i];
      if (!(curvature > 0)) break;
      const alpha = rho / curvature;
      for (let i = 0; i < size; i++) {
        u[i] += alpha * up[i];
        r[i] -= alpha * (p[i] - tp[i]);
      }
      last = rho;
    }
    return solveColumns(u, tp);
  };
}
