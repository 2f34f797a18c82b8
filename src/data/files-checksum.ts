import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { relative } from 'node:path';
import type { ImageFolder } from './image-folder';

/** SHA-256 over names (below `dir`) and sizes. */
export function filesChecksum(dir: string, files: ImageFolder['files']): string {
  const hash = createHash('sha256');
  for (const { path } of files) hash.update(`${relative(dir, path)} ${statSync(path).size}\n`);
  return hash.digest('hex');
}
