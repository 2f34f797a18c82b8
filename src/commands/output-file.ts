import { accessSync, constants, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { InputError } from '../errors';
import { fileError } from '../networks/file-errors';

/**
 * To be called before long work, so that a result that cannot be written fails at once.
 * @throws InputError where `path` is a folder, or lies in one that is missing or not ours to write
 */
export function requireWritable(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory())
    throw new InputError(`cannot write ${path}: is a folder, a file is needed`);
  try {
    const folder = dirname(path);
    if (!statSync(folder).isDirectory())
      throw new InputError(`cannot write ${path}: a part of the path is no folder`);
    accessSync(folder, constants.W_OK);
  } catch (error) {
    throw error instanceof InputError ? error : fileError(path, 'write', error);
  }
}
