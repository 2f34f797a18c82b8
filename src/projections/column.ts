import type { Limits } from './limits';
import { nearestTable } from './nearest-with-mask';

/**
 * One column's rows as magnitudes, laid out for the solvers. Rows that cannot be nonzero (magnitude up to 1/2) are
 * left out and their error is in `constant`. Rows of side s lie in starts[s]..starts[s+1]-1, largest magnitude first:
 * a side is one polarity. Resource s * planes + p is the bit column of side s and plane p; the last one is the value limit.
 */
export interface Column {
  readonly limits: Limits;
  /** Sides treated together: 2 when the value limit couples the polarities, else 1. */
  sides: number;
  rows: number;
  readonly starts: Int32Array;
  readonly magnitude: Float64Array;
  /** Twice the magnitude, floored, at most 255: index into the table of nearest magnitudes. */
  readonly twice: Uint8Array;
  readonly curvature: Float64Array;
  /** All curvatures are equal, so one lower envelope serves every row. */
  uniform: boolean;
  maxCurvature: number;
  /** Position of each row in what was given. */
  readonly origin: Int32Array;
  constant: number;
  readonly nearest: Uint8Array;
}

/** A choice of magnitudes for a column and what it uses. */
export interface Choice {
  readonly codes: Uint8Array;
  /** Ones of each (side, plane). */
  readonly usage: Int32Array;
  nonzeros: number;
  /** Sum of curvature * error^2 over the column's rows, without `constant`. */
  cost: number;
}

/** An empty column with room for `capacity` rows. */
export function createColumn(capacity: number, limits: Limits): Column {
  return {
    limits,
    sides: 1,
    rows: 0,
    starts: new Int32Array(3),
    magnitude: new Float64Array(capacity),
    twice: new Uint8Array(capacity),
    curvature: new Float64Array(capacity),
    uniform: true,
    maxCurvature: 1,
    origin: new Int32Array(capacity),
    constant: 0,
    nearest: nearestTable(),
  };
}

export function createChoice(capacity: number, limits: Limits): Choice {
  return { codes: new Uint8Array(capacity), usage: new Int32Array(2 * limits.planes), nonzeros: 0, cost: 0 };
}

/** Fills `column` with the rows of the given signs (one or both of 1, -1), one side each. */
export function gatherColumn(
  column: Column,
  targets: Float64Array,
  curvature: Float64Array | undefined,
  signs: readonly number[],
): void {
  const { starts, origin } = column;
  column.sides = signs.length;
  column.constant = 0;
  let at = 0;
  signs.forEach((sign, side) => {
    starts[side] = at;
    at = gatherSide(column, targets, curvature, sign, at);
    starts[side + 1] = at;
  });
  column.rows = at;
  column.uniform = true;
  column.maxCurvature = 0;
  for (let i = 0; i < at; i++) {
    const weight = curvature ? curvature[origin[i]] : 1;
    column.curvature[i] = weight;
    if (weight !== column.curvature[0]) column.uniform = false;
    if (weight > column.maxCurvature) column.maxCurvature = weight;
  }
}

const bucketStarts = new Int32Array(256);
const bucketEnds = new Int32Array(256);

/** Adds the rows of one sign, largest first: a counting sort on twice the magnitude, then insertion within. */
function gatherSide(
  column: Column,
  targets: Float64Array,
  curvature: Float64Array | undefined,
  sign: number,
  start: number,
): number {
  const { magnitude, twice, origin } = column;
  bucketEnds.fill(0);
  for (let i = 0; i < targets.length; i++) {
    const size = targets[i] * sign;
    if (size > 0.5) bucketEnds[halves(size)]++;
    else if (size > 0) column.constant += (curvature ? curvature[i] : 1) * size * size;
  }
  // Place of each bucket's first row, larger magnitudes before.
  let end = start;
  for (let bucket = 255; bucket > 0; bucket--) {
    const count = bucketEnds[bucket];
    bucketStarts[bucket] = end;
    bucketEnds[bucket] = end;
    end += count;
  }
  for (let i = 0; i < targets.length; i++) {
    const size = targets[i] * sign;
    if (size <= 0.5) continue;
    const bucket = halves(size);
    let slot = bucketEnds[bucket]++;
    twice[slot] = bucket;
    while (slot > bucketStarts[bucket] && magnitude[slot - 1] < size) {
      magnitude[slot] = magnitude[slot - 1];
      origin[slot] = origin[slot - 1];
      slot--;
    }
    magnitude[slot] = size;
    origin[slot] = i;
  }
  return end;
}

/** Floor of twice a magnitude, at most 255. */
function halves(size: number): number {
  return size >= 127.5 ? 255 : Math.floor(2 * size);
}

export function rowCost(column: Column, row: number, code: number): number {
  const error = column.magnitude[row] - code;
  return column.curvature[row] * error * error;
}

/** Recomputes usage, nonzeros and cost of a choice from its codes. */
export function measureChoice(column: Column, choice: Choice): void {
  const { planes } = column.limits;
  choice.usage.fill(0);
  choice.nonzeros = 0;
  choice.cost = 0;
  for (let side = 0; side < column.sides; side++) {
    for (let row = column.starts[side]; row < column.starts[side + 1]; row++) {
      const code = choice.codes[row];
      choice.cost += rowCost(column, row, code);
      if (code !== 0) choice.nonzeros++;
      for (let plane = 0; plane < planes; plane++) choice.usage[side * planes + plane] += (code >> plane) & 1;
    }
  }
}

/** Whether a measured choice keeps every limit. */
export function isFeasible(column: Column, choice: Choice): boolean {
  const { planes, bits, values } = column.limits;
  if (choice.nonzeros > values) return false;
  for (let at = 0; at < column.sides * planes; at++) if (choice.usage[at] > bits[at % planes]) return false;
  return true;
}

export function copyChoice(column: Column, from: Choice, to: Choice): void {
  for (let row = 0; row < column.rows; row++) to.codes[row] = from.codes[row];
  to.usage.set(from.usage);
  to.nonzeros = from.nonzeros;
  to.cost = from.cost;
}

/** Changes one row's code and keeps the books. */
export function setCode(column: Column, choice: Choice, side: number, row: number, code: number): void {
  const { planes } = column.limits;
  const before = choice.codes[row];
  if (before === code) return;
  const changed = before ^ code;
  for (let plane = 0; plane < planes; plane++) {
    if ((changed >> plane) & 1) choice.usage[side * planes + plane] += (code >> plane) & 1 ? 1 : -1;
  }
  if (before === 0) choice.nonzeros++;
  if (code === 0) choice.nonzeros--;
  choice.cost += rowCost(column, row, code) - rowCost(column, row, before);
  choice.codes[row] = code;
}

/** Bits of a side that still have room. */
export function freeBits(column: Column, choice: Choice, side: number): number {
  const { planes, bits } = column.limits;
  let free = 0;
  for (let plane = 0; plane < planes; plane++) {
    if (choice.usage[side * planes + plane] < bits[plane]) free |= 1 << plane;
  }
  return free;
}
