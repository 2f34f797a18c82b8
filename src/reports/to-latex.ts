import { alignment, formatCell, heading } from './format-cell';
import { requireTable, type Table } from './table';

const SPECIAL: Readonly<Record<string, string>> = {
  '\\': '\\textbackslash{}',
  '~': '\\textasciitilde{}',
  '^': '\\textasciicircum{}',
  '<': '\\textless{}',
  '>': '\\textgreater{}',
  '|': '\\textbar{}',
  '"': '\\textquotedbl{}',
  '\n': ' ',
  '–': '--',
  '—': '---',
  '…': '\\ldots{}',
  '−': '$-$',
  '±': '$\\pm$',
  '×': '$\\times$',
  '·': '$\\cdot$',
  '≤': '$\\leq$',
  '≥': '$\\geq$',
  '≈': '$\\approx$',
  '→': '$\\rightarrow$',
  µ: '$\\mu$',
  μ: '$\\mu$',
  '°': '$^{\\circ}$',
  '²': '$^{2}$',
  '³': '$^{3}$',
};

/**
 * The table as a LaTeX float with caption and, where given, a label. Plain `tabular` with `\hline`: it needs no package
 * (but \usepackage[T1]{fontenc} where a cell holds a double quote).
 */
export function toLatex(table: Table, { label }: { readonly label?: string } = {}): string {
  const { title, columns, rows } = requireTable(table);
  const line = (cells: readonly string[]) => `    ${cells.join(' & ')} \\\\\n`;
  const body = rows.map((row) =>
    line(columns.map((column) => escapeLatex(formatCell(row[column.key], column)))),
  );
  return [
    '\\begin{table}\n  \\centering\n',
    title ? `  \\caption{${escapeLatex(title)}}\n` : '',
    label ? `  \\label{${label.replace(/[^\w:.-]/g, '-')}}\n` : '',
    `  \\begin{tabular}{${columns.map((column) => alignment(table, column)[0]).join('')}}\n    \\hline\n`,
    line(columns.map((column) => escapeLatex(heading(column)))),
    '    \\hline\n',
    ...body,
    '    \\hline\n  \\end{tabular}\n\\end{table}\n',
  ].join('');
}

/** Text in which every character that LaTeX would take as a command stands for itself. */
export function escapeLatex(text: string): string {
  return text
    .replace(/\r\n?/g, '\n')
    .replace(/[&%$#_{}\\~^<>|"\n–—…−±×·≤≥≈→µμ°²³]/g, (character) => SPECIAL[character] ?? `\\${character}`);
}
