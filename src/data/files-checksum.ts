import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { relative } from 'node:path';
import type { ImageFolder } from './image-folder';

/** SHA-256 over names (below `dir`) and sizes of the files, and the square of pixels that is kept of each picture. */
export function filesChecksum({ dir, files, size, resize }: Omit<ImageFolder, 'classes'>): string {
  const hash = createHash('sha256');
  for (const { path } of files) hash.update(`${relative(dir, path)} ${statSync(path).size}\n`);
  return hash.update(`${size} of ${resize} pixels`).digest('hex');
}
