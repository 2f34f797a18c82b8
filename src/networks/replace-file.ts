import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { fileError } from './file-errors';
import { writeTarget } from './write-target';

/**
 * Writes `chunks` to `path` whole or not at all: to a temporary name beside it, flushed to disk, then renamed; of a
 * symbolic link to what it points to. Throws InputError where the folder is missing or unwritable, the disk is full, or
 * what stands at `path` is no file; what was there before then stays.
 */
export function replaceFile(path: string, chunks: Iterable<Uint8Array>): void {
  try {
    replace(writeTarget(path), chunks);
  } catch (error) {
    throw fileError(path, 'write', error);
  }
}

function replace(path: string, chunks: Iterable<Uint8Array>): void {
  const temporary = `${path}.${process.pid}.tmp`;
  const descriptor = openSync(temporary, 'w');
  try {
    try {
      for (const chunk of chunks)
        for (let done = 0; done < chunk.length; ) done += writeSync(descriptor, chunk, done);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}
