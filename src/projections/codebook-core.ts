import type { CompiledModule } from '../tensor/compiled-module';
import { type ColumnCore, coreExports, coreLender } from './column-core';
import type { Codebook } from './core/codebook';
import { CodebookSolver, solveInCodebook } from './core/codebook-solver';

/** For the words of one codebook; multipliers [resources]. */
export interface CodebookCore extends ColumnCore {
  /** How much of each resource there is; Infinity where there is no limit. [resources] */
  readonly budgets: Float64Array;
}

/** The core's functions in WebAssembly: codebooks, solvers and arrays are addresses in its memory. */
interface CoreExports {
  readonly memory: { readonly buffer: ArrayBuffer };
  createCodebook(minCode: number, count: number, planes: number, polarities: number): number;
  bookUsesOf(book: number): number;
  bookWorthOf(book: number): number;
  completeBook(book: number): void;
  createCodebookSolver(book: number, capacity: number): number;
  bookBudgetsOf(solver: number): number;
  bookTargetsOf(solver: number): number;
  bookCurvatureOf(solver: number): number;
  bookPreviousOf(solver: number): number;
  bookMultipliersOf(solver: number): number;
  bookCodesOf(solver: number): number;
  solveInCodebook(solver: number, length: number, method: number, previous: number, warm: number): void;
  bookObjectiveOf(solver: number): number;
  bookLowerBoundOf(solver: number): number;
}

const lend = coreLender<CodebookCore>();

/**
 * A solver of at least `capacity` rows in a codebook, which `key` tells from others; the same one is lent again and again,
 * with the budgets of whoever set them last.
 */
export function borrowCodebookCore(
  key: string,
  book: Codebook,
  capacity: number,
  compiled: CompiledModule | undefined,
): CodebookCore {
  return lend(key, capacity, compiled, (room) =>
    compiled ? wasmCore(compiled, book, room) : plainCodebookCore(book, room).core,
  );
}

/** The core in plain TypeScript, with the solver itself for those who look inside. */
export function plainCodebookCore(
  book: Codebook,
  capacity: number,
): { core: CodebookCore; inside: CodebookSolver } {
  const solver = new CodebookSolver(book, capacity);
  const core: CodebookCore = {
    capacity,
    budgets: solver.column.budgets,
    targets: solver.targets,
    curvature: solver.curvature,
    previous: solver.previous,
    multipliers: solver.multipliers,
    codes: solver.codes,
    solve: (length, method, previous, warm) => solveInCodebook(solver, length, method, previous, warm),
    objective: () => solver.objective,
    lowerBound: () => solver.lowerBound,
  };
  return { core, inside: solver };
}

function wasmCore(compiled: CompiledModule, book: Codebook, capacity: number): CodebookCore {
  const { minCode, count, planes, polarities, resources } = book;
  const wasm = coreExports<CoreExports>(compiled);
  const own = wasm.createCodebook(minCode, count, planes, polarities);
  new Uint8Array(wasm.memory.buffer, wasm.bookUsesOf(own)).set(book.uses);
  new Float64Array(wasm.memory.buffer, wasm.bookWorthOf(own)).set(book.worth);
  wasm.completeBook(own);
  const solver = wasm.createCodebookSolver(own, capacity);
  // Memory that grows leaves earlier views behind: all are taken once nothing more is made.
  const reals = (address: number, length: number) => new Float64Array(wasm.memory.buffer, address, length);
  const integers = (address: number, length: number) => new Int32Array(wasm.memory.buffer, address, length);
  return {
    capacity,
    budgets: reals(wasm.bookBudgetsOf(solver), resources),
    targets: reals(wasm.bookTargetsOf(solver), capacity),
    curvature: reals(wasm.bookCurvatureOf(solver), capacity),
    previous: integers(wasm.bookPreviousOf(solver), capacity),
    multipliers: reals(wasm.bookMultipliersOf(solver), resources),
    codes: integers(wasm.bookCodesOf(solver), capacity),
    solve: (length, method, previous, warm) =>
      wasm.solveInCodebook(solver, length, method, Number(previous), Number(warm)),
    objective: () => wasm.bookObjectiveOf(solver),
    lowerBound: () => wasm.bookLowerBoundOf(solver),
  };
}
