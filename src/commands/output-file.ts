import { accessSync, constants, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { InputError } from '../errors';
import { fileError } from '../networks/file-errors';

/**
 * To be called before long work, so that a result that cannot be written fails at once.
 * @throws InputError where `path` is a folder, or lies in one that is missing or not ours to write
 */
export function requireWritable(path: string): void {
  let folder: boolean;
  try {
    folder = statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
    // The file is written to another name beside it first.
    accessSync(dirname(path), constants.W_OK);
  } catch (error) {
    throw fileError(path, 'write', error);
  }
  if (folder) throw new InputError(`cannot write ${path}: is a folder, a file is needed`);
}
