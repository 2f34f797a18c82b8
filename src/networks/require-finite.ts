import { InputError } from '../errors';
import type { Parameters } from './description';

/** @throws InputError, beginning with `where`, at the first number that is not finite */
export function requireFinite(where: string, parameters: Parameters): void {
  for (const [name, { data }] of parameters) {
    const bad = data.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) throw new InputError(`${where}: parameter '${name}' holds ${data[bad]} at position ${bad}`);
  }
}
