import type { ExpectedVersusObtained } from '../reports/expected-versus-obtained';
import type { Table } from '../reports/table';
import { methodsClaims, methodsFigures, methodsTable } from './methods-report';
import { compareMethods, type MethodsOptions, type MethodsResult } from './methods-table';
import { type ExperimentOptions, openExperiment, resultsFolder } from './open-experiment';
import { publishStudy } from './publish-study';

export type RunMethodsOptions = ExperimentOptions &
  Pick<
    MethodsOptions,
    | 'entries'
    | 'configurations'
    | 'trained'
    | 'testPictures'
    | 'clippedPictures'
    | 'calibration'
    | 'iterations'
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
  const { verdict, files } = await publishStudy(
    {
      parameters: { experiment: 'methods', network: result.network, dataset: result.dataset },
      settings: {
        weightBits: result.weightBits,
        inputBits: result.inputBits,
        encoding: result.encoding,
        calibrationPictures: result.calibrationPictures,
        iterations: result.iterations,
        testPictures: result.float.pictures,
      },
      seed: result.seed,
      dataChecksums: result.checksums,
      startedAt,
      realData: result.realData,
      model: model.name,
      tables: new Map([['02-methods', table]]),
      figures: methodsFigures(result),
      ...methodsClaims(result),
      folder,
    },
    options,
  );
  return { result, table, verdict, files };
}
