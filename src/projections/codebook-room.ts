import { type Codebook, type LevelMask, levelsAbove } from './codebook';

/** What a column has left of its resources. */
export interface Room {
  /** Infinite without a limit. [resources] */
  readonly left: Float64Array;
  /** Levels above that: closed to a row that holds nothing. */
  readonly closed: LevelMask;
}

export function createRoom({ resources }: Codebook): Room {
  return { left: new Float64Array(resources), closed: new Int32Array(2) };
}

/** Fills in what `usage` leaves. */
export function measureRoom({ budgets, most }: Codebook, usage: Int32Array, { left, closed }: Room): void {
  for (let at = 0; at < left.length; at++) left[at] = budgets[at] - usage[at];
  levelsAbove(most, left, closed);
}

/**
 * Levels closed to a row that holds `option`, into `words`: those above what is left and what it holds itself.
 * @param giving a resource of which it must hold less than now; absent: none
 */
export function closedTo(
  book: Codebook,
  room: Room,
  option: number,
  words: LevelMask,
  giving = -1,
): LevelMask {
  const { levels, single, resources, uses, most } = book;
  if (single) {
    words[0] = room.closed[0] & ~levels[2 * option];
    words[1] = room.closed[1] & ~levels[2 * option + 1];
    if (giving >= 0) words[giving >> 5] |= 1 << (giving & 31);
    return words;
  }
  const own = option * resources;
  for (let at = 0; at < resources; at++) ceilings[at] = room.left[at] + uses[own + at];
  if (giving >= 0) ceilings[giving] = Math.min(ceilings[giving], uses[own + giving] - 1);
  return levelsAbove(most, ceilings, words);
}

/** A codebook has at most 2 x 8 bit columns and the value limit. */
const ceilings = new Float64Array(17);
