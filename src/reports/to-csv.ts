import { heading } from './format-cell';
import { type Cell, requireTable, type Table } from './table';

/**
 * The table as CSV (RFC 4180 quoting, lines end in \n): a line of headings with units, then a line a row. Numbers keep
 * every digit, whatever `digits` says; empty cells are empty. The title is not part of it.
 */
export function toCsv(table: Table): string {
  const { columns, rows } = requireTable(table);
  const lines = [
    columns.map((column) => quote(heading(column))),
    ...rows.map((row) => columns.map((column) => quote(plain(row[column.key])))),
  ];
  return lines.map((line) => `${line.join(',')}\n`).join('');
}

function plain(value: Cell): string {
  return value === null || value === undefined ? '' : String(value);
}

function quote(text: string): string {
  return /[",\r\n]/.test(text) || text !== text.trim() ? `"${text.replaceAll('"', '""')}"` : text;
}
