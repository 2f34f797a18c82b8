import { InputError } from '../errors';

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or folder',
  ENOTDIR: 'a part of the path is no folder',
  EISDIR: 'is a folder, a file is needed',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'the file system is read-only',
  ENOSPC: 'no space left on the disk',
  EDQUOT: 'the disk quota is used up',
  ENAMETOOLONG: 'the name is too long',
  EEXIST: 'a file is there, a folder is needed',
  ELOOP: 'symbolic links lead round in a circle',
};

/** The InputError for a failed file operation, or `error` itself where the user is not at fault. */
export function fileError(path: string, doing: 'read' | 'write', error: unknown): unknown {
  const reason = REASONS[(error as NodeJS.ErrnoException | undefined)?.code ?? ''];
  return reason ? new InputError(`cannot ${doing} ${path}: ${reason}`) : error;
}
