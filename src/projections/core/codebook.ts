import {
  type Bytes,
  bytes,
  type Int,
  type Ints,
  ints,
  lowestBit,
  type Real,
  type Reals,
  reals,
} from './portable';

/**
 * The codes of an encoding as options 0..count-1 (option o is the code minCode + o), and what each uses of every resource.
 * A resource is a bit column (polarity * planes + plane); the last one is the value limit.
 *
 * Every encoding has a word without a single one, so bit limits alone can always be kept, down to 0. That word is the
 * code 0 except in offset encoding, where it is -2^(weightBits-1) (flipped: 2^(weightBits-1) - 1) and 0 itself has ones.
 */
export class Codebook {
  readonly minCode: Int;
  readonly count: Int;
  readonly planes: Int;
  readonly polarities: Int;
  readonly resources: Int;
  /** The option of code 0. */
  readonly zero: Int;

  /** To be filled in: digit of each option in each bit column, then 1 unless the code is 0: [count][resources]. */
  readonly uses: Bytes;
  /** To be filled in: what a one in each bit column is worth, without sign. [resources - 1] */
  readonly worth: Reals;

  // By `complete`, from the two above.
  /** The option whose word is all zeros. */
  empty: Int = 0;
  /** Code 0 has no digits, and every other code has one in the polarity of its sign. */
  signed: boolean = false;
  /** Most that one option uses of each resource. */
  readonly most: Ints;
  /** Every resource has one level (as in 1-bit cells): a level is a resource. */
  single: boolean = true;
  /** Bit columns, those worth most first. */
  readonly falling: Ints;
  /** What options use, without the zeros: uses starts[o]..starts[o + 1]-1 are those of option o, by resource, ascending. */
  readonly starts: Ints;
  readonly used: Ints;
  readonly amounts: Ints;
  /**
   * The uses of each option in unary: one bit for every level 1..digit of every resource, resources one after another,
   * at most 64 in all, in two words. [count][2]
   */
  readonly levels: Ints;
  /** Words for one set of options, 32 a word. */
  readonly words: Int;
  /** Options that do not use a level, [levels][words]. */
  readonly without: Ints;
  /** With one level a resource: options without the levels of each set of bit columns, [2^(resources - 1)][words]. */
  table: Ints;

  constructor(minCode: Int, count: Int, planes: Int, polarities: Int) {
    this.minCode = minCode;
    this.count = count;
    this.planes = planes;
    this.polarities = polarities;
    const resources = polarities * planes + 1;
    this.resources = resources;
    this.zero = -minCode;
    this.uses = bytes(count * resources);
    this.worth = reals(resources - 1);
    this.most = ints(resources);
    this.falling = ints(resources - 1);
    this.starts = ints(count + 1);
    this.used = ints(count * resources);
    this.amounts = ints(count * resources);
    this.levels = ints(2 * count);
    const words = (count + 31) >> 5;
    this.words = words;
    this.without = ints(64 * words);
    this.table = ints(0);
  }

  /** Derives everything else from `uses` and `worth`. */
  complete(): void {
    this.measureUses();
    this.signed = this.zero === this.empty && this.polarities === 2;
    for (let option: Int = 0; option < this.count; option++)
      if (option !== this.zero && !this.hasDigit(option, option > this.zero ? 0 : 1)) this.signed = false;
    this.rankColumns();
    this.fillLevels();
    this.fillWithout();
    if (this.single) this.fillTable();
  }

  /** Adds what an option uses, `times` over (-1: takes it away), to what is used of each resource. */
  addUses(option: Int, times: Int, usage: Ints): void {
    const used = this.used;
    const amounts = this.amounts;
    const end = this.starts[option + 1];
    for (let at = this.starts[option]; at < end; at++) {
      const resource = used[at];
      usage[resource] = usage[resource] + times * amounts[at];
    }
  }

  private hasDigit(option: Int, polarity: Int): boolean {
    const first = option * this.resources + polarity * this.planes;
    for (let plane: Int = 0; plane < this.planes; plane++) if (this.uses[first + plane] > 0) return true;
    return false;
  }

  private measureUses(): void {
    const resources = this.resources;
    const uses = this.uses;
    const most = this.most;
    let end: Int = 0;
    for (let option: Int = 0; option < this.count; option++) {
      let ones: Int = 0;
      for (let at: Int = 0; at < resources; at++) {
        const amount = uses[option * resources + at] as Int;
        if (amount === 0) continue;
        if (at < resources - 1) ones++;
        if (amount > most[at]) most[at] = amount;
        this.used[end] = at;
        this.amounts[end] = amount;
        end++;
      }
      this.starts[option + 1] = end;
      if (ones === 0) this.empty = option;
    }
    for (let at: Int = 0; at < resources; at++) if (most[at] !== 1) this.single = false;
  }

  private rankColumns(): void {
    const falling = this.falling;
    const worth = this.worth;
    for (let slot: Int = 0; slot < this.resources - 1; slot++) {
      let place = slot;
      while (place > 0 && worth[falling[place - 1]] < worth[slot]) {
        falling[place] = falling[place - 1];
        place--;
      }
      falling[place] = slot;
    }
  }

  private fillLevels(): void {
    const levels = this.levels;
    for (let option: Int = 0; option < this.count; option++) {
      let start: Int = 0;
      for (let at: Int = 0; at < this.resources; at++) {
        const end = start + (this.uses[option * this.resources + at] as Int);
        for (let level = start; level < end; level++) {
          const word = 2 * option + (level >> 5);
          levels[word] = levels[word] | (1 << (level & 31));
        }
        start += this.most[at];
      }
    }
  }

  private fillWithout(): void {
    const words = this.words;
    const without = this.without;
    for (let option: Int = 0; option < this.count; option++)
      for (let level: Int = 0; level < 64; level++) {
        if (((this.levels[2 * option + (level >> 5)] >> (level & 31)) & 1) !== 0) continue;
        const word = level * words + (option >> 5);
        without[word] = without[word] | (1 << (option & 31));
      }
  }

  /** Each set is another one and its lowest level. */
  private fillTable(): void {
    const words = this.words;
    const without = this.without;
    const sets: Int = 1 << (this.resources - 1);
    const table = ints(sets * words);
    for (let word: Int = 0; word < words; word++) table[word] = lowest(this.count - 32 * word);
    for (let set: Int = 1; set < sets; set++) {
      const rest = set & (set - 1);
      const level = lowestBit(set);
      for (let word: Int = 0; word < words; word++)
        table[set * words + word] = table[rest * words + word] & without[level * words + word];
    }
    this.table = table;
  }
}

/** The lowest `count` bits of a word. */
export function lowest(count: Int): Int {
  return count >= 32 ? -1 : (1 << count) - 1;
}

/** The levels above `ceilings` (0 or more) of resources that reach up to `most` each, into two words. */
export function levelsAbove(most: Ints, ceilings: Reals, words: Ints): void {
  words[0] = 0;
  words[1] = 0;
  let start: Int = 0;
  for (let at: Int = 0; at < most.length; at++) {
    const reach = most[at];
    if (ceilings[at] < (reach as Real)) {
      const end = start + reach;
      for (let level = start + (ceilings[at] as Int); level < end; level++)
        words[level >> 5] = words[level >> 5] | (1 << (level & 31));
    }
    start += reach;
  }
}

/** How many rows may have code 0 with so much room in every bit column, once `taken` has its own; -1: nothing taken. */
export function zerosAllowed(book: Codebook, room: Reals, taken: Int): Real {
  const resources = book.resources;
  let zeros: Real = Infinity;
  for (let at: Int = 0; at < resources - 1; at++) {
    const digit = book.uses[book.zero * resources + at];
    if (digit === 0) continue;
    const own = taken < 0 ? 0 : (book.uses[taken * resources + at] as Int);
    zeros = Math.min(zeros, Math.floor((room[at] - (own as Real)) / (digit as Real)));
  }
  return zeros;
}

/**
 * Whether `rows` rows fit into the room that `taken` (-1: nothing) leaves: those that cannot be 0 take the empty word,
 * which needs a place among the nonzeros, room[resources - 1].
 */
export function canHold(book: Codebook, room: Reals, rows: Int, taken: Int): boolean {
  const last = book.resources - 1;
  const own = taken < 0 ? 0 : (book.uses[taken * book.resources + last] as Int);
  return (rows as Real) - zerosAllowed(book, room, taken) <= room[last] - (own as Real);
}

/** Rows of one sign (polarity 0: positive) that can be nonzero within the budgets, where digits tell the sign; else Infinity. */
export function mostOfSign(book: Codebook, budgets: Reals, polarity: Int): Real {
  if (!book.signed) return Infinity;
  let most: Real = 0;
  for (let plane: Int = 0; plane < book.planes; plane++) most += budgets[polarity * book.planes + plane];
  return Math.min(most, budgets[book.resources - 1]);
}

/** Whether a resource can run short with so many rows; otherwise it needs no multiplier. */
export function isScarce(book: Codebook, budgets: Reals, rows: Int, resource: Int): boolean {
  return ((rows * book.most[resource]) as Real) > budgets[resource];
}
