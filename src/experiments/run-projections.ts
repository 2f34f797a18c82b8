import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { ExpectedVersusObtained } from '../reports/expected-versus-obtained';
import type { Table } from '../reports/table';
import { cachedResult, writeJson } from './cached-result';
import { type ExperimentOptions, resultsFolder } from './open-experiment';
import { openFloatModel } from './open-model';
import {
  projectionClaims,
  projectionErrorTable,
  projectionFigures,
  projectionMethodTable,
} from './projection-report';
import { type ProjectionStudy, projectionStudy } from './projection-study';
import { publishStudy } from './publish-study';
import {
  type RowPermutationRow,
  rowOrders,
  rowPermutationStudy,
  rowPermutationTable,
} from './row-permutation';
import { modelChecksums } from './study';

export interface RunProjectionsOptions extends Omit<ExperimentOptions, 'dataDir' | 'model'> {
  /** Synthetic columns of a case; default 200. */
  readonly columns?: number;
  readonly seed?: number;
  /** Networks whose row orders are compared besides the ResNet-20 of the package. */
  readonly models?: readonly string[];
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
  const { columns = 200, seed = 1, onProgress } = options;
  const startedAt = new Date();
  const folder = resultsFolder(options);
  mkdirSync(folder, { recursive: true });
  const models = ['resnet20-cifar10', ...(options.models ?? [])].map((name) => openFloatModel(name));
  const checksums = modelChecksums(models);
  const settings = { revision: REVISION, columns, seed };
  const result: ProjectionsResult = {
    study: cachedResult(folder, 'study', settings, () => projectionStudy({ columns, seed, onProgress })),
    rowOrders: cachedResult(folder, 'row-orders', { seed, checksums, orders: rowOrders }, () =>
      rowPermutationStudy({ models, configurations: ROW_ORDER_CONFIGURATIONS, seed, onProgress }),
    ),
  };
  writeJson(join(folder, 'results.json'), result);

  const tables = projectionTables(result);
  const { verdict, files } = await publishStudy(
    {
      parameters: { experiment: 'projections', columns },
      settings: { weightBits: result.study.weightBits, encoding: 'sign-split' },
      seed,
      dataChecksums: checksums,
      startedAt,
      tables: new Map(tables.map((table, i) => [TABLE_NAMES[i], table])),
      figures: projectionFigures(result.study),
      ...projectionClaims(result.study),
      folder,
    },
    options,
  );
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
