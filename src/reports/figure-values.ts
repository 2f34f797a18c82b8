import { InputError } from '../errors';

/** Numbers of a figure: any list of them; `null` leaves a gap. */
export type Values = ArrayLike<number | null>;

/** Copies `values` to a plain list that survives JSON. @throws InputError where the count is wrong or a number is not finite. */
export function plainValues(values: Values, length: number, what: string): (number | null)[] {
  if (values.length !== length)
    throw new InputError(`figure: ${what} has ${values.length} values, ${length} are needed`);
  return Array.from(values, (value, i) => {
    if (value !== null && !Number.isFinite(value))
      throw new InputError(`figure: ${what}[${i}] is ${value}; numbers must be finite, null leaves a gap`);
    return value;
  });
}
