import { join } from 'node:path';
import { replaceFile } from '../networks/replace-file';
import type { Provenance } from './provenance';
import { makeFolder, requireFileName } from './save-figure';
import type { Table } from './table';
import { toCsv } from './to-csv';
import { toLatex } from './to-latex';
import { toMarkdown } from './to-markdown';

/**
 * Writes a table as NAME.csv, NAME.md and NAME.tex with NAME.provenance.json, each whole or not at all, and returns the
 * paths. @throws InputError where the name or the folder is unfit.
 */
export function saveTable(
  table: Table,
  { dir, name, provenance }: { readonly dir: string; readonly name: string; readonly provenance: Provenance },
): string[] {
  requireFileName(name);
  const contents = {
    csv: toCsv(table),
    md: toMarkdown(table),
    tex: toLatex(table, { label: `tab:${name}` }),
    'provenance.json': `${JSON.stringify(provenance, null, 2)}\n`,
  };
  makeFolder(dir);
  return Object.entries(contents).map(([ending, content]) => {
    const path = join(dir, `${name}.${ending}`);
    replaceFile(path, [Buffer.from(content)]);
    return path;
  });
}
