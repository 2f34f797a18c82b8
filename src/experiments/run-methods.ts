import { join } from 'node:path';
import { type ExpectedVersusObtained, expectedVersusObtained } from '../reports/expected-versus-obtained';
import { provenance } from '../reports/provenance';
import type { Table } from '../reports/table';
import { engineVersion } from '../tensor/engine';
import { executeNotebook } from './execute-notebook';
import { methodsClaims, methodsFigures, methodsTable } from './methods-report';
import { compareMethods, type MethodsOptions, type MethodsResult } from './methods-table';
import { type ExperimentOptions, openExperiment, resultsFolder } from './open-experiment';
import { saveReport } from './save-report';

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
  const { dataset, model } = await openExperiment(options);
  const folder = resultsFolder(options, dataset.name, model.name);
  const result = compareMethods({ ...options, dataset, model, folder });
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
  const files = await saveReport(new Map([['02-methods', table]]), methodsFigures(result), {
    dir: options.figures,
    provenance: source,
    realData: result.realData,
  });
  if (options.notebook) await executeNotebook(options.notebook, join(folder, 'results.json'), options);
  return { result, table, verdict: expectedVersusObtained(claims, obtained), files };
}
