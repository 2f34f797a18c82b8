import { InputError } from './errors';

/** `value`; throws an InputError that names the field unless it is a whole number within the bounds, which belong to it. */
export function checkWhole(field: string, value: number, least = -Infinity, most = Infinity): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw refusal(field, value, 'a whole number', least, most);
}

/** `value`; throws an InputError that names the field unless it is a number within the bounds, which belong to it. */
export function checkNumber(field: string, value: number, least: number, most = Infinity): number {
  if (typeof value === 'number' && value >= least && value <= most) return value;
  throw refusal(field, value, 'a number', least, most);
}

function refusal(field: string, value: number, kind: string, least: number, most: number): InputError {
  const atLeast = least === -Infinity ? '' : ` of at least ${least}`;
  const range = most === Infinity ? atLeast : ` from ${least} to ${most}`;
  // JSON would show NaN and the infinities as null.
  const shown = typeof value === 'number' ? value : JSON.stringify(value);
  return new InputError(`${field}: ${shown} is not ${kind}${range}`);
}
