import { mkdirSync } from 'node:fs';
import { fileError } from './file-errors';

/** Makes a folder and those above it, where they are not there. @throws InputError where that cannot be */
export function makeFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true });
  } catch (error) {
    throw fileError(path, 'write', error);
  }
}
