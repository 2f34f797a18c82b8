import { alignment, formatCell, heading } from './format-cell';
import { requireTable, type Table } from './table';

const RULES = { left: ':---', right: '---:', center: ':---:' } as const;

/** The table as GitHub-flavoured Markdown, its title in bold above it. */
export function toMarkdown(table: Table): string {
  const { title, columns, rows } = requireTable(table);
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |\n`;
  const caption = title ? `**${escapeMarkdown(title)}**\n\n` : '';
  return (
    caption +
    line(columns.map((column) => escapeMarkdown(heading(column)))) +
    line(columns.map((column) => RULES[alignment(table, column)])) +
    rows
      .map((row) => line(columns.map((column) => escapeMarkdown(formatCell(row[column.key], column)))))
      .join('')
  );
}

function escapeMarkdown(text: string): string {
  return text
    .replace(/[\\`*_[\]|~]/g, '\\$&')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replace(/\r?\n/g, '<br>');
}
