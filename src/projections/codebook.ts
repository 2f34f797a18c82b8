import { type PlaneEncoding, planeEncoding } from '../bitplanes/plane-encoding';
import { InputError } from '../errors';
import { type LimitOptions, planeBudgets, valueBudget } from './limits';
import { createOpenOptions, type OpenOptions } from './open-options';

/**
 * The codes of an encoding as options 0..count-1 (option o is the code minCode + o), what each uses of every resource,
 * and how much of it a column has. A resource is a bit column (polarity * planes + plane); the last one is the value limit.
 *
 * Every encoding has a word without a single one, so bit limits alone can always be kept, down to 0. That word is the
 * code 0 except in offset encoding, where it is -2^(weightBits-1) (flipped: 2^(weightBits-1) - 1) and 0 itself has ones.
 */
export interface Codebook {
  readonly minCode: number;
  readonly count: number;
  readonly resources: number;
  /** Digit of each option in each bit column, then 1 unless the code is 0: [count][resources]. */
  readonly uses: Uint8Array;
  /** The same without the zeros: most options use few of the resources. */
  readonly used: UsedResources;
  /** Most that one option uses of each resource. */
  readonly most: Uint8Array;
  /** Every resource has one level (as in 1-bit cells): a level is a resource. */
  readonly single: boolean;
  /**
   * The uses of each option in unary: one bit for every level 1..digit of every resource, resources one after another,
   * in two words. [count][2]
   */
  readonly levels: Int32Array;
  /** The same the other way round, to look options up by levels. */
  readonly open: OpenOptions;
  /** The option of code 0. */
  readonly zero: number;
  /** The option whose word is all zeros. */
  readonly empty: number;
  /** What a one in each bit column is worth, without sign. [resources - 1] */
  readonly worth: Float64Array;
  readonly polarities: number;
  readonly planes: number;
  /** Infinity where there is no limit. [resources] */
  readonly budgets: Float64Array;
}

/** What options use, one use after another: those of option o are starts[o]..starts[o + 1]-1, by resource, ascending. */
export interface UsedResources {
  /** [count + 1] */
  readonly starts: Int32Array;
  readonly resources: Uint8Array;
  readonly amounts: Uint8Array;
}

/** Levels of resources, one bit each, in the order of `Codebook.levels`. */
export type LevelMask = Int32Array<ArrayBuffer>;

type Words = Omit<Codebook, 'budgets'>;

const cache = new Map<string, Words>();

/**
 * The codebook of an encoding with its limits, checked. `flipped`: every word stored complemented, so code c has the
 * digits of -1 - c.
 */
export function codebookOf(options: LimitOptions, flipped = false): Codebook {
  const { encoding: name = 'sign-split', weightBits, cellBits = 1 } = options;
  const encoding = planeEncoding(name, weightBits, cellBits);
  if (options.flip && name !== 'offset') {
    throw new InputError(`flip: it is for offset encoding only, not ${name}`);
  }
  const key = `${name}/${weightBits}/${cellBits}/${flipped}`;
  const words = cache.get(key) ?? wordsOf(encoding, flipped);
  cache.set(key, words);
  const { resources, planes } = words;
  const perPlane = planeBudgets(options, planes);
  const budgets = Float64Array.from({ length: resources }, (_, at) => perPlane[at % planes]);
  budgets[resources - 1] = valueBudget(options);
  return { ...words, budgets };
}

function wordsOf(
  { minCode, maxCode, polarities, planes, digits, weights }: PlaneEncoding,
  flipped: boolean,
): Words {
  const slots = polarities * planes;
  const resources = slots + 1;
  const count = maxCode - minCode + 1;
  const uses = new Uint8Array(count * resources);
  const most = new Uint8Array(resources);
  let empty = -1;
  for (let option = 0; option < count; option++) {
    const code = minCode + option;
    const from = ((flipped ? -1 - code : code) + 128) * slots;
    const word = uses.subarray(option * resources, (option + 1) * resources);
    for (let slot = 0; slot < slots; slot++) word[slot] = digits[from + slot];
    if (word.every((digit) => digit === 0)) empty = option;
    word[slots] = code === 0 ? 0 : 1;
    for (let at = 0; at < resources; at++) most[at] = Math.max(most[at], word[at]);
  }
  const levels = new Int32Array(2 * count);
  const all = levelsAbove(most, new Uint8Array(resources));
  for (let option = 0; option < count; option++) {
    const above = levelsAbove(most, uses.subarray(option * resources, (option + 1) * resources));
    levels[2 * option] = all[0] & ~above[0];
    levels[2 * option + 1] = all[1] & ~above[1];
  }
  const worth = Float64Array.from(weights, Math.abs);
  const single = most.every((level) => level === 1);
  return {
    minCode,
    count,
    resources,
    uses,
    used: usedOf(uses, resources),
    most,
    single,
    levels,
    open: createOpenOptions({ count, resources, most, single, levels }),
    zero: -minCode,
    empty,
    worth,
    polarities,
    planes,
  };
}

function usedOf(uses: Uint8Array, resources: number): UsedResources {
  const count = uses.length / resources;
  const starts = new Int32Array(count + 1);
  const places = Array.from(uses.keys()).filter((place) => uses[place] > 0);
  for (const place of places) starts[Math.floor(place / resources) + 1]++;
  for (let option = 0; option < count; option++) starts[option + 1] += starts[option];
  return {
    starts,
    resources: Uint8Array.from(places, (place) => place % resources),
    amounts: Uint8Array.from(places, (place) => uses[place]),
  };
}

/** Adds what an option uses, times `sign`, to what is used of each resource. */
export function addUses(
  { starts, resources, amounts }: UsedResources,
  option: number,
  sign: 1 | -1,
  usage: Int32Array,
): void {
  const end = starts[option + 1];
  for (let at = starts[option]; at < end; at++) usage[resources[at]] += sign * amounts[at];
}

/** The levels above `ceilings` (0 or more) of resources that reach up to `most` each, into `words`; at most 64 in all. */
export function levelsAbove(
  most: Uint8Array,
  ceilings: ArrayLike<number>,
  words: LevelMask = new Int32Array(2),
): LevelMask {
  words[0] = 0;
  words[1] = 0;
  let start = 0;
  for (let at = 0; at < most.length; at++) {
    const end = start + most[at];
    for (let level = start + ceilings[at]; level < end; level++) words[level >> 5] |= 1 << (level & 31);
    start = end;
  }
  return words;
}

/** How many rows may have code 0 with so much room in every bit column. */
export function zerosAllowed({ resources, uses, zero }: Codebook, room: ArrayLike<number>): number {
  let zeros = Infinity;
  for (let at = 0; at < resources - 1; at++) {
    const digit = uses[zero * resources + at];
    if (digit > 0) zeros = Math.min(zeros, Math.floor(room[at] / digit));
  }
  return zeros;
}

/**
 * Whether `rows` rows fit into the room: those that cannot be 0 take the empty word, which needs a place among the
 * nonzeros, room[resources - 1].
 */
export function canHold(book: Codebook, room: ArrayLike<number>, rows: number): boolean {
  return rows - zerosAllowed(book, room) <= room[book.resources - 1];
}
