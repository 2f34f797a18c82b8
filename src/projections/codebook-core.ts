import type { CompiledModule } from '../tensor/compiled-module';
import {
  type BufferExports,
  type ColumnCore,
  compiledBuffers,
  coreExports,
  coreLender,
  plainBuffers,
} from './column-core';
import type { Codebook } from './core/codebook';
import { CodebookSolver, solveInCodebook } from './core/codebook-solver';

/** For the words of one codebook; multipliers [resources]. */
export interface CodebookCore extends ColumnCore {
  /** How much of each resource there is; Infinity where there is no limit. [resources] */
  readonly budgets: Float64Array;
}

interface CoreExports extends BufferExports {
  createCodebook(minCode: number, count: number, planes: number, polarities: number): number;
  bookUsesOf(book: number): number;
  bookWorthOf(book: number): number;
  completeBook(book: number): void;
  createCodebookSolver(book: number, capacity: number): number;
  bookBudgetsOf(solver: number): number;
  solveInCodebook(solver: number, length: number, method: number, previous: number, warm: number): void;
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
    ...plainBuffers(solver, capacity),
    budgets: solver.column.budgets,
    solve: (length, method, previous, warm) => solveInCodebook(solver, length, method, previous, warm),
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
  return {
    ...compiledBuffers(wasm, solver, capacity, resources),
    budgets: new Float64Array(wasm.memory.buffer, wasm.bookBudgetsOf(solver), resources),
    solve: (length, method, previous, warm) =>
      wasm.solveInCodebook(solver, length, method, Number(previous), Number(warm)),
  };
}
