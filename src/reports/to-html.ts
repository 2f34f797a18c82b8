import { escapeHtml } from './escape-html';
import { alignment, formatCell, heading } from './format-cell';
import { requireTable, type Table } from './table';

/** The table as an HTML fragment without scripts; styles are inline, so that it looks the same in notebooks and pages. */
export function toHtml(table: Table): string {
  const { title, columns, rows } = requireTable(table);
  const cell = (tag: 'td' | 'th', text: string, align: string) =>
    `<${tag} style="text-align:${align};padding:2px 10px">${escapeHtml(text).replace(/\r?\n/g, '<br>')}</${tag}>`;
  const aligned = columns.map((column) => ({ column, align: alignment(table, column) }));
  const head = aligned.map(({ column, align }) => cell('th', heading(column), align)).join('');
  const body = rows.map(
    (row) =>
      `<tr>${aligned.map(({ column, align }) => cell('td', formatCell(row[column.key], column), align)).join('')}</tr>\n`,
  );
  const caption = title
    ? `<caption style="text-align:left;font-weight:bold;padding:4px 10px">${escapeHtml(title)}</caption>\n`
    : '';
  return `<table style="border-collapse:collapse">\n${caption}<thead><tr>${head}</tr></thead>\n<tbody>\n${body.join('')}</tbody>\n</table>\n`;
}
