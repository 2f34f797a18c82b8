/** Does numbered parts of a job: `take` gives the number of the next one, -1 when none is left. */
export type PartWorker<T> = (argument: T, take: () => number) => void;

export interface ParallelJob<T> {
  /** Where the part worker is found by other threads: its module, as a path below src/ without extension. */
  readonly module: string;
  /** Its exported name there. */
  readonly name: string;
  /** Handed to every thread. Arrays on `jobBuffer`s are shared, all else is copied. */
  readonly argument: T;
  /** Parts are numbered 0..parts-1; they must not depend on each other. */
  readonly parts: number;
  /** A guess of the whole job's time on one thread, in milliseconds: short jobs are not worth other threads. */
  readonly milliseconds: number;
}

/** Runs jobs on several threads; injected where there are any. */
export interface ThreadPool {
  readonly threads: number;
  /** Zeroed memory that all threads see. */
  memory(bytes: number): SharedArrayBuffer;
  run<T>(worker: PartWorker<T>, job: ParallelJob<T>): void;
}

let pool: ThreadPool | undefined;

/**
 * Makes jobs run on this pool; undefined: on the calling thread alone. Results are the same either way. Returns what was
 * in use before.
 */
export function useThreadPool(given: ThreadPool | undefined): ThreadPool | undefined {
  const before = pool;
  pool = given;
  return before;
}

/** Threads that jobs may use. */
export function threadCount(): number {
  return pool?.threads ?? 1;
}

/** Zeroed memory for a job's arrays, which all its threads see. */
export function jobBuffer(bytes: number): ArrayBuffer | SharedArrayBuffer {
  return pool ? pool.memory(bytes) : new ArrayBuffer(bytes);
}

/** A copy of an array that all threads of a job see; without a pool the array itself. */
export function shareArray<T extends Float32Array | Float64Array | Int8Array>(array: T): T {
  if (!pool || array.buffer instanceof SharedArrayBuffer) return array;
  const Kind = array.constructor as new (buffer: SharedArrayBuffer) => T;
  const copy = new Kind(pool.memory(array.byteLength));
  copy.set(array);
  return copy;
}

/** Does all parts of a job and returns when they are done. */
export function runParts<T>(worker: PartWorker<T>, job: ParallelJob<T>): void {
  if (pool) {
    pool.run(worker, job);
    return;
  }
  let next = 0;
  worker(job.argument, () => (next < job.parts ? next++ : -1));
}
