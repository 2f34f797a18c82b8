/**
 * What the core's files say differently in TypeScript and in AssemblyScript. The core is compiled twice: by tsc with
 * this file, and by asc with `portable.assemblyscript` in its place. Both give the same bits, because they add the same
 * float64 numbers in the same order and use nothing but + - * /, sqrt, and what is exact: abs, min, max, floor, ceil.
 */

/** 32-bit integer. */
export type Int = number;
/** 64-bit float. */
export type Real = number;
export type Ints = Int32Array;
export type Reals = Float64Array;
export type Bytes = Uint8Array;

export function ints(length: Int): Ints {
  return new Int32Array(length);
}

export function reals(length: Int): Reals {
  return new Float64Array(length);
}

export function bytes(length: Int): Bytes {
  return new Uint8Array(length);
}

/** Number of the lowest bit set in `value`, which is not 0. */
export function lowestBit(value: Int): Int {
  return 31 - Math.clz32(value & -value);
}

/** Number of the highest bit set in `value`, which is not 0. */
export function highestBit(value: Int): Int {
  return 31 - Math.clz32(value);
}
