import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { OnProgress } from '../progress';
import { type ExpectedVersusObtained, expectedVersusObtained } from '../reports/expected-versus-obtained';
import { provenance } from '../reports/provenance';
import type { Table } from '../reports/table';
import { cachedResult, writeJson } from './cached-result';
import { executeNotebook } from './execute-notebook';
import { openFloatModel } from './open-model';
import {
  projectionClaims,
  projectionErrorTable,
  projectionFigures,
  projectionMethodTable,
} from './projection-report';
import { type ProjectionStudy, projectionStudy } from './projection-study';
import {
  type RowPermutationRow,
  rowOrders,
  rowPermutationStudy,
  rowPermutationTable,
} from './row-permutation';
import { saveReport } from './save-report';

export interface RunProjectionsOptions {
  /** Where results are kept. */
  readonly folder: string;
  /** Where figures and tables go. */
  readonly figures: string;
  /** Synthetic columns of a case; default 200. */
  readonly columns?: number;
  readonly seed?: number;
  /** Networks whose row orders are compared besides the ResNet-20 of the package. */
  readonly models?: readonly string[];
  /** Forget what an earlier run kept. */
  readonly fresh?: boolean;
  /** Notebook to execute on the results. */
  readonly notebook?: string;
  readonly onProgress?: OnProgress;
  readonly note?: (line: string) => void;
}

export interface ProjectionsResult {
  readonly study: ProjectionStudy;
  readonly rowOrders: readonly RowPermutationRow[];
}

export interface ProjectionsOutcome {
  readonly result: ProjectionsResult;
  readonly tables: readonly Table[];
  readonly verdict: ExpectedVersusObtained;
  readonly files: readonly string[];
}

/** Raise it when the same settings give other results. */
const REVISION = 1;

/** The study of the projections: synthetic columns, row orders of real layers, figures, tables, verdict, notebook. */
export async function runProjections(options: RunProjectionsOptions): Promise<ProjectionsOutcome> {
  const { folder, columns = 200, seed = 1, onProgress, note } = options;
  const startedAt = new Date();
  if (options.fresh) rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const models = ['resnet20-cifar10', ...(options.models ?? [])].map((name) => openFloatModel(name));
  const checksums = Object.fromEntries(models.map(({ name, sha256 }) => [`${name} (model)`, sha256]));
  const settings = { revision: REVISION, columns, seed };
  const result: ProjectionsResult = {
    study: cachedResult(folder, 'study', settings, () => projectionStudy({ columns, seed, onProgress })),
    rowOrders: cachedResult(folder, 'row-orders', { seed, checksums, orders: rowOrders }, () =>
      rowPermutationStudy({ models, configurations: ROW_ORDER_CONFIGURATIONS, seed, onProgress }),
    ),
  };
  writeJson(join(folder, 'results.json'), result);

  const tables = projectionTables(result);
  const { claims, obtained } = projectionClaims(result.study);
  const verdict = expectedVersusObtained(claims, obtained);
  const source = provenance({
    parameters: { experiment: 'projections', columns },
    settings: { weightBits: result.study.weightBits, encoding: 'sign-split' },
    seeds: { root: seed },
    dataChecksums: checksums,
    startedAt,
  });
  const files = await saveReport(
    new Map(tables.map((table, i) => [TABLE_NAMES[i], table])),
    projectionFigures(result.study),
    {
      dir: options.figures,
      provenance: source,
    },
  );
  if (options.notebook) await executeNotebook(options.notebook, join(folder, 'results.json'), options);
  note?.(verdict.summary);
  return { result, tables, verdict, files };
}

const TABLE_NAMES = ['01-relative-error', '01-methods', '01-row-orders'];

const ROW_ORDER_CONFIGURATIONS = [
  { tileRows: 128, bitLimit: 3 },
  { tileRows: 128, bitLimit: 7 },
  { tileRows: 64, bitLimit: 3 },
  { tileRows: 64, bitLimit: 7 },
];

/** What the optimum loses, the methods compared, and the row orders compared. */
export function projectionTables({ study, rowOrders }: ProjectionsResult): Table[] {
  return [projectionErrorTable(study), projectionMethodTable(study), rowPermutationTable(rowOrders)];
}
