import type { Column } from './column';
import { type Int, type Ints, ints, lowestBit, type Real } from './portable';

/** A choice of magnitudes for a column and what it uses. */
export class Choice {
  readonly codes: Ints;
  /** Ones of each (side, plane). */
  readonly usage: Ints;
  nonzeros: Int = 0;
  /** Sum of curvature * error^2 over the column's rows, without `constant`. */
  cost: Real = 0;

  constructor(capacity: Int) {
    this.codes = ints(capacity);
    this.usage = ints(16);
  }

  /** Recomputes usage, nonzeros and cost from the codes. */
  measure(column: Column): void {
    const planes = column.planes;
    const codes = this.codes;
    const usage = this.usage;
    usage.fill(0);
    let nonzeros: Int = 0;
    let cost: Real = 0;
    for (let side: Int = 0; side < column.sides; side++) {
      const base = side * planes;
      const end = column.starts[side + 1];
      for (let row = column.starts[side]; row < end; row++) {
        const code = codes[row];
        cost += column.rowCost(row, code);
        if (code === 0) continue;
        nonzeros++;
        for (let plane: Int = 0; plane < planes; plane++)
          usage[base + plane] = usage[base + plane] + ((code >> plane) & 1);
      }
    }
    this.nonzeros = nonzeros;
    this.cost = cost;
  }

  /** Whether the measured choice keeps every limit. */
  isFeasible(column: Column): boolean {
    if (this.nonzeros > column.values) return false;
    for (let side: Int = 0; side < column.sides; side++)
      for (let plane: Int = 0; plane < column.planes; plane++)
        if (this.usage[side * column.planes + plane] > column.bits[plane]) return false;
    return true;
  }

  copyFrom(other: Choice, rows: Int): void {
    for (let row: Int = 0; row < rows; row++) this.codes[row] = other.codes[row];
    for (let at: Int = 0; at < 16; at++) this.usage[at] = other.usage[at];
    this.nonzeros = other.nonzeros;
    this.cost = other.cost;
  }

  /** Changes one row's code and keeps the books. */
  setCode(column: Column, side: Int, row: Int, code: Int): void {
    const before = this.codes[row];
    if (before === code) return;
    const base = side * column.planes;
    const usage = this.usage;
    for (let gone = before & ~code; gone !== 0; gone &= gone - 1) {
      const at = base + lowestBit(gone);
      usage[at] = usage[at] - 1;
    }
    for (let come = code & ~before; come !== 0; come &= come - 1) {
      const at = base + lowestBit(come);
      usage[at] = usage[at] + 1;
    }
    if (before === 0) this.nonzeros++;
    if (code === 0) this.nonzeros--;
    this.cost += column.rowCost(row, code) - column.rowCost(row, before);
    this.codes[row] = code;
  }

  /** Bits of a side that still have room. */
  freeBits(column: Column, side: Int): Int {
    const base = side * column.planes;
    let free: Int = 0;
    for (let plane: Int = 0; plane < column.planes; plane++)
      if (this.usage[base + plane] < column.bits[plane]) free |= 1 << plane;
    return free;
  }
}
