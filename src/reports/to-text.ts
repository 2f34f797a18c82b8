import { alignment, formatCell, heading } from './format-cell';
import { requireTable, type Table } from './table';

/** The table for a terminal: title, headings, a rule, rows; columns aligned and two spaces apart, no trailing spaces. */
export function toText(table: Table): string {
  const { title, columns, rows } = requireTable(table);
  const cells = [
    columns.map(heading),
    ...rows.map((row) =>
      columns.map((column) => formatCell(row[column.key], column).replace(/\s*\n\s*/g, ' ')),
    ),
  ];
  const widths = columns.map((_, i) => Math.max(0, ...cells.map((line) => displayWidth(line[i]))));
  const aligns = columns.map((column) => alignment(table, column));
  const lines = cells.map((line) => line.map((text, i) => pad(text, widths[i], aligns[i])).join('  '));
  lines.splice(1, 0, widths.map((width) => '─'.repeat(width)).join('  '));
  if (title) lines.unshift(title);
  return lines.map((line) => `${line.trimEnd()}\n`).join('');
}

function pad(text: string, width: number, align: 'left' | 'right' | 'center'): string {
  const gap = width - displayWidth(text);
  const before = align === 'left' ? 0 : align === 'right' ? gap : gap >> 1;
  return ' '.repeat(before) + text + ' '.repeat(gap - before);
}

/** Columns of a terminal that the text takes: combining marks none, East Asian wide characters two. */
function displayWidth(text: string): number {
  let width = 0;
  for (const character of text)
    if (!/\p{Mark}/u.test(character))
      width += /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60]/.test(
        character,
      )
        ? 2
        : 1;
  return width;
}
