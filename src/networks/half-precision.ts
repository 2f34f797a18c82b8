/** Binary16 (IEEE 754) bits to a number. */
function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** Binary16 bits as float32; exact. */
export function widenHalf(bits: Uint16Array): Float32Array {
  return Float32Array.from(bits, halfToNumber);
}

/** Bits of a float32 as those of the nearest binary16, ties to even; too large: infinity. */
function halfBits(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const exponent = ((bits >>> 23) & 255) - 112;
  const fraction = bits & 0x7fffff;
  if (exponent === 143) return sign | (fraction ? 0x7e00 : 0x7c00);
  if (exponent > 30) return sign | 0x7c00;
  if (exponent < -10) return sign;
  // Below the least normal number the leading one is written out, and shifted.
  const subnormal = exponent <= 0;
  const shift = subnormal ? 14 - exponent : 13;
  const whole = subnormal ? fraction | 0x800000 : fraction | (exponent << 23);
  const kept = whole >>> shift;
  const rest = whole - (kept << shift);
  const half = 2 ** (shift - 1);
  // A carry out of the fraction is the next exponent, as it should be.
  return sign | (kept + Number(rest > half || (rest === half && kept % 2 === 1)));
}

/** Each number as the nearest binary16, ties to even. */
export function narrowHalf(values: Float32Array): Uint16Array {
  return Uint16Array.from(new Uint32Array(values.slice().buffer), halfBits);
}
