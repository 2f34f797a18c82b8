import { InputError } from '../errors';

/** @throws InputError unless `value` is an object without other fields than those `allowed`; `where` names it */
export function checkFields(value: unknown, allowed: readonly string[], where: string): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new InputError(
      `${where}: ${JSON.stringify(value)}; an object with some of ${allowed.join(', ')} is needed`,
    );
  const unknown = Object.keys(value).find((name) => !allowed.includes(name));
  if (unknown !== undefined)
    throw new InputError(`${where}.${unknown}: unknown; allowed are ${allowed.join(', ')}`);
}

/** Whether `value` is a number from `low` to `high`, and finite. */
export function isNumber(value: unknown, low = -Infinity, high = Infinity): value is number {
  return Number.isFinite(value) && (value as number) >= low && (value as number) <= high;
}
