import { type Int, type Ints, ints, type Reals, reals } from './portable';

/** Rows in the order of falling keys; equal keys keep their order. A merge sort over short runs sorted by insertion. */
export class RowOrder {
  /** To be filled in: a key by row. */
  readonly keys: Reals;
  /** To be filled in: rows; then sorted. */
  rows: Ints;
  private spare: Ints;

  constructor(capacity: Int) {
    this.keys = reals(capacity);
    this.rows = ints(capacity);
    this.spare = ints(capacity);
  }

  /** Sorts the first `count` of `rows`. */
  sort(count: Int): void {
    const run: Int = 8;
    for (let start: Int = 0; start < count; start += run) this.insertRun(start, least(start + run, count));
    for (let width = run; width < count; width *= 2) {
      for (let start: Int = 0; start < count; start += 2 * width)
        this.merge(start, least(start + width, count), least(start + 2 * width, count));
      const merged = this.spare;
      this.spare = this.rows;
      this.rows = merged;
    }
  }

  private insertRun(start: Int, end: Int): void {
    const keys = this.keys;
    const rows = this.rows;
    for (let at = start + 1; at < end; at++) {
      const row = rows[at];
      const key = keys[row];
      let slot = at;
      while (slot > start && keys[rows[slot - 1]] < key) {
        rows[slot] = rows[slot - 1];
        slot--;
      }
      rows[slot] = row;
    }
  }

  private merge(start: Int, middle: Int, end: Int): void {
    const keys = this.keys;
    const rows = this.rows;
    const into = this.spare;
    let left = start;
    let right = middle;
    for (let at = start; at < end; at++) {
      if (right >= end || (left < middle && keys[rows[left]] >= keys[rows[right]])) into[at] = rows[left++];
      else into[at] = rows[right++];
    }
  }
}

function least(a: Int, b: Int): Int {
  return a < b ? a : b;
}
