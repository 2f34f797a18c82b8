import { type CompiledModule, instantiate, moduleSlot } from '../tensor/compiled-module';
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

/** The core's functions in WebAssembly: solvers and arrays are addresses in its memory. */
interface CoreExports {
  readonly memory: { readonly buffer: ArrayBuffer };
  createSolver(capacity: number): number;
  bitsOf(solver: number): number;
  nearestOf(solver: number): number;
  targetsOf(solver: number): number;
  curvatureOf(solver: number): number;
  previousOf(solver: number): number;
  multipliersOf(solver: number): number;
  codesOf(solver: number): number;
  setLimits(solver: number, planes: number, values: number): void;
  solveColumn(solver: number, length: number, method: number, previous: number, warm: number): void;
  objectiveOf(solver: number): number;
  lowerBoundOf(solver: number): number;
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
    capacity,
    bits: plain.bitsOf(solver),
    targets: solver.targets,
    curvature: solver.curvature,
    previous: solver.previous,
    multipliers: solver.multipliers,
    codes: solver.codes,
    setLimits: (planes, values) => plain.setLimits(solver, planes, values),
    solve: (length, method, previous, warm) => plain.solveColumn(solver, length, method, previous, warm),
    objective: () => solver.objective,
    lowerBound: () => solver.lowerBound,
  };
  return { core, inside: solver };
}

function wasmCore(compiled: CompiledModule, capacity: number): SignSplitCore {
  const wasm = coreExports<CoreExports>(compiled);
  const solver = wasm.createSolver(capacity);
  const reals = (address: number, length: number) => new Float64Array(wasm.memory.buffer, address, length);
  const integers = (address: number, length: number) => new Int32Array(wasm.memory.buffer, address, length);
  new Uint8Array(wasm.memory.buffer, wasm.nearestOf(solver)).set(nearestTable());
  return {
    capacity,
    bits: integers(wasm.bitsOf(solver), 7),
    targets: reals(wasm.targetsOf(solver), capacity),
    curvature: reals(wasm.curvatureOf(solver), capacity),
    previous: integers(wasm.previousOf(solver), capacity),
    multipliers: reals(wasm.multipliersOf(solver), 15),
    codes: integers(wasm.codesOf(solver), capacity),
    setLimits: (planes, values) => wasm.setLimits(solver, planes, values),
    solve: (length, method, previous, warm) =>
      wasm.solveColumn(solver, length, method, Number(previous), Number(warm)),
    objective: () => wasm.objectiveOf(solver),
    lowerBound: () => wasm.lowerBoundOf(solver),
  };
}
