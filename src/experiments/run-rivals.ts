import type { ExpectedVersusObtained } from '../reports/expected-versus-obtained';
import type { Table } from '../reports/table';
import { type ExperimentOptions, openExperiment, resultsFolder } from './open-experiment';
import { publishStudy } from './publish-study';
import { rivalsClaims, rivalsFigures, rivalsTable } from './rivals-report';
import { compareTrained, type RivalsOptions, type RivalsResult } from './rivals-study';

export type RunRivalsOptions = ExperimentOptions &
  Pick<
    RivalsOptions,
    | 'entries'
    | 'unpruned'
    | 'clippedPictures'
    | 'adcBits'
    | 'epochs'
    | 'rate'
    | 'batchSize'
    | 'seeds'
    | 'calibration'
    | 'iterations'
    | 'patches'
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
  const { verdict, files } = await publishStudy(
    {
      parameters: { experiment: 'rivals', network: result.network, dataset: result.dataset },
      settings: {
        weightBits: 8,
        inputBits: 8,
        encoding: 'sign-split',
        tileRows: result.tileRows,
        epochs: result.epochs,
        rate: result.rate,
        calibrationPictures: result.calibrationPictures,
        batchSize: result.batchSize,
        seeds: result.seeds,
        iterations: result.iterations,
        patches: result.patches,
        testPictures: result.float.pictures,
      },
      seed: result.seed,
      dataChecksums: result.checksums,
      startedAt,
      realData: result.realData,
      model: model.name,
      tables: new Map([['08-rivals', table]]),
      figures: rivalsFigures(result),
      ...rivalsClaims(result),
      folder,
    },
    options,
  );
  return { result, table, verdict, files };
}
