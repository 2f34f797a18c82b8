import { accessSync, constants, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { InputError } from '../errors';
import { fileError } from '../networks/file-errors';
import { writeTarget } from '../networks/write-target';

/**
 * To be called before long work, so that a result that cannot be written fails at once.
 * @param inputs files that the work reads, none of which the result may replace
 * @throws InputError where `path` is no file or one of `inputs`, or lies in a folder that is missing or not ours to write
 */
export function requireWritable(path: string, inputs: readonly string[] = []): void {
  try {
    // The file is written to another name beside it first.
    accessSync(dirname(writeTarget(path)), constants.W_OK);
  } catch (error) {
    throw fileError(path, 'write', error);
  }
  const input = inputs.find((other) => isSameFile(path, other));
  if (input !== undefined)
    throw new InputError(`cannot write ${path}: it is an input (${input}), another file is needed`);
}

function isSameFile(a: string, b: string): boolean {
  const [own, other] = [a, b].map((path) => statSync(path, { bigint: true, throwIfNoEntry: false }));
  return own !== undefined && own.dev === other?.dev && own.ino === other.ino;
}
