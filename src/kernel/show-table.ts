import type { Table } from '../reports/table';
import { toHtml } from '../reports/to-html';
import { toText } from '../reports/to-text';
import { displayBundle } from './notebook-display';

/** Shows a table in the notebook (HTML, with plain text for other viewers); outside one, prints it to stdout. */
export function showTable(table: Table): void {
  const text = toText(table);
  const shown = displayBundle({ 'text/html': toHtml(table), 'text/plain': text.trimEnd() });
  if (!shown) process.stdout.write(text);
}
