import { join } from 'node:path';
import { type ExpectedVersusObtained, expectedVersusObtained } from '../reports/expected-versus-obtained';
import { provenance } from '../reports/provenance';
import { saveFigure } from '../reports/save-figure';
import { saveTable } from '../reports/save-table';
import type { Table } from '../reports/table';
import { engineVersion } from '../tensor/engine';
import { executeNotebook } from './execute-notebook';
import { methodsClaims, methodsFigures, methodsTable } from './methods-report';
import { compareMethods, type MethodsOptions, type MethodsResult } from './methods-table';
import { type ExperimentOptions, openExperiment } from './open-experiment';

export type RunMethodsOptions = ExperimentOptions &
  Pick<
    MethodsOptions,
    'entries' | 'configurations' | 'trained' | 'testPictures' | 'clippedPictures' | 'iterations'
  >;

export interface MethodsOutcome {
  readonly result: MethodsResult;
  readonly table: Table;
  readonly verdict: ExpectedVersusObtained;
  readonly files: readonly string[];
}

/** The comparison of methods from data to notebook. */
export async function runMethods(options: RunMethodsOptions): Promise<MethodsOutcome> {
  const startedAt = new Date();
  const opened = await openExperiment(options);
  const result = compareMethods({ ...options, ...opened });
  const table = methodsTable(result);
  const { claims, obtained } = methodsClaims(result);
  const source = provenance({
    parameters: { experiment: 'methods', network: result.network, dataset: result.dataset },
    settings: {
      weightBits: result.weightBits,
      inputBits: result.inputBits,
      encoding: result.encoding,
      calibrationPictures: result.calibrationPictures,
      testPictures: result.float.pictures,
    },
    seeds: { root: result.seed },
    dataChecksums: result.checksums,
    engine: engineVersion(),
    startedAt,
  });
  // Generated pictures never overwrite what CIFAR10 gave.
  const prefix = result.realData ? '02' : '02-generated';
  const { figures: dir } = options;
  const files = saveTable(table, { dir, name: `${prefix}-methods`, provenance: source });
  for (const [name, figure] of methodsFigures(result))
    files.push(
      ...(await saveFigure(figure, { dir, name: name.replace(/^02/, prefix), provenance: source })).files,
    );
  if (options.notebook) await executeNotebook(options.notebook, join(opened.folder, 'results.json'), options);
  return { result, table, verdict: expectedVersusObtained(claims, obtained), files };
}
