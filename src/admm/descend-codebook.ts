import { type Codebook, codebookOf, levelsAbove } from '../projections/codebook';
import { nearestOption } from '../projections/codebook-column';
import { scarce } from '../projections/relax-codebook';
import type { DescentProblem } from './hessian-descent';

interface ColumnState {
  readonly column: number;
  readonly values: Int32Array;
  /** H (v - a) */
  readonly gradient: Float64Array;
  /** By tile: how its words are stored, and what they use of each resource. */
  readonly books: readonly Codebook[];
  readonly usage: readonly Int32Array[];
}

/** A new value of a row and what the error changes by. */
interface Move {
  readonly row: number;
  readonly value: number;
  readonly change: number;
}

/**
 * `descend` for any encoding: 1-opt gives a weight its best code that the tile has room for; in a pair move one weight
 * gives up some of a scarce bit column, or its place among the nonzeros, and another takes the room.
 * @param leastGain of a move, in the units of the error 1/2 (v - a)' H (v - a)
 */
export function descendCodebook(problem: DescentProblem, leastGain: number, codes: Int8Array): number {
  const { rows, columns, tileRows, rounds, flips, valueLimit } = problem;
  const limits = { ...problem, valueLimit: valueLimit < rows ? valueLimit : undefined };
  const [plain, flipped] = [false, true].map((flip) => codebookOf({ ...limits, flip: false }, flip));
  const tiles = Math.ceil(rows / tileRows);
  let moves = 0;
  for (let column = 0; column < columns; column++) {
    const books = Array.from({ length: tiles }, (_, tile) =>
      flips?.[tile * columns + column] ? flipped : plain,
    );
    const state = columnState(problem, books, codes, column);
    for (let round = 0; round < rounds; round++) {
      const made = singleMoves(problem, state, leastGain) + pairMoves(problem, state, leastGain);
      moves += made;
      if (made === 0) break;
    }
    for (let row = 0; row < rows; row++) codes[row * columns + column] = state.values[row];
  }
  return moves;
}

function columnState(
  { hessian, targets, rows, columns, tileRows }: DescentProblem,
  books: readonly Codebook[],
  codes: Int8Array,
  column: number,
): ColumnState {
  const values = Int32Array.from({ length: rows }, (_, row) => codes[row * columns + column]);
  const gradient = new Float64Array(rows);
  const usage = books.map(({ resources }) => new Int32Array(resources));
  for (let row = 0; row < rows; row++) {
    const error = values[row] - targets[row * columns + column];
    const line = hessian.subarray(row * rows, (row + 1) * rows);
    for (let i = 0; i < rows; i++) gradient[i] += line[i] * error;
    const tile = Math.floor(row / tileRows);
    count(books[tile], usage[tile], values[row], 1);
  }
  return { column, values, gradient, books, usage };
}

/** Adds (by = 1) or removes (by = -1) what a value uses. */
function count({ resources, uses, minCode }: Codebook, usage: Int32Array, value: number, by: number): void {
  const from = (value - minCode) * resources;
  for (let at = 0; at < resources; at++) usage[at] += by * uses[from + at];
}

function setValue(problem: DescentProblem, state: ColumnState, { row, value }: Move): void {
  const { hessian, rows, tileRows } = problem;
  const tile = Math.floor(row / tileRows);
  count(state.books[tile], state.usage[tile], state.values[row], -1);
  count(state.books[tile], state.usage[tile], value, 1);
  const change = value - state.values[row];
  state.values[row] = value;
  const line = hessian.subarray(row * rows, (row + 1) * rows);
  for (let i = 0; i < rows; i++) state.gradient[i] += line[i] * change;
}

/** What a row may use of each resource: what is left and what it holds. */
function ceilingsOf({ resources, budgets, uses, minCode }: Codebook, usage: Int32Array, value: number) {
  const from = (value - minCode) * resources;
  return Float64Array.from({ length: resources }, (_, at) => budgets[at] - usage[at] + uses[from + at]);
}

/** The move of one row to the allowed value of least error, with its gradient; undefined without one nearer than `within`. */
function moveOf(
  problem: DescentProblem,
  state: ColumnState,
  row: number,
  gradient: number,
  ceilings: Float64Array,
  within?: number,
): Move | undefined {
  const { hessian, rows, tileRows } = problem;
  const book = state.books[Math.floor(row / tileRows)];
  const curvature = hessian[row * rows + row];
  const value = state.values[row];
  const wanted = value - gradient / curvature;
  const reach = within ?? Math.abs(value - wanted);
  const option = nearestOption(book, wanted, reach, levelsAbove(book.most, ceilings));
  if (option < 0) return undefined;
  const next = book.minCode + option;
  return { row, value: next, change: (curvature * ((next - wanted) ** 2 - (value - wanted) ** 2)) / 2 };
}

function singleMoves(problem: DescentProblem, state: ColumnState, leastGain: number): number {
  let moves = 0;
  for (let row = 0; row < problem.rows; row++) {
    const tile = Math.floor(row / problem.tileRows);
    const ceilings = ceilingsOf(state.books[tile], state.usage[tile], state.values[row]);
    const move = moveOf(problem, state, row, state.gradient[row], ceilings);
    if (!move || move.change >= -leastGain) continue;
    setValue(problem, state, move);
    moves++;
  }
  return moves;
}

/** In every tile, for every resource that is short, the best hand-over from row to row, where it lowers the error. */
function pairMoves(problem: DescentProblem, state: ColumnState, leastGain: number): number {
  const { rows, tileRows } = problem;
  let moves = 0;
  state.books.forEach((book, tile) => {
    const usage = state.usage[tile];
    for (const resource of scarce(book, Math.min(tileRows, rows - tile * tileRows))) {
      if (book.budgets[resource] - usage[resource] >= book.most[resource]) continue;
      const pair = bestPair(problem, state, tile, resource, leastGain);
      if (!pair) continue;
      for (const move of pair) setValue(problem, state, move);
      moves++;
    }
  });
  return moves;
}

function bestPair(
  problem: DescentProblem,
  state: ColumnState,
  tile: number,
  resource: number,
  leastGain: number,
): [Move, Move] | undefined {
  const { hessian, rows, tileRows } = problem;
  const { values, gradient } = state;
  const book = state.books[tile];
  const usage = state.usage[tile];
  const first = tile * tileRows;
  const last = Math.min(rows, first + tileRows);
  let best = -leastGain;
  let pair: [Move, Move] | undefined;
  for (let giver = first; giver < last; giver++) {
    const held = book.uses[(values[giver] - book.minCode) * book.resources + resource];
    if (held === 0) continue;
    const room = ceilingsOf(book, usage, values[giver]);
    room[resource] = Math.min(room[resource], held - 1);
    const giving = moveOf(problem, state, giver, gradient[giver], room, Infinity);
    if (!giving) continue;
    const after = usage.slice();
    count(book, after, values[giver], -1);
    count(book, after, giving.value, 1);
    const step = giving.value - values[giver];
    for (let taker = first; taker < last; taker++) {
      if (taker === giver) continue;
      const slope = gradient[taker] + hessian[giver * rows + taker] * step;
      // At best the taker reaches the bottom of its parabola.
      if (giving.change - (slope * slope) / (2 * hessian[taker * rows + taker]) >= best) continue;
      const taking = moveOf(problem, state, taker, slope, ceilingsOf(book, after, values[taker]));
      if (!taking || giving.change + taking.change >= best) continue;
      best = giving.change + taking.change;
      pair = [giving, taking];
    }
  }
  return pair;
}
