import { type Choice, type Column, freeBits, rowCost, setCode } from './column';

/**
 * Improves a feasible choice in place until no single row (1-opt), no handing of one bit from row to row, and no
 * exchange of a nonzero place pays. Never makes it worse.
 */
export function polish(column: Column, choice: Choice): void {
  fillRoom(column, choice);
  for (let round = 0; round < 20; round++) {
    const improved = handBits(column, choice) || exchangeValues(column, choice);
    if (!improved) return;
    fillRoom(column, choice);
  }
}

/** 1-opt: every row takes the nearest value that its own bits and the free ones can make. */
export function fillRoom(column: Column, choice: Choice): void {
  const { nearest, twice, starts } = column;
  for (let improved = true; improved; ) {
    improved = false;
    for (let side = 0; side < column.sides; side++) {
      let free = freeBits(column, choice, side);
      for (let row = starts[side]; row < starts[side + 1]; row++) {
        const before = choice.codes[row];
        if (before === 0 && choice.nonzeros >= column.limits.values) continue;
        const code = nearest[((before | free) << 8) + twice[row]];
        if (code === before || rowCost(column, row, code) >= rowCost(column, row, before)) continue;
        setCode(column, choice, side, row, code);
        free = freeBits(column, choice, side);
        improved = true;
      }
    }
  }
}

/** For every full plane: the row that loses least hands its bit to the row that gains most, while that pays. */
function handBits(column: Column, choice: Choice): boolean {
  const { planes } = column.limits;
  let improved = false;
  for (let side = 0; side < column.sides; side++) {
    for (let plane = planes - 1; plane >= 0; plane--) {
      while (
        choice.usage[side * planes + plane] >= column.limits.bits[plane] &&
        handBit(column, choice, side, plane)
      ) {
        improved = true;
      }
    }
  }
  return improved;
}

function handBit(column: Column, choice: Choice, side: number, plane: number): boolean {
  const { nearest, twice, starts } = column;
  const { codes } = choice;
  const bit = 1 << plane;
  const free = freeBits(column, choice, side);
  const noNewValues = choice.nonzeros >= column.limits.values;
  let giver = -1;
  let giverCode = 0;
  let loss = Infinity;
  let taker = -1;
  let gain = 0;
  for (let row = starts[side]; row < starts[side + 1]; row++) {
    const before = codes[row];
    const allowed = before | free;
    if (before & bit) {
      const code = nearest[((allowed & ~bit) << 8) + twice[row]];
      const change = rowCost(column, row, code) - rowCost(column, row, before);
      if (change < loss) {
        loss = change;
        giver = row;
        giverCode = code;
      }
    } else {
      if (before === 0 && noNewValues) continue;
      const code = nearest[((allowed | bit) << 8) + twice[row]];
      const change = rowCost(column, row, before) - rowCost(column, row, code);
      if (change > gain) {
        gain = change;
        taker = row;
      }
    }
  }
  if (giver < 0 || taker < 0 || !(gain > loss)) return false;
  // The giver may take a free bit that the taker counted on, so the pair is tried before it is kept.
  const giverBefore = codes[giver];
  const takerBefore = codes[taker];
  const costBefore = choice.cost;
  setCode(column, choice, side, giver, giverCode);
  const takerAllowed = takerBefore | freeBits(column, choice, side);
  const takerCode = nearest[(takerAllowed << 8) + twice[taker]];
  const change =
    rowCost(column, giver, giverCode) -
    rowCost(column, giver, giverBefore) +
    rowCost(column, taker, takerCode) -
    rowCost(column, taker, takerBefore);
  if (change < -1e-12 * costBefore) {
    setCode(column, choice, side, taker, takerCode);
    return true;
  }
  setCode(column, choice, side, giver, giverBefore);
  choice.cost = costBefore;
  return false;
}

/** With every nonzero place taken: a nonzero row gives its place and bits to a zero row of its side, if that pays. */
function exchangeValues(column: Column, choice: Choice): boolean {
  if (choice.nonzeros < column.limits.values) return false;
  const { nearest, twice, starts } = column;
  const { codes } = choice;
  for (let side = 0; side < column.sides; side++) {
    const free = freeBits(column, choice, side);
    for (let from = starts[side]; from < starts[side + 1]; from++) {
      if (codes[from] === 0) continue;
      const loss = rowCost(column, from, 0) - rowCost(column, from, codes[from]);
      const allowed = (codes[from] | free) << 8;
      for (let to = starts[side]; to < starts[side + 1]; to++) {
        if (codes[to] !== 0) continue;
        const code = nearest[allowed + twice[to]];
        const gain = rowCost(column, to, 0) - rowCost(column, to, code);
        if (!(gain - loss > 1e-12 * choice.cost)) continue;
        setCode(column, choice, side, from, 0);
        setCode(column, choice, side, to, code);
        return true;
      }
    }
  }
  return false;
}
