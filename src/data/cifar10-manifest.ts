import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What the official archive is and what it holds: `data/cifar10.json`. */
export interface Cifar10Manifest {
  /** Name of the folder that the archive unpacks to. */
  readonly folder: string;
  readonly archive: { readonly url: string; readonly bytes: number; readonly sha256: string };
  readonly files: Readonly<Record<string, { readonly bytes: number; readonly sha256: string }>>;
}

/** The package's top-level `data` folder, from `src/data` as well as from `dist/data`. */
export const DATA_FOLDER = join(__dirname, '..', '..', 'data');

export function cifar10Manifest(): Cifar10Manifest {
  return JSON.parse(readFileSync(join(DATA_FOLDER, 'cifar10.json'), 'utf8'));
}
