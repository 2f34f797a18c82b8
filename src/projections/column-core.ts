import { type CompiledModule, instantiate, moduleSlot } from '../tensor/compiled-module';
import { MULTIPLIERS } from './core/column';
import type { ColumnBuffers } from './core/column-buffers';
import * as plain from './core/solver';
import type { Limits } from './limits';
import { nearestTable } from './nearest-with-mask';

/** One solver of the core with its buffers, whichever way the core was compiled. */
export interface ColumnCore {
  /** Rows that fit. */
  readonly capacity: number;
  /** To be filled in before `solve`, by row: weights in units of the scale, d > 0, codes of an earlier solution. */
  readonly targets: Float64Array;
  readonly curvature: Float64Array;
  readonly previous: Int32Array;
  /** Read by `solve` if `warm`, then the best found. */
  readonly multipliers: Float64Array;
  /** The answer: signed codes by row. */
  readonly codes: Int32Array;
  /** Solves a column of `length` rows by method `TRUNCATION`, `GREEDY` or `LAGRANGIAN`. */
  solve(length: number, method: number, previous: boolean, warm: boolean): void;
  objective(): number;
  lowerBound(): number;
}

/** For sign-split codes in 1-bit cells; multipliers [2 * planes + 1]. */
export interface SignSplitCore extends ColumnCore {
  /** Ones allowed by plane. */
  readonly bits: Int32Array;
  setLimits(planes: number, values: number): void;
}

/** What the core offers in WebAssembly for the buffers of any solver: solvers and arrays are addresses in its memory. */
export interface BufferExports {
  readonly memory: { readonly buffer: ArrayBuffer };
  targetsOf(solver: number): number;
  curvatureOf(solver: number): number;
  previousOf(solver: number): number;
  multipliersOf(solver: number): number;
  codesOf(solver: number): number;
  objectiveOf(solver: number): number;
  lowerBoundOf(solver: number): number;
}

interface CoreExports extends BufferExports {
  createSolver(capacity: number): number;
  bitsOf(solver: number): number;
  nearestOf(solver: number): number;
  setLimits(solver: number, planes: number, values: number): void;
  solveColumn(solver: number, length: number, method: number, previous: number, warm: number): void;
}

const slot = moduleSlot();

/**
 * Makes projections use the compiled core given, or the one whose bytes a function gives when it is first needed.
 * Without one they run in plain TypeScript. Both give the same bits.
 */
export const useCompiledCore = slot.use;

/** The compiled core in use, if any. */
export const compiledCore = slot.get;

/** The compiled core's functions, in a memory of their own that is freed with them. */
export function coreExports<Exports>(compiled: CompiledModule): Exports {
  return instantiate<Exports>(compiled, 'the compiled projection core');
}

/** The buffers of a solver in plain TypeScript. */
export function plainBuffers(solver: ColumnBuffers, capacity: number): Omit<ColumnCore, 'solve'> {
  const { targets, curvature, previous, multipliers, codes } = solver;
  const answer = { objective: () => solver.objective, lowerBound: () => solver.lowerBound };
  return { capacity, targets, curvature, previous, multipliers, codes, ...answer };
}

/** Those of one in WebAssembly, once nothing more is made there: memory that grows leaves earlier views behind. */
export function compiledBuffers(
  wasm: BufferExports,
  solver: number,
  capacity: number,
  multipliers: number,
): Omit<ColumnCore, 'solve'> {
  const { buffer } = wasm.memory;
  return {
    capacity,
    targets: new Float64Array(buffer, wasm.targetsOf(solver), capacity),
    curvature: new Float64Array(buffer, wasm.curvatureOf(solver), capacity),
    previous: new Int32Array(buffer, wasm.previousOf(solver), capacity),
    multipliers: new Float64Array(buffer, wasm.multipliersOf(solver), multipliers),
    codes: new Int32Array(buffer, wasm.codesOf(solver), capacity),
    objective: () => wasm.objectiveOf(solver),
    lowerBound: () => wasm.lowerBoundOf(solver),
  };
}

/** Lends a core of at least some rows, the same one again and again: one for each key and compiled module. */
export function coreLender<Core extends ColumnCore>() {
  const kept = new Map<string, Core>();
  return (
    key: string,
    capacity: number,
    compiled: CompiledModule | undefined,
    make: (room: number) => Core,
  ): Core => {
    const id = `${compiled?.id ?? 0} ${key}`;
    const core = kept.get(id);
    if (core && core.capacity >= capacity) return core;
    // Doubling, so that few solvers are made on the way to the largest.
    const larger = make(Math.max(128, capacity, 2 * (core?.capacity ?? 0)));
    kept.set(id, larger);
    return larger;
  };
}

const lend = coreLender<SignSplitCore>();

/** A solver of at least `capacity` rows; the same one is lent again and again, with the limits of whoever set them last. */
export function borrowCore(capacity: number, compiled: CompiledModule | undefined): SignSplitCore {
  return lend('', capacity, compiled, (room) => (compiled ? wasmCore(compiled, room) : plainCore(room).core));
}

export function setLimits(core: SignSplitCore, limits: Limits): void {
  core.bits.set(limits.bits);
  core.setLimits(limits.planes, Math.min(limits.values, plain.UNLIMITED));
}

/** The core in plain TypeScript, with the solver itself for those who look inside. */
export function plainCore(capacity: number): { core: SignSplitCore; inside: plain.Solver } {
  const solver = plain.createSolver(capacity);
  plain.nearestOf(solver).set(nearestTable());
  const core: SignSplitCore = {
    ...plainBuffers(solver, capacity),
    bits: plain.bitsOf(solver),
    setLimits: (planes, values) => plain.setLimits(solver, planes, values),
    solve: (length, method, previous, warm) => plain.solveColumn(solver, length, method, previous, warm),
  };
  return { core, inside: solver };
}

function wasmCore(compiled: CompiledModule, capacity: number): SignSplitCore {
  const wasm = coreExports<CoreExports>(compiled);
  const solver = wasm.createSolver(capacity);
  new Uint8Array(wasm.memory.buffer, wasm.nearestOf(solver)).set(nearestTable());
  return {
    ...compiledBuffers(wasm, solver, capacity, MULTIPLIERS),
    bits: new Int32Array(wasm.memory.buffer, wasm.bitsOf(solver), 7),
    setLimits: (planes, values) => wasm.setLimits(solver, planes, values),
    solve: (length, method, previous, warm) =>
      wasm.solveColumn(solver, length, method, Number(previous), Number(warm)),
  };
}
