import { Choice } from './choice';
import { Column, MULTIPLIERS, UNLIMITED } from './column';
import { ColumnBuffers } from './column-buffers';
import { greedy } from './greedy';
import { Lagrangian } from './lagrangian';
import { GREEDY, LAGRANGIAN, TRUNCATION } from './methods';
import { polish } from './polish';
import type { Bytes, Int, Ints, Real, Reals } from './portable';
import { reals } from './portable';
import { RowOrder } from './row-order';
import { hasSingleOnes, SingleOnes } from './single-ones';
import { truncate } from './truncate';

export { UNLIMITED };

/** Solves columns of at most `capacity` rows; multipliers of both polarities and the value limit: [2 * planes + 1]. */
export class Solver extends ColumnBuffers {
  readonly column: Column;
  readonly best: Choice;
  readonly scratch: Choice;
  readonly order: RowOrder;
  readonly lagrangian: Lagrangian;
  readonly singleOnes: SingleOnes;
  /** Multipliers of the sides at hand, in the same form. */
  readonly own: Reals;
  /** Of the sides at hand. */
  bound: Real = 0;

  constructor(capacity: Int) {
    super(capacity, MULTIPLIERS);
    this.column = new Column(capacity);
    this.best = new Choice(capacity);
    this.scratch = new Choice(capacity);
    this.order = new RowOrder(capacity);
    this.lagrangian = new Lagrangian(capacity);
    this.singleOnes = new SingleOnes();
    this.own = reals(MULTIPLIERS);
  }
}

export function createSolver(capacity: Int): Solver {
  return new Solver(capacity);
}

export function bitsOf(solver: Solver): Ints {
  return solver.column.bits;
}
export function nearestOf(solver: Solver): Bytes {
  return solver.column.nearest;
}

/** Sets limits: planes 1..7, values UNLIMITED for none; ones by plane go into `bitsOf`. */
export function setLimits(solver: Solver, planes: Int, values: Int): void {
  solver.column.planes = planes;
  solver.column.maxMagnitude = (1 << planes) - 1;
  solver.column.values = values;
}

/** Begins a column: no answer yet, and multipliers at 0 unless `warm`. */
export function beginColumn(solver: Solver, length: Int, warm: boolean): void {
  for (let i: Int = 0; i < length; i++) solver.codes[i] = 0;
  if (!warm) solver.multipliers.fill(0);
  solver.objective = 0;
  solver.lowerBound = 0;
}

/**
 * Solves the polarity `sign` (1 or -1), or both together (0), which only the value limit asks for. Leaves the choice in
 * `best`, and multipliers in `own`. True where rounding broke a limit, so that there was something to choose.
 */
export function solveSides(
  solver: Solver,
  length: Int,
  sign: Int,
  method: Int,
  previous: boolean,
  warm: boolean,
): boolean {
  const column = solver.column;
  const best = solver.best;
  const planes = column.planes;
  const own = solver.own;
  const from: Int = sign < 0 ? planes : 0;
  own.fill(0);
  for (let at: Int = 0; at < (sign === 0 ? 2 * planes + 1 : planes); at++)
    own[at] = solver.multipliers[from + at];
  column.gather(solver.targets, solver.curvature, length, sign);
  round(solver);
  if (best.isFeasible(column)) {
    own.fill(0);
    return false;
  }
  choose(solver, sign, method, previous, warm);
  return true;
}

/** Rounds every row: no choice costs less. */
function round(solver: Solver): void {
  const column = solver.column;
  const best = solver.best;
  for (let row: Int = 0; row < column.rows; row++)
    best.codes[row] = column.nearestCode(row, column.maxMagnitude);
  best.measure(column);
  solver.bound = best.cost;
}

/** Rows of a side that can be nonzero: each has a one of its own. */
function mostNonzeros(column: Column): Int {
  let most = column.values;
  let ones: Int = 0;
  for (let plane: Int = 0; plane < column.planes; plane++) {
    // Before numbers overflow.
    if (column.bits[plane] >= column.rows) return most;
    ones += column.bits[plane];
  }
  if (ones < most) most = ones;
  return most;
}

/** Runs the method; leaves its choice in `best` and raises the bound that rounding gave. */
function choose(solver: Solver, sign: Int, method: Int, previous: boolean, warm: boolean): void {
  const column = solver.column;
  const best = solver.best;
  const scratch = solver.scratch;
  const lagrangian = solver.lagrangian;
  if (method === TRUNCATION) {
    truncate(column, best, solver.order);
    return;
  }
  const rows = column.rows;
  column.keepLargest(mostNonzeros(column));
  if (column.rows < rows) round(solver);
  greedy(column, best, solver.order);
  polish(column, best);
  if (method === LAGRANGIAN && hasSingleOnes(column)) {
    solver.singleOnes.solve(column, best);
    solver.own.fill(0);
    solver.bound = best.cost;
    return;
  }
  if (method === GREEDY) {
    if (!warm) return;
    lagrangian.dual.prepare(column);
    raiseBound(solver, lagrangian.dual.relax(column, solver.own));
    return;
  }
  truncate(column, scratch, solver.order);
  if (scratch.cost < best.cost) best.copyFrom(scratch, column.rows);
  if (previous) offerPrevious(solver, sign);
  raiseBound(solver, lagrangian.solve(column, best, scratch, solver.order, solver.own, warm));
}

function raiseBound(solver: Solver, bound: Real): void {
  if (bound > solver.bound) solver.bound = bound;
}

function offerPrevious(solver: Solver, sign: Int): void {
  const column = solver.column;
  const scratch = solver.scratch;
  for (let side: Int = 0; side < column.sides; side++) {
    const polarity: Int = sign < 0 || side > 0 ? -1 : 1;
    const end = column.starts[side + 1];
    for (let row = column.starts[side]; row < end; row++) {
      const code = solver.previous[column.origin[row]] * polarity;
      // Of more bits than these: no candidate.
      if (code > column.maxMagnitude) return;
      scratch.codes[row] = code > 0 ? code : 0;
    }
  }
  scratch.measure(column);
  if (!scratch.isFeasible(column)) return;
  polish(column, scratch);
  if (scratch.cost < solver.best.cost) solver.best.copyFrom(scratch, column.rows);
}

/** Adds what `solveSides` left to the answer. */
export function endSides(solver: Solver, sign: Int): void {
  const column = solver.column;
  const best = solver.best;
  const planes = column.planes;
  best.measure(column);
  for (let side: Int = 0; side < column.sides; side++) {
    const polarity: Int = sign < 0 || side > 0 ? -1 : 1;
    const end = column.starts[side + 1];
    for (let row = column.starts[side]; row < end; row++)
      solver.codes[column.origin[row]] = best.codes[row] * polarity;
  }
  const from: Int = sign < 0 ? planes : 0;
  for (let at: Int = 0; at < (sign === 0 ? 2 * planes + 1 : planes); at++)
    solver.multipliers[from + at] = solver.own[at];
  if (sign !== 0) solver.multipliers[2 * planes] = 0;
  const objective = best.cost + column.constant;
  const bound = solver.bound + column.constant;
  solver.objective += objective;
  solver.lowerBound += bound < objective ? bound : objective;
}

/** A whole column. */
export function solveColumn(
  solver: Solver,
  length: Int,
  method: Int,
  previous: boolean,
  warm: boolean,
): void {
  beginColumn(solver, length, warm);
  if (solver.column.values < length) {
    solveSides(solver, length, 0, method, previous, warm);
    endSides(solver, 0);
    return;
  }
  // Polarities share nothing, so each is a problem of its own.
  const values = solver.column.values;
  solver.column.values = UNLIMITED;
  for (let sign: Int = 1; sign >= -1; sign -= 2) {
    solveSides(solver, length, sign, method, previous, warm);
    endSides(solver, sign);
  }
  solver.column.values = values;
}
