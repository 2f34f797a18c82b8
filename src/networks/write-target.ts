import { lstatSync, realpathSync, statSync } from 'node:fs';
import { InputError } from '../errors';

/**
 * The file that writing to `path` makes or replaces: what a symbolic link points to, else `path` itself.
 * @throws InputError where a folder, a device or anything else that is no file stands there
 */
export function writeTarget(path: string): string {
  if (!lstatSync(path, { throwIfNoEntry: false })) return path;
  const target = realpathSync(path);
  const found = statSync(target);
  if (found.isFile()) return target;
  throw new InputError(
    `cannot write ${path}: is ${found.isDirectory() ? 'a folder' : 'no file'}, a file is needed`,
  );
}
