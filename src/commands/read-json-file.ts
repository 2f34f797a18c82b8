import { readFileSync } from 'node:fs';
import { InputError } from '../errors';
import { fileError } from '../networks/file-errors';

/** What a JSON file that an option names holds. @throws InputError where it cannot be read or is no JSON */
export function readJsonFile(path: string): unknown {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw fileError(path, 'read', error);
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new InputError(`${path}: no JSON (${(error as Error).message.split('\n')[0]})`);
  }
}
