import { InputError } from '../../errors';

/** What a number may be. Bounds belong to it. */
export interface Allowed {
  readonly least: number;
  readonly most: number;
  /** Default false. */
  readonly whole?: boolean;
}

/** Returns `value`; throws an InputError that names the field unless it is allowed. */
export function checkSetting(field: string, value: number, { least, most, whole = false }: Allowed): number {
  const fits = typeof value === 'number' && value >= least && value <= most;
  if (fits && (!whole || Number.isInteger(value))) return value;
  const kind = whole ? 'a whole number' : 'a number';
  const range = most === Infinity ? `of at least ${least}` : `from ${least} to ${most}`;
  throw new InputError(`${field}: ${JSON.stringify(value) ?? value} is not ${kind} ${range}`);
}

/** Returns `value`; throws an InputError that names the field unless it is one of `names`. */
export function checkChoice<Name extends string>(field: string, value: Name, names: readonly Name[]): Name {
  if (names.includes(value)) return value;
  throw new InputError(
    `${field}: ${JSON.stringify(value) ?? value} is unknown; one of ${names.join(', ')} is needed`,
  );
}

/** Settings with their defaults; a field that is there but undefined counts as absent. */
export function withDefaults<Settings extends object>(
  defaults: Required<Settings>,
  settings: Settings,
): Required<Settings> {
  const given = Object.entries(settings).filter(([, value]) => value !== undefined);
  return { ...defaults, ...(Object.fromEntries(given) as Settings) };
}
