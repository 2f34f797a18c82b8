// Where convertLanes (analog.assemblyscript) finds the constants of its four columns: bytes from their start. Each is a vector
// of four 32-bit lanes, steps and offsets two vectors of two 64-bit lanes. TypeScript and AssemblyScript both read this file.

export const SLOPE = 0;
export const SHIFT = 16;
export const LAST = 32;
export const BELOW = 48;
export const ABOVE = 64;
export const LOWEST = 80;
export const STEP = 96;
export const OFFSET = 128;
/** Address of each lane's transition levels. */
export const LEVELS = 160;
/** Counted up. */
export const SATURATED = 176;
export const SIZE = 192;
