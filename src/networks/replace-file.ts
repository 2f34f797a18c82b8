import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { fileError } from './file-errors';

/**
 * Writes `chunks` to `path` whole or not at all: to a temporary name beside it, flushed to disk, then renamed. Throws
 * InputError where the folder is missing or unwritable or the disk is full; what was at `path` before then stays.
 */
export function replaceFile(path: string, chunks: Iterable<Uint8Array>): void {
  const temporary = `${path}.${process.pid}.tmp`;
  let descriptor: number | undefined;
  try {
    descriptor = openSync(temporary, 'w');
    for (const chunk of chunks)
      for (let done = 0; done < chunk.length; ) done += writeSync(descriptor, chunk, done);
    fsyncSync(descriptor);
    closeSync(descriptor);
    descriptor = undefined;
    renameSync(temporary, path);
  } catch (error) {
    if (descriptor !== undefined) closeSync(descriptor);
    rmSync(temporary, { force: true });
    throw fileError(path, 'write', error);
  }
}
