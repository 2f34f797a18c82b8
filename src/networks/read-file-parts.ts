import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { InputError } from '../errors';
import { fileError } from './file-errors';

/** An open file of `size` bytes. */
export interface FileParts {
  readonly path: string;
  readonly size: number;
  /** Bytes `start` to `start + length` in a buffer of their own. Throws InputError past the end of the file. */
  read(start: number, length: number): Uint8Array<ArrayBuffer>;
}

function readExactly(
  descriptor: number,
  path: string,
  start: number,
  length: number,
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length; ) {
    const got = readSync(descriptor, bytes, done, Math.min(length - done, 1 << 30), start + done);
    if (got === 0)
      throw new InputError(`${path} is truncated: it ends within bytes ${start} to ${start + length}`);
    done += got;
  }
  return bytes;
}

/**
 * Calls `use` with the opened file and closes it after. Only the parts asked for are read, so a file may be larger
 * than memory. Throws InputError where the file is missing, is a folder or may not be read.
 */
export function readFileParts<T>(path: string, use: (file: FileParts) => T): T {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(path, 'r');
    const status = fstatSync(descriptor);
    if (status.isDirectory()) throw new InputError(`cannot read ${path}: is a folder, a file is needed`);
    const { size } = status;
    const opened = descriptor;
    const read = (start: number, length: number) => {
      if (start < 0 || length < 0 || start + length > size)
        throw new InputError(
          `${path} is truncated: bytes ${start} to ${start + length} of ${size} are needed`,
        );
      return readExactly(opened, path, start, length);
    };
    return use({ path, size, read });
  } catch (error) {
    throw fileError(path, 'read', error);
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}
