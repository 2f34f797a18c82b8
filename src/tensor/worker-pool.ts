import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { checkWhole } from '../check-number';
import { packageRoot } from '../package-root';
import { collectGarbage } from './collect-garbage';
import type { ParallelJob, PartWorker, ThreadPool } from './parallel';
import { createControl, stopTaking, takeParts, waitForParts } from './pool-control';
import type { PoolMessage } from './pool-worker';

/** Jobs shorter than this, in milliseconds, stay on the calling thread: waking another takes about a tenth of it. */
const WORTHWHILE = 3;

const MOST_THREADS = 256;

/** Bytes of shared memory handed out between two collections of garbage. */
const COLLECT_AFTER = 2 ** 28;

/**
 * A pool in which the calling thread blocks and works with `threads - 1` others (default: one thread a core, at most 256). They start
 * with the first job that is worth it, and do not keep the process alive. Undefined where there would be but one
 * thread, or the compiled package that the others load is missing.
 * @throws InputError for threads that are not a whole number from 1 to 256
 */
export function createWorkerPool(
  threads: number = Math.min(MOST_THREADS, availableParallelism()),
): ThreadPool | undefined {
  checkWhole('threads', threads, 1, MOST_THREADS);
  // Sources run by a test or a notebook tool have no JavaScript beside them.
  const script = __filename.endsWith('.ts')
    ? join(packageRoot().root, 'dist', 'tensor', 'pool-worker.js')
    : join(__dirname, 'pool-worker.js');
  if (threads === 1 || !existsSync(script)) return undefined;
  const workers = new Set<Worker>();
  let started = false;
  let handedOut = 0;
  let collect = false;
  // Garbage collection knows nothing of the size of shared memory and would leave gigabytes of it, in every thread.
  const memory = (bytes: number) => {
    handedOut += bytes;
    if (handedOut > COLLECT_AFTER) {
      collectGarbage();
      handedOut = 0;
      collect = true;
    }
    return new SharedArrayBuffer(bytes);
  };
  const start = () => {
    started = true;
    for (let i = 1; i < threads; i++) {
      const worker = new Worker(script, { execArgv: [] });
      workers.add(worker);
      // A thread that cannot run is done without: the others take its parts.
      worker.on('error', () => workers.delete(worker));
      worker.on('exit', () => workers.delete(worker));
      worker.unref();
    }
  };
  const run = <T>(worker: PartWorker<T>, { module, name, argument, parts, milliseconds }: ParallelJob<T>) => {
    const control = createControl();
    if (parts > 1 && milliseconds >= WORTHWHILE) {
      if (!started) start();
      const message: PoolMessage = { module, name, argument, parts, control, collect };
      for (const thread of workers) thread.postMessage(message);
      collect = false;
    }
    try {
      worker(argument, takeParts(control, parts));
    } catch (error) {
      stopTaking(control, parts);
      throw error;
    }
    waitForParts(control, parts);
  };
  return { threads, memory, run };
}
