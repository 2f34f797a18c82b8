import { type Codebook, levelsAbove } from './codebook';
import { type Int, type Ints, ints, type Real, type Reals, reals } from './portable';

/** What a column has left of its resources. */
export class Room {
  /** Infinite without a limit. [resources] */
  readonly left: Reals;
  /** Levels above that, in two words: closed to a row that holds nothing. */
  readonly closed: Ints;
  private readonly own: Ints;
  private readonly ceilings: Reals;

  constructor(resources: Int) {
    this.left = reals(resources);
    this.closed = ints(2);
    this.own = ints(2);
    this.ceilings = reals(resources);
  }

  /** Fills in what `usage` leaves. */
  measure(book: Codebook, budgets: Reals, usage: Ints): void {
    const left = this.left;
    for (let at: Int = 0; at < left.length; at++) left[at] = budgets[at] - (usage[at] as Real);
    levelsAbove(book.most, left, this.closed);
  }

  /** Gives as much as anybody likes of every resource. */
  open(book: Codebook): void {
    this.left.fill(Infinity);
    levelsAbove(book.most, this.left, this.closed);
  }

  /** Gives no more of a resource. */
  close(book: Codebook, resource: Int): void {
    this.left[resource] = 0;
    levelsAbove(book.most, this.left, this.closed);
  }

  /**
   * Levels closed to a row that holds `option`: those above what is left and what it holds itself. Valid until asked again.
   * @param giving a resource of which it must hold less than now; -1: none
   */
  closedTo(book: Codebook, option: Int, giving: Int): Ints {
    const own = this.own;
    if (book.single) {
      own[0] = this.closed[0] & ~book.levels[2 * option];
      own[1] = this.closed[1] & ~book.levels[2 * option + 1];
      if (giving >= 0) own[giving >> 5] = own[giving >> 5] | (1 << (giving & 31));
      return own;
    }
    const ceilings = this.ceilings;
    const from = option * book.resources;
    for (let at: Int = 0; at < book.resources; at++)
      ceilings[at] = this.left[at] + (book.uses[from + at] as Real);
    if (giving >= 0) ceilings[giving] = Math.min(ceilings[giving], (book.uses[from + giving] as Real) - 1);
    levelsAbove(book.most, ceilings, own);
    return own;
  }
}
