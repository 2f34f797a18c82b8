import type { Figure } from '../reports/figure';
import type { Provenance } from '../reports/provenance';
import { saveFigure } from '../reports/save-figure';
import { saveTable } from '../reports/save-table';
import type { Table } from '../reports/table';

export interface ReportOptions {
  /** Where tables and figures go. */
  readonly dir: string;
  readonly provenance: Provenance;
  /** Whether the pictures are real ones; generated pictures never overwrite what CIFAR10 gave. Default true. */
  readonly realData?: boolean;
}

/**
 * Saves an experiment's tables and figures under names that begin with its number (`02-methods`; on generated pictures
 * `02-generated-methods`). Returns the files.
 */
export async function saveReport(
  tables: ReadonlyMap<string, Table>,
  figures: ReadonlyMap<string, Figure>,
  { dir, provenance, realData = true }: ReportOptions,
): Promise<string[]> {
  const place = (name: string) => ({
    dir,
    name: realData ? name : name.replace(/^\d+/, '$&-generated'),
    provenance,
  });
  const files = [...tables].flatMap(([name, table]) => saveTable(table, place(name)));
  for (const [name, figure] of figures) files.push(...(await saveFigure(figure, place(name))).files);
  return files;
}
