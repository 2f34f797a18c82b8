import { InputError } from '../errors';
import type { Options } from './command';

/** For options that would be without effect. @throws InputError for the first of `names` that was given, telling `why` */
export function refuseOptions(options: Options, names: readonly string[], why: string): void {
  const given = names.find((name) => options[name] !== undefined);
  if (given !== undefined) throw new InputError(`--${given}: ${why}`);
}
