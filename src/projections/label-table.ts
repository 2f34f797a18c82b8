/** Words of a label's key: sixteen bytes of budget left. */
const WORDS = 4;

/**
 * Partial solutions of one level of the search, at most one for each budget left. A label is a slot: its bounds (one a
 * cut), its budget left, and the slot and code it came from.
 */
export interface LabelTable {
  readonly cuts: number;
  count: number;
  capacity: number;
  /** [slot][cut] */
  bounds: Float64Array;
  /** Largest of a slot's bounds. */
  scores: Float64Array;
  /** [slot][16] budget left, by resource. */
  left: Uint8Array;
  /** `left` as [slot][4] words. */
  words: Int32Array;
  parents: Int32Array;
  codes: Uint8Array;
  /** Open addressing: slot + 1, 0 where free; a power of two of at least twice the capacity. */
  index: Int32Array;
}

export function createLabelTable(cuts: number, capacity = 256): LabelTable {
  const left = new Uint8Array(capacity * 16);
  return {
    cuts,
    count: 0,
    capacity,
    bounds: new Float64Array(capacity * cuts),
    scores: new Float64Array(capacity),
    left,
    words: new Int32Array(left.buffer),
    parents: new Int32Array(capacity),
    codes: new Uint8Array(capacity),
    index: new Int32Array(indexSize(capacity)),
  };
}

function indexSize(capacity: number): number {
  return 2 ** Math.ceil(Math.log2(2 * capacity));
}

export function clearLabels(table: LabelTable): void {
  table.count = 0;
  table.index.fill(0);
}

/** Slot in which the next label is written before `offerLabel`. */
export function freeSlot(table: LabelTable): number {
  if (table.count === table.capacity) grow(table);
  return table.count;
}

/** Takes the label written in the free slot, unless one with the same budget left is as cheap; a dearer one gives way. */
export function offerLabel(table: LabelTable): void {
  const { cuts, count, index, bounds } = table;
  const at = find(table, count);
  if (index[at] === 0) {
    index[at] = count + 1;
    table.count++;
    return;
  }
  const known = index[at] - 1;
  // With the same budget left all bounds differ by what was spent, so one tells.
  if (bounds[count * cuts] < bounds[known * cuts]) copySlot(table, count, known);
}

/** Keeps the `width` labels of smallest score; returns the smallest score dropped. */
export function narrowLabels(table: LabelTable, width: number): number {
  const { count, scores } = table;
  if (count <= width) return Infinity;
  const threshold = scores.slice(0, count).sort()[width];
  let kept = 0;
  let ties = width;
  for (let slot = 0; slot < count; slot++) if (scores[slot] < threshold) ties--;
  for (let slot = 0; slot < count; slot++) {
    if (scores[slot] > threshold || (scores[slot] === threshold && ties-- <= 0)) continue;
    if (kept !== slot) copySlot(table, slot, kept);
    kept++;
  }
  table.count = kept;
  rebuild(table);
  return threshold;
}

function copySlot(table: LabelTable, from: number, to: number): void {
  const { cuts, bounds, words } = table;
  for (let cut = 0; cut < cuts; cut++) bounds[to * cuts + cut] = bounds[from * cuts + cut];
  for (let word = 0; word < WORDS; word++) words[to * WORDS + word] = words[from * WORDS + word];
  table.scores[to] = table.scores[from];
  table.parents[to] = table.parents[from];
  table.codes[to] = table.codes[from];
}

/** Place in the index of the label with the budget of `slot`, or the free place for it. */
function find({ words, index }: LabelTable, slot: number): number {
  const mask = index.length - 1;
  const own = slot * WORDS;
  let hash = 0;
  for (let word = 0; word < WORDS; word++) {
    hash = Math.imul(hash ^ words[own + word], 0x9e3779b1);
    hash ^= hash >>> 15;
  }
  let at = hash & mask;
  for (; index[at] !== 0; at = (at + 1) & mask) {
    const other = (index[at] - 1) * WORDS;
    let same = true;
    for (let word = 0; word < WORDS; word++) if (words[other + word] !== words[own + word]) same = false;
    if (same) break;
  }
  return at;
}

function rebuild(table: LabelTable): void {
  table.index.fill(0);
  for (let slot = 0; slot < table.count; slot++) table.index[find(table, slot)] = slot + 1;
}

function grow(table: LabelTable): void {
  const larger = createLabelTable(table.cuts, 2 * table.capacity);
  larger.bounds.set(table.bounds);
  larger.scores.set(table.scores);
  larger.left.set(table.left);
  larger.parents.set(table.parents);
  larger.codes.set(table.codes);
  Object.assign(table, { ...larger, count: table.count });
  rebuild(table);
}
