import { type Codebook, lowest } from './codebook';
import { highestBit, type Int, type Ints, lowestBit, type Real } from './portable';

/**
 * The option nearest to `target` (in code units) that uses no level of `closed`, of those nearer than `within`; -1 if
 * there is none. Of two equally near the smaller code.
 */
export function nearestOption(book: Codebook, target: Real, within: Real, closed: Ints): Int {
  const place = target - (book.minCode as Real);
  const floor = floorOption(book, place);
  const low = openAtMost(book, floor, closed);
  const high = openAtLeast(book, floor + 1, closed);
  const below: Real = low >= 0 ? Math.abs(place - (low as Real)) : Infinity;
  const above: Real = high >= 0 ? Math.abs((high as Real) - place) : Infinity;
  if (Math.min(below, above) >= within) return -1;
  return below <= above ? low : high;
}

/** The last option at or below a place among them; -1 below all. */
export function floorOption(book: Codebook, place: Real): Int {
  const last = (book.count - 1) as Real;
  return Math.max(-1, Math.min(last, Math.floor(place))) as Int;
}

/** The nearest option of all. */
export function roundedOption(book: Codebook, target: Real): Int {
  const place = Math.ceil(target - (book.minCode as Real) - 0.5);
  const last = (book.count - 1) as Real;
  return Math.max(0, Math.min(last, place)) as Int;
}

/** The largest option up to `from` that uses no level of `closed`; -1 if there is none. */
export function openAtMost(book: Codebook, from: Int, closed: Ints): Int {
  if (from < 0) return -1;
  let word = from >> 5;
  let open = openWord(book, word, closed) & (-1 >>> (31 - (from & 31)));
  while (open === 0 && word > 0) {
    word--;
    open = openWord(book, word, closed);
  }
  return open === 0 ? -1 : 32 * word + highestBit(open);
}

/** The smallest option from `from` on that uses no level of `closed`; -1 if there is none. */
export function openAtLeast(book: Codebook, from: Int, closed: Ints): Int {
  if (from >= book.count) return -1;
  let word = from >> 5;
  let open = openWord(book, word, closed) & (-1 << (from & 31));
  while (open === 0 && word + 1 < book.words) {
    word++;
    open = openWord(book, word, closed);
  }
  return open === 0 ? -1 : 32 * word + lowestBit(open);
}

/** Options 32 * word and on that use no level of `closed`, a bit each. */
function openWord(book: Codebook, word: Int, closed: Ints): Int {
  const words = book.words;
  const without = book.without;
  if (book.single) {
    const slots = book.resources - 1;
    const some = book.table[(closed[0] & lowest(slots)) * words + word];
    return ((closed[0] >> slots) & 1) !== 0 ? some & without[slots * words + word] : some;
  }
  let some = lowest(book.count - 32 * word);
  for (let half: Int = 0; half < 2; half++)
    for (let rest = closed[half]; rest !== 0; rest &= rest - 1)
      some &= without[(32 * half + lowestBit(rest)) * words + word];
  return some;
}
