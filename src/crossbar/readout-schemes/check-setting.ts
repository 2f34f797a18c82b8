import { InputError } from '../../errors';

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
