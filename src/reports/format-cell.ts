import type { Cell, Column, Table } from './table';

/** The text of a cell for people; an empty cell is `empty`. */
export function formatCell(value: Cell, column: Column, empty = '–'): string {
  if (value === null || value === undefined) return empty;
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return typeof value === 'number' ? formatNumber(value, column.digits) : value;
}

/** A number with `digits` decimals, or by default whole where it is an integer, else with four significant digits. */
export function formatNumber(value: number, digits?: number): string {
  if (!Number.isFinite(value)) return String(value);
  const text =
    digits === undefined
      ? Number.isInteger(value)
        ? String(value)
        : shortest(value)
      : value.toFixed(digits);
  // A rounded-away negative number is zero, not "-0.00".
  return /^-0(\.0*)?$/.test(text) ? text.slice(1) : text;
}

function shortest(value: number): string {
  return Math.abs(value) >= 1000 ? value.toFixed(1) : String(Number(value.toPrecision(4)));
}

/** The heading with its unit: `Energy (pJ)`. */
export function heading(column: Column): string {
  return column.unit ? `${column.label} (${column.unit})` : column.label;
}

/** How a column is aligned, where it does not say so itself by what its cells hold. */
export function alignment(table: Table, column: Column): 'left' | 'right' | 'center' {
  if (column.align) return column.align;
  const values = table.rows.map((row) => row[column.key]).filter((v) => v !== null && v !== undefined);
  return values.length > 0 && values.every((v) => typeof v === 'number') ? 'right' : 'left';
}
