import type { Codebook, LevelMask } from './codebook';

/** Which options of a codebook use none of some closed levels: 32 options a word. */
export interface OpenOptions {
  /** Words for one set of options. */
  readonly words: number;
  /** Options that do not use a level, [levels][words]. */
  readonly without: Int32Array;
  /** With one level a resource: options without the levels of each set of bit columns, [2^(resources - 1)][words]. */
  readonly table?: Int32Array;
}

type Levels = Pick<Codebook, 'count' | 'resources' | 'most' | 'single' | 'levels'>;

export function createOpenOptions({ count, resources, most, single, levels }: Levels): OpenOptions {
  const words = Math.ceil(count / 32);
  const without = new Int32Array(most.reduce((sum, level) => sum + level, 0) * words);
  for (let at = 0; at < without.length; at++) {
    const level = Math.floor(at / words);
    const first = 32 * (at % words);
    for (let option = first; option < Math.min(first + 32, count); option++)
      if (((levels[2 * option + (level >> 5)] >> (level & 31)) & 1) === 0) without[at] |= 1 << (option & 31);
  }
  if (!single) return { words, without };
  // Each set is another one and its lowest level.
  const table = new Int32Array(2 ** (resources - 1) * words);
  for (let word = 0; word < words; word++) table[word] = first32(count - 32 * word);
  for (let at = words; at < table.length; at++) {
    const set = Math.floor(at / words);
    const rest = set & (set - 1);
    const level = 31 - Math.clz32(set ^ rest);
    table[at] = table[rest * words + (at % words)] & without[level * words + (at % words)];
  }
  return { words, without, table };
}

/** The lowest `count` bits of a word. */
function first32(count: number): number {
  return count >= 32 ? -1 : (1 << count) - 1;
}

/** The largest option up to `from` that uses no level of `mask`; -1 if there is none. */
export function openAtMost(book: Codebook, from: number, mask: LevelMask): number {
  if (from < 0) return -1;
  let word = from >> 5;
  let open = openWord(book, word, mask) & (-1 >>> (31 - (from & 31)));
  while (open === 0 && --word >= 0) open = openWord(book, word, mask);
  return open === 0 ? -1 : 32 * word + 31 - Math.clz32(open);
}

/** The smallest option from `from` on that uses no level of `mask`; -1 if there is none. */
export function openAtLeast(book: Codebook, from: number, mask: LevelMask): number {
  if (from >= book.count) return -1;
  const { words } = book.open;
  let word = from >> 5;
  let open = openWord(book, word, mask) & (-1 << (from & 31));
  while (open === 0 && ++word < words) open = openWord(book, word, mask);
  return open === 0 ? -1 : 32 * word + 31 - Math.clz32(open & -open);
}

/** Options 32 * word and on that use no level of `mask`, a bit each. */
function openWord({ open, resources, count }: Codebook, word: number, mask: LevelMask): number {
  const { words, without, table } = open;
  if (table) {
    const slots = resources - 1;
    const set = mask[0] & ((1 << slots) - 1);
    const some = table[set * words + word];
    return (mask[0] >> slots) & 1 ? some & without[slots * words + word] : some;
  }
  let some = first32(count - 32 * word);
  for (let half = 0; half < 2; half++)
    for (let rest = mask[half]; rest !== 0; rest &= rest - 1)
      some &= without[(32 * half + 31 - Math.clz32(rest & -rest)) * words + word];
  return some;
}
