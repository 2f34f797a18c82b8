import { join } from 'node:path';
import { type ExpectedVersusObtained, expectedVersusObtained } from '../reports/expected-versus-obtained';
import { provenance } from '../reports/provenance';
import type { Table } from '../reports/table';
import { engineVersion } from '../tensor/engine';
import { executeNotebook } from './execute-notebook';
import { type ExperimentOptions, openExperiment, resultsFolder } from './open-experiment';
import { rivalsClaims, rivalsFigures, rivalsTable } from './rivals-report';
import { compareTrained, type RivalsOptions, type RivalsResult } from './rivals-study';
import { saveReport } from './save-report';

export type RunRivalsOptions = ExperimentOptions &
  Pick<
    RivalsOptions,
    'entries' | 'adcBits' | 'epochs' | 'rate' | 'batchSize' | 'calibration' | 'iterations' | 'patches'
  >;

export interface RivalsOutcome {
  readonly result: RivalsResult;
  readonly table: Table;
  readonly verdict: ExpectedVersusObtained;
  readonly files: readonly string[];
}

/** The comparison of methods after equal training, from data to notebook. */
export async function runRivals(options: RunRivalsOptions): Promise<RivalsOutcome> {
  const startedAt = new Date();
  const { dataset, model } = await openExperiment(options);
  const folder = resultsFolder(options, dataset.name, model.name);
  const result = await compareTrained({ ...options, dataset, model, folder });
  const table = rivalsTable(result);
  const { claims, obtained } = rivalsClaims(result);
  const source = provenance({
    parameters: { experiment: 'rivals', network: result.network, dataset: result.dataset },
    settings: {
      weightBits: 8,
      inputBits: 8,
      encoding: 'sign-split',
      tileRows: result.tileRows,
      epochs: result.epochs,
      rate: result.rate,
      calibrationPictures: result.calibrationPictures,
      testPictures: result.float.pictures,
    },
    seeds: { root: result.seed },
    dataChecksums: result.checksums,
    engine: engineVersion(),
    startedAt,
  });
  const files = await saveReport(new Map([['08-rivals', table]]), rivalsFigures(result), {
    dir: options.figures,
    provenance: source,
    realData: result.realData,
  });
  if (options.notebook) await executeNotebook(options.notebook, join(folder, 'results.json'), options);
  return { result, table, verdict: expectedVersusObtained(claims, obtained), files };
}
