/** What the threads of a job share: the next part to take, parts done, and the text of a failure. */
export type PoolControl = Int32Array;

const NEXT = 0;
const DONE = 1;
/** Length of the failure's text in bytes, which follows. */
const FAILURE = 2;
const TEXT = 3;
const TEXT_WORDS = 128;

/** Long enough for any part: a thread that has not ended one by then has died. */
const PATIENCE = 600_000;

export function createControl(): PoolControl {
  return new Int32Array(new SharedArrayBuffer(4 * (TEXT + TEXT_WORDS)));
}

/** A `take` for one thread: asking for the next part tells that the one before is done. */
export function takeParts(control: PoolControl, parts: number): () => number {
  let busy = false;
  return () => {
    if (busy) {
      Atomics.add(control, DONE, 1);
      Atomics.notify(control, DONE);
    }
    const part = Atomics.add(control, NEXT, 1);
    busy = part < parts;
    return busy ? part : -1;
  };
}

/** Tells the thread that waits why a part could not be done. */
export function reportFailure(control: PoolControl, parts: number, error: unknown): void {
  const text = Buffer.from(String(error)).subarray(0, 4 * TEXT_WORDS);
  new Uint8Array(control.buffer, 4 * TEXT).set(text);
  stopTaking(control, parts);
  Atomics.store(control, FAILURE, text.length || 1);
  Atomics.add(control, DONE, 1);
  Atomics.notify(control, DONE);
}

/** Leaves the parts that nobody has taken undone. */
export function stopTaking(control: PoolControl, parts: number): void {
  Atomics.store(control, NEXT, parts);
}

/** Blocks until all parts are done; throws where another thread failed. */
export function waitForParts(control: PoolControl, parts: number): void {
  for (;;) {
    const done = Atomics.load(control, DONE);
    const failure = Atomics.load(control, FAILURE);
    if (failure > 0) {
      const text = Buffer.from(control.buffer, 4 * TEXT, failure).toString();
      throw new Error(`a worker thread failed: ${text}`);
    }
    if (done >= parts) return;
    if (Atomics.wait(control, DONE, done, PATIENCE) === 'timed-out')
      throw new Error('a worker thread has stopped answering');
  }
}
