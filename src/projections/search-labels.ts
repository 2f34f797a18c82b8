import type { Choice } from './core/choice';
import type { Column } from './core/column';
import { polish } from './core/polish';
import type { Solver } from './core/solver';
import { type DualCuts, dualCuts } from './dual-cuts';
import {
  clearLabels,
  createLabelTable,
  freeSlot,
  type LabelTable,
  narrowLabels,
  offerLabel,
} from './label-table';

/** A row that reduced costs leave open: the codes it may still take and their reduced costs. */
interface OpenRow {
  readonly row: number;
  readonly side: number;
  readonly codes: readonly number[];
  /** [code][cut] */
  readonly reduced: Float64Array;
}

/** What stays the same during a pass. */
interface Search {
  readonly cuts: DualCuts;
  readonly open: readonly OpenRow[];
  /** What the rows from each level on can use at most: [level][resource]. */
  readonly reach: Int32Array;
  /** 2 * planes + 1 */
  readonly resources: number;
  readonly planes: number;
  /** What a partial solution must stay below. */
  readonly cutoff: number;
}

/** Width of the first pass and how much wider each next one is. */
const FIRST_WIDTH = 128;
const WIDER = 8;
/** A level may outgrow the width by this factor before its worst labels go. */
const OVERFLOW = 2;
/** Changes of one budget that cuts are made for once the first pass fails. */
const DEVIATIONS = [-2, 2];
/** Costs closer than this, in proportion, are the same. */
const SLACK = 1e-12;
/** Budget left is kept in a byte. */
const MOST_OPEN = 255;

/**
 * Exact search by reduced costs. Any feasible cost is g(l) + the sum of its rows' reduced costs + sum l * unused
 * budget, so with an incumbent `best` only codes of reduced cost below best - g matter: rows with one such code are
 * fixed, the others go through dynamic programming over the budget left, pruned by the same inequality. Several
 * multiplier vectors (`dualCuts`) prune together. Rows go side by side, those of fewest codes first: bit columns that no
 * later row can use leave the state, so the polarities meet in one number, the nonzeros.
 *
 * At most `width` labels are kept after each row (the most promising); what is dropped limits the bound returned.
 * Narrow passes come first, since a better incumbent leaves less open. Starts where the solver's Lagrangian method ended and improves its `best` in place; returns a lower bound
 * on the rows' cost, equal to best.cost if nothing had to be dropped.
 */
export function searchLabels(solver: Solver, width: number): number {
  const { column, best, own: multipliers } = solver;
  const { dual } = solver.lagrangian;
  let cuts = dualCuts(column, dual, multipliers, []);
  let bound = cuts.values[0];
  for (
    let narrow = Math.min(FIRST_WIDTH, width), pass = 0;
    ;
    narrow = Math.min(WIDER * narrow, width), pass++
  ) {
    if (bound >= best.cost * (1 - SLACK)) return best.cost;
    if (pass === 1) cuts = dualCuts(column, dual, multipliers, DEVIATIONS);
    bound = Math.max(bound, searchPass(column, cuts, best, narrow));
    if (pass > 0 && narrow === width) return Math.min(bound, best.cost);
  }
}

/** One pass; the bound is Infinity if nothing better than `best` can have been missed. */
function searchPass(column: Column, cuts: DualCuts, best: Choice, width: number): number {
  const { planes, bits, values } = column;
  const cutoff = best.cost * (1 - SLACK);
  const resources = 2 * planes + 1;
  const room = new Float64Array(resources);
  for (let at = 0; at < 2 * planes; at++) room[at] = bits[at % planes];
  room[2 * planes] = values;
  const fixed = new Uint8Array(column.rows);
  const start = Float64Array.from(cuts.values);
  const open: OpenRow[] = [];
  for (let side = 0; side < column.sides; side++) {
    for (let row = column.starts[side]; row < column.starts[side + 1]; row++) {
      const candidate = openRow(column, cuts, row, side, cutoff);
      if (candidate.codes.length === 0) return Infinity;
      if (candidate.codes.length > 1) {
        open.push(candidate);
        continue;
      }
      fixed[row] = candidate.codes[0];
      for (let j = 0; j < cuts.count; j++) start[j] += candidate.reduced[j];
      for (let plane = 0; plane < planes; plane++) room[side * planes + plane] -= (fixed[row] >> plane) & 1;
      if (fixed[row] !== 0) room[2 * planes]--;
    }
  }
  open.sort((a, b) => a.side - b.side || a.codes.length - b.codes.length);
  if (room.some((left) => left < 0) || start.some((bound) => bound >= cutoff)) return Infinity;
  if (open.length > MOST_OPEN) return -Infinity;

  const reach = reachOf(open, planes);
  const search = { cuts, open, reach, resources, planes, cutoff };
  let from = createLabelTable(cuts.count);
  let next = createLabelTable(cuts.count);
  from.bounds.set(start);
  if (!enter(search, from, room)) return Infinity;
  let dropped = Infinity;
  const history: { parents: Int32Array; codes: Uint8Array }[] = [];
  for (let level = 0; level < open.length; level++) {
    clearLabels(next);
    for (let label = 0; label < from.count; label++) {
      extend(search, from, label, level, next);
      if (next.count > OVERFLOW * width) dropped = Math.min(dropped, narrowLabels(next, width));
    }
    if (next.count > width) dropped = Math.min(dropped, narrowLabels(next, width));
    if (next.count === 0) return dropped;
    history.push({
      parents: next.parents.slice(0, next.count),
      codes: next.codes.slice(0, next.count),
    });
    [from, next] = [next, from];
  }

  // No row is left, so no budget either: one label, whose bounds are its cost.
  const incumbent = best.codes.slice(0, column.rows);
  const before = best.cost;
  best.codes.set(fixed);
  for (let level = open.length - 1, label = 0; level >= 0; level--) {
    best.codes[open[level].row] = history[level].codes[label];
    label = history[level].parents[label];
  }
  best.measure(column);
  polish(column, best);
  // Rounding may promise what is not there.
  if (best.cost >= before) {
    best.codes.set(incumbent);
    best.measure(column);
  }
  return dropped;
}

/** The row's codes that every cut leaves below `cutoff` and that none of their own subsets of bits equals. */
function openRow(column: Column, cuts: DualCuts, row: number, side: number, cutoff: number): OpenRow {
  const { nearest, twice, rows } = column;
  const codes: number[] = [];
  const reduced: number[] = [];
  const own = new Float64Array(cuts.count);
  for (let code = 0; code <= column.maxMagnitude; code++) {
    if (nearest[(code << 8) + twice[row]] !== code) continue;
    const cost = column.rowCost(row, code);
    let j = 0;
    for (; j < cuts.count; j++) {
      own[j] = cost + cuts.penalties[j * 256 + side * 128 + code] - cuts.minima[j * rows + row];
      if (cuts.values[j] + own[j] >= cutoff) break;
    }
    if (j < cuts.count) continue;
    codes.push(code);
    reduced.push(...own);
  }
  return { row, side, codes, reduced: Float64Array.from(reduced) };
}

/** What the rows from each level on can use at most: [level][resource]. Budget beyond that cannot be spent. */
function reachOf(open: readonly OpenRow[], planes: number): Int32Array {
  const resources = 2 * planes + 1;
  const reach = new Int32Array((open.length + 1) * resources);
  for (let i = open.length - 1; i >= 0; i--) {
    const { codes, side } = open[i];
    const any = codes.reduce((bits, code) => bits | code, 0);
    for (let at = 0; at < resources; at++) reach[i * resources + at] = reach[(i + 1) * resources + at];
    for (let plane = 0; plane < planes; plane++)
      reach[i * resources + side * planes + plane] += (any >> plane) & 1;
    if (any !== 0) reach[i * resources + 2 * planes]++;
  }
  return reach;
}

/** The empty partial solution in slot 0; false if the budget that nobody can use already costs too much. */
function enter(search: Search, table: LabelTable, room: Float64Array): boolean {
  const { cuts, reach, resources, cutoff } = search;
  for (let at = 0; at < resources; at++) {
    const left = Math.min(room[at], reach[at]);
    waste(search, table, 0, at, room[at] - left);
    table.left[at] = left;
  }
  table.count = 1;
  return table.bounds.subarray(0, cuts.count).every((bound) => bound < cutoff);
}

/** Writes every way for the open row of `level` to go on from one label. */
function extend(search: Search, from: LabelTable, label: number, level: number, next: LabelTable): void {
  const { cuts, open, reach, resources, planes, cutoff } = search;
  const { codes, reduced, side } = open[level];
  const { count } = cuts;
  const base = label * 16;
  const first = side * planes;
  let openBits = 0;
  for (let plane = 0; plane < planes; plane++)
    if (from.left[base + first + plane] > 0) openBits |= 1 << plane;
  if (from.left[base + resources - 1] === 0) openBits = 0;
  const reachAt = (level + 1) * resources;
  for (let option = 0; option < codes.length; option++) {
    const code = codes[option];
    if (code & ~openBits) continue;
    const slot = freeSlot(next);
    const { bounds, left } = next;
    if (!addReduced(from.bounds, label * count, reduced, option * count, bounds, slot * count, count, cutoff))
      continue;
    for (let at = 0; at < resources; at++) {
      let rest = from.left[base + at];
      if (at >= first && at < first + planes) rest -= (code >> (at - first)) & 1;
      else if (at === resources - 1 && code !== 0) rest--;
      const excess = rest - reach[reachAt + at];
      if (excess > 0) {
        waste(search, next, slot, at, excess);
        rest -= excess;
      }
      left[slot * 16 + at] = rest;
    }
    let score = bounds[slot * count];
    for (let j = 1; j < count; j++) if (bounds[slot * count + j] > score) score = bounds[slot * count + j];
    if (score >= cutoff) continue;
    next.scores[slot] = score;
    next.parents[slot] = label;
    next.codes[slot] = code;
    offerLabel(next);
  }
}

/** Budget that cannot be used any more costs its price. */
function waste(
  { cuts, resources }: Search,
  table: LabelTable,
  slot: number,
  at: number,
  amount: number,
): void {
  const { count, multipliers } = cuts;
  for (let j = 0; j < count; j++) {
    const price = multipliers[j * resources + at];
    if (price > 0) table.bounds[slot * count + j] += price * amount;
  }
}

/** to = from + reduced, by cut; false as soon as one reaches the cutoff. */
function addReduced(
  from: Float64Array,
  fromAt: number,
  reduced: Float64Array,
  reducedAt: number,
  to: Float64Array,
  toAt: number,
  count: number,
  cutoff: number,
): boolean {
  for (let j = 0; j < count; j++) {
    const bound = from[fromAt + j] + reduced[reducedAt + j];
    if (bound >= cutoff) return false;
    to[toAt + j] = bound;
  }
  return true;
}
