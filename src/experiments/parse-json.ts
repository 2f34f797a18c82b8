import { InputError } from '../errors';

/** What a JSON text holds; `where` names it in the InputError for one that is none. */
export function parseJson(where: string, text: string) {
  try {
    return JSON.parse(text);
  } catch {
    throw new InputError(`${where} is no JSON`);
  }
}
