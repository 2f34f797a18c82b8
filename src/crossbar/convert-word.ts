/**
 * Counts a bit column for 32 vectors, clips each count at 2^adcBits-1 and adds it, shifted left by `shift`, to the
 * bit-sliced accumulator. Returns how many of the 32 counts were clipped.
 *
 * Rows come four at a time through carry-save adders (Harley-Seal): c0..c7 are the bits of the 32 counts. At most 255 ones.
 * Full adder: sum = a ^ b ^ c, carry = (a & b) | ((a ^ b) & c).
 *
 * @param words input bits, 32 vectors a word; those of this plane start at `base`
 * @param rows row numbers of the ones, in `rows[from..to-1]`, a multiple of four
 * @param countBits bits that hold the number of ones, 1..8
 */
export function convertWord(
  words: Int32Array,
  base: number,
  rows: Int32Array,
  from: number,
  to: number,
  countBits: number,
  adcBits: number,
  accumulator: Int32Array,
  shift: number,
): number {
  let c0 = 0;
  let c1 = 0;
  let c2 = 0;
  let c3 = 0;
  let c4 = 0;
  let c5 = 0;
  let c6 = 0;
  let c7 = 0;
  for (let at = from; at < to; at += 4) {
    let a = words[base + rows[at]];
    let b = words[base + rows[at + 1]];
    let mixed = a ^ b;
    const twos = (a & b) | (mixed & c0);
    c0 ^= mixed;
    a = words[base + rows[at + 2]];
    b = words[base + rows[at + 3]];
    mixed = a ^ b;
    const moreTwos = (a & b) | (mixed & c0);
    c0 ^= mixed;
    mixed = twos ^ moreTwos;
    let carry = (twos & moreTwos) | (mixed & c1);
    c1 ^= mixed;
    // The carry of fours ripples on; it usually dies soon.
    if (carry === 0) continue;
    let next = c2 & carry;
    c2 ^= carry;
    if (next === 0) continue;
    carry = c3 & next;
    c3 ^= next;
    if (carry === 0) continue;
    next = c4 & carry;
    c4 ^= carry;
    if (next === 0) continue;
    carry = c5 & next;
    c5 ^= next;
    if (carry === 0) continue;
    next = c6 & carry;
    c6 ^= carry;
    c7 |= next;
  }
  let clipped = 0;
  let bits = countBits;
  if (countBits > adcBits) {
    bits = adcBits;
    let over = c7;
    if (adcBits <= 6) over |= c6;
    if (adcBits <= 5) over |= c5;
    if (adcBits <= 4) over |= c4;
    if (adcBits <= 3) over |= c3;
    if (adcBits <= 2) over |= c2;
    if (adcBits <= 1) over |= c1;
    if (over !== 0) {
      clipped = populationCount(over);
      c0 |= over;
      c1 |= over;
      c2 |= over;
      c3 |= over;
      c4 |= over;
      c5 |= over;
      c6 |= over;
    }
  }
  let at = shift;
  let old = accumulator[at];
  accumulator[at] = old ^ c0;
  let carry = old & c0;
  if (bits > 1) {
    old = accumulator[++at];
    let mixed = old ^ c1;
    accumulator[at] = mixed ^ carry;
    carry = (old & c1) | (mixed & carry);
    if (bits > 2) {
      old = accumulator[++at];
      mixed = old ^ c2;
      accumulator[at] = mixed ^ carry;
      carry = (old & c2) | (mixed & carry);
    }
    if (bits > 3) {
      old = accumulator[++at];
      mixed = old ^ c3;
      accumulator[at] = mixed ^ carry;
      carry = (old & c3) | (mixed & carry);
    }
    if (bits > 4) {
      old = accumulator[++at];
      mixed = old ^ c4;
      accumulator[at] = mixed ^ carry;
      carry = (old & c4) | (mixed & carry);
    }
    if (bits > 5) {
      old = accumulator[++at];
      mixed = old ^ c5;
      accumulator[at] = mixed ^ carry;
      carry = (old & c5) | (mixed & carry);
    }
    if (bits > 6) {
      old = accumulator[++at];
      mixed = old ^ c6;
      accumulator[at] = mixed ^ carry;
      carry = (old & c6) | (mixed & carry);
    }
    if (bits > 7) {
      old = accumulator[++at];
      mixed = old ^ c7;
      accumulator[at] = mixed ^ carry;
      carry = (old & c7) | (mixed & carry);
    }
  }
  while (carry !== 0) {
    old = accumulator[++at];
    accumulator[at] = old ^ carry;
    carry &= old;
  }
  return clipped;
}

/** Ones of a 32-bit word (Hacker's Delight, figure 5-2). */
function populationCount(word: number): number {
  let x = word - ((word >>> 1) & 0x55555555);
  x = (x & 0x33333333) + ((x >>> 2) & 0x33333333);
  x = (x + (x >>> 4)) & 0x0f0f0f0f;
  return Math.imul(x, 0x01010101) >>> 24;
}
