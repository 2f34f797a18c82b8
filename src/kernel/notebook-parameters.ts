import { InputError } from '../errors';

/** The environment variable that carries a notebook's parameters as a JSON object. */
export const PARAMETERS_VARIABLE = 'CIM_PRUNING_PARAMETERS';

/** What a parameter may be. */
export type Parameter = string | number | boolean | readonly (string | number | boolean)[];

/** The types that TypeScript would give the defaults too narrowly (`20`, `'smoke'`), widened. */
export type Parameters<T> = {
  -readonly [K in keyof T]: T[K] extends string
    ? string
    : T[K] extends number
      ? number
      : T[K] extends boolean
        ? boolean
        : T[K];
};

/**
 * The parameters of a notebook: `defaults`, overridden by CIM_PRUNING_PARAMETERS (JSON), which `runNotebook` and the
 * command line set.
 * @throws InputError where a name is not among the defaults or a value is not of the default's type.
 */
export function notebookParameters<T extends Readonly<Record<string, Parameter>>>(
  defaults: T,
  environment: NodeJS.ProcessEnv = process.env,
): Parameters<T> {
  const given = parse(environment[PARAMETERS_VARIABLE]);
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(defaults, name))
      throw new InputError(
        `notebook parameter "${name}" is unknown; there are ${Object.keys(defaults).join(', ')}`,
      );
    if (kind(value) !== kind(defaults[name]))
      throw new InputError(
        `notebook parameter "${name}" is ${JSON.stringify(value)}, it must be a ${kind(defaults[name])}`,
      );
  }
  return { ...defaults, ...given } as Parameters<T>;
}

function parse(text: string | undefined): Record<string, unknown> {
  if (!text) return {};
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw new InputError(`${PARAMETERS_VARIABLE} holds no JSON object`);
}

function kind(value: unknown): string {
  if (!Array.isArray(value)) return value === null ? 'null' : typeof value;
  const kinds = [...new Set(value.map(kind))];
  return kinds.length === 1 ? `list of ${kinds[0]}s` : 'list';
}
