import { codebookBudgets, codebookOf } from '../projections/codebook';
import { type Codebook, isScarce } from '../projections/core/codebook';
import { nearestOption } from '../projections/core/open-options';
import { Room } from '../projections/core/room';
import { type ColumnProblem, columnGradient } from './column-problem';

interface ColumnState {
  readonly values: Int32Array;
  /** 0 where the value must stay: a weight that may use no bits. */
  readonly free: Uint8Array;
  /** H (v - a) */
  readonly gradient: Float64Array;
  readonly tiles: readonly Tile[];
}

interface Tile {
  readonly first: number;
  readonly last: number;
  /** How its words are stored. */
  readonly book: Codebook;
  readonly budgets: Float64Array;
  /** What its words use of each resource, and what they leave. */
  readonly usage: Int32Array;
  readonly room: Room;
}

/** A new value of a row and what the error changes by. */
interface Move {
  readonly row: number;
  readonly value: number;
  readonly change: number;
}

/** The codebook of a tile's words, as they are stored, and how much of its resources a tile has. */
export interface TileBooks {
  readonly plain: Codebook;
  readonly flipped: Codebook;
  readonly budgets: Float64Array;
}

export function tileBooks({ rows, valueLimit, ...problem }: ColumnProblem): TileBooks {
  const limits = { ...problem, flip: false, valueLimit: valueLimit < rows ? valueLimit : undefined };
  const plain = codebookOf(limits);
  return { plain, flipped: codebookOf(limits, true), budgets: codebookBudgets(limits, plain) };
}

/**
 * Moves in one column in any encoding; returns how many it made. 1-opt gives a weight its best code that the tile has
 * room for; in a pair move one weight gives up some of a scarce bit column, or its place among the nonzeros, and another
 * takes the room.
 * @param books of the problem: `tileBooks`
 */
export function descendCodebook(
  problem: ColumnProblem,
  books: TileBooks,
  codes: Int8Array,
  column: number,
): number {
  const { rows, columns, rounds, allowed } = problem;
  const free = Uint8Array.from({ length: rows }, (_, row) =>
    allowed?.mask[row * columns + column] === 0 ? 0 : 1,
  );
  const values = Int32Array.from({ length: rows }, (_, row) => codes[row * columns + column]);
  const gradient = columnGradient(problem, values, column);
  const state = { values, free, gradient, tiles: tilesOf(problem, books, values, column) };
  let moves = 0;
  for (let round = 0; round < rounds; round++) {
    const made = singleMoves(problem, state) + pairMoves(problem, state);
    moves += made;
    if (made === 0) break;
  }
  for (let row = 0; row < rows; row++) codes[row * columns + column] = values[row];
  return moves;
}

function tilesOf(
  { rows, columns, tileRows, flips }: ColumnProblem,
  books: TileBooks,
  values: Int32Array,
  column: number,
): Tile[] {
  return Array.from({ length: Math.ceil(rows / tileRows) }, (_, at) => {
    const book = flips?.[at * columns + column] ? books.flipped : books.plain;
    const first = at * tileRows;
    const last = Math.min(rows, first + tileRows);
    const usage = new Int32Array(book.resources);
    for (let row = first; row < last; row++) count(book, usage, values[row], 1);
    const { budgets } = books;
    const room = new Room(book.resources);
    room.measure(book, budgets, usage);
    return { first, last, book, budgets, usage, room };
  });
}

/** Adds (by = 1) or removes (by = -1) what a value uses. */
function count({ resources, uses, minCode }: Codebook, usage: Int32Array, value: number, by: number): void {
  const from = (value - minCode) * resources;
  for (let at = 0; at < resources; at++) usage[at] += by * uses[from + at];
}

function setValue(
  { hessian, rows }: ColumnProblem,
  { values, gradient }: ColumnState,
  { book, budgets, usage, room }: Tile,
  { row, value }: Move,
): void {
  count(book, usage, values[row], -1);
  count(book, usage, value, 1);
  room.measure(book, budgets, usage);
  const change = value - values[row];
  values[row] = value;
  const line = hessian.subarray(row * rows, (row + 1) * rows);
  for (let i = 0; i < rows; i++) gradient[i] += line[i] * change;
}

/**
 * The move of one row to the value of least error that `room` allows, with its gradient; undefined if there is none.
 * @param giving a resource of which it must use less than now, at whatever cost; -1: none, the error must fall
 */
function moveOf(
  { diagonal }: ColumnProblem,
  { values }: ColumnState,
  { book }: Tile,
  room: Room,
  row: number,
  gradient: number,
  giving = -1,
): Move | undefined {
  const curvature = diagonal[row];
  const value = values[row];
  const wanted = value - gradient / curvature;
  const within = giving < 0 ? Math.abs(value - wanted) : Infinity;
  // No other whole number is nearer.
  if (within <= 0.5) return undefined;
  const closed = room.closedTo(book, value - book.minCode, giving);
  const option = nearestOption(book, wanted, within, closed);
  if (option < 0) return undefined;
  const next = book.minCode + option;
  return { row, value: next, change: (curvature * ((next - wanted) ** 2 - (value - wanted) ** 2)) / 2 };
}

function singleMoves(problem: ColumnProblem, state: ColumnState): number {
  let moves = 0;
  for (const tile of state.tiles)
    for (let row = tile.first; row < tile.last; row++) {
      if (!state.free[row]) continue;
      const move = moveOf(problem, state, tile, tile.room, row, state.gradient[row]);
      if (!move || move.change >= -problem.leastGain) continue;
      setValue(problem, state, tile, move);
      moves++;
    }
  return moves;
}

/** In every tile, for every resource that is short, the best hand-over from row to row, where it lowers the error. */
function pairMoves(problem: ColumnProblem, state: ColumnState): number {
  let moves = 0;
  for (const tile of state.tiles) {
    const { book, budgets, room, first, last } = tile;
    for (let resource = 0; resource < book.resources; resource++) {
      if (!isScarce(book, budgets, last - first, resource)) continue;
      if (room.left[resource] >= book.most[resource]) continue;
      const pair = bestPair(problem, state, tile, resource);
      if (!pair) continue;
      for (const move of pair) setValue(problem, state, tile, move);
      moves++;
    }
  }
  return moves;
}

function bestPair(
  problem: ColumnProblem,
  state: ColumnState,
  tile: Tile,
  resource: number,
): [Move, Move] | undefined {
  const { hessian, diagonal, rows } = problem;
  const { values, free, gradient } = state;
  const { book, budgets, usage, room, first, last } = tile;
  const { uses, resources, minCode } = book;
  const after = new Room(resources);
  const usageAfter = new Int32Array(resources);
  let best = -problem.leastGain;
  let pair: [Move, Move] | undefined;
  for (let giver = first; giver < last; giver++) {
    if (!free[giver] || uses[(values[giver] - minCode) * resources + resource] === 0) continue;
    const giving = moveOf(problem, state, tile, room, giver, gradient[giver], resource);
    if (!giving) continue;
    usageAfter.set(usage);
    count(book, usageAfter, values[giver], -1);
    count(book, usageAfter, giving.value, 1);
    after.measure(book, budgets, usageAfter);
    const step = giving.value - values[giver];
    const line = giver * rows;
    for (let taker = first; taker < last; taker++) {
      if (taker === giver || !free[taker]) continue;
      const slope = gradient[taker] + hessian[line + taker] * step;
      // At best the taker reaches the bottom of its parabola.
      if (giving.change - (slope * slope) / (2 * diagonal[taker]) >= best) continue;
      const taking = moveOf(problem, state, tile, after, taker, slope);
      if (!taking || giving.change + taking.change >= best) continue;
      best = giving.change + taking.change;
      pair = [giving, taking];
    }
  }
  return pair;
}
