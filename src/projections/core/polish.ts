import type { Choice } from './choice';
import type { Column } from './column';
import type { Int, Real } from './portable';

/**
 * Improves a feasible choice in place until no single row (1-opt), no handing of one bit from row to row, and no
 * exchange of a nonzero place pays. Never makes it worse.
 */
export function polish(column: Column, choice: Choice): void {
  fillRoom(column, choice);
  for (let round: Int = 0; round < 20; round++) {
    const handed = handBits(column, choice);
    const filled = handed && fillRoom(column, choice);
    if (filled) continue;
    if (!exchangeValues(column, choice)) return;
    fillRoom(column, choice);
  }
}

/** 1-opt: every row takes the nearest value that its own bits and the free ones can make; whether any has changed. */
function fillRoom(column: Column, choice: Choice): boolean {
  let any = false;
  for (let improved = true; improved; ) {
    improved = false;
    for (let side: Int = 0; side < column.sides; side++) {
      let free = choice.freeBits(column, side);
      const end = column.starts[side + 1];
      for (let row = column.starts[side]; row < end; row++) {
        const before = choice.codes[row];
        if (before === 0 && choice.nonzeros >= column.values) continue;
        const code = column.nearestCode(row, before | free);
        if (code === before || column.rowCost(row, code) >= column.rowCost(row, before)) continue;
        choice.setCode(column, side, row, code);
        free = choice.freeBits(column, side);
        improved = true;
        any = true;
      }
    }
  }
  return any;
}

/** For every full plane: the row that loses least hands its bit to the row that gains most, while that pays. */
function handBits(column: Column, choice: Choice): boolean {
  const planes = column.planes;
  let improved = false;
  for (let side: Int = 0; side < column.sides; side++) {
    // Planes in turn, until none has changed since each was last tried in vain.
    let idle: Int = 0;
    for (let plane = planes - 1; idle < planes; plane = plane > 0 ? plane - 1 : planes - 1) {
      const resource = side * planes + plane;
      while (choice.usage[resource] >= column.bits[plane] && handBit(column, choice, side, plane)) {
        improved = true;
        idle = 0;
      }
      idle++;
    }
  }
  return improved;
}

function handBit(column: Column, choice: Choice, side: Int, plane: Int): boolean {
  const codes = choice.codes;
  const magnitude = column.magnitude;
  const curvature = column.curvature;
  const bit: Int = 1 << plane;
  const free = choice.freeBits(column, side);
  const noNewValues = choice.nonzeros >= column.values;
  let giver: Int = -1;
  let giverCode: Int = 0;
  let loss: Real = Infinity;
  let taker: Int = -1;
  let gain: Real = 0;
  const end = column.starts[side + 1];
  for (let row = column.starts[side]; row < end; row++) {
    const before = codes[row];
    const holds = (before & bit) !== 0;
    if (before === 0 && noNewValues) continue;
    const allowed = before | free;
    const code = column.nearestCode(row, holds ? allowed & ~bit : allowed | bit);
    // d (m - c)^2 - d (m - b)^2
    const change =
      curvature[row] * ((before - code) as Real) * (2 * magnitude[row] - ((before + code) as Real));
    if (holds) {
      if (change < loss) {
        loss = change;
        giver = row;
        giverCode = code;
      }
    } else if (-change > gain) {
      gain = -change;
      taker = row;
    }
  }
  if (giver < 0 || taker < 0 || !(gain > loss)) return false;
  // The giver may take a free bit that the taker counted on, so the pair is tried before it is kept.
  const giverBefore = codes[giver];
  const takerBefore = codes[taker];
  const costBefore = choice.cost;
  choice.setCode(column, side, giver, giverCode);
  const takerCode = column.nearestCode(taker, takerBefore | choice.freeBits(column, side));
  const change =
    column.rowCost(giver, giverCode) -
    column.rowCost(giver, giverBefore) +
    column.rowCost(taker, takerCode) -
    column.rowCost(taker, takerBefore);
  if (change < -1e-12 * costBefore) {
    choice.setCode(column, side, taker, takerCode);
    return true;
  }
  choice.setCode(column, side, giver, giverBefore);
  choice.cost = costBefore;
  return false;
}

/** With every nonzero place taken: a nonzero row gives its place and bits to a zero row of its side, if that pays. */
function exchangeValues(column: Column, choice: Choice): boolean {
  if (choice.nonzeros < column.values) return false;
  const codes = choice.codes;
  for (let side: Int = 0; side < column.sides; side++) {
    const free = choice.freeBits(column, side);
    const end = column.starts[side + 1];
    for (let from = column.starts[side]; from < end; from++) {
      if (codes[from] === 0) continue;
      const loss = column.rowCost(from, 0) - column.rowCost(from, codes[from]);
      const allowed = codes[from] | free;
      for (let to = column.starts[side]; to < end; to++) {
        if (codes[to] !== 0) continue;
        const code = column.nearestCode(to, allowed);
        const gain = column.rowCost(to, 0) - column.rowCost(to, code);
        if (!(gain - loss > 1e-12 * choice.cost)) continue;
        choice.setCode(column, side, from, 0);
        choice.setCode(column, side, to, code);
        return true;
      }
    }
  }
  return false;
}
