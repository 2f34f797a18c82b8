import type { ExpectedVersusObtained } from '../reports/expected-versus-obtained';
import type { Table } from '../reports/table';
import { encodingClaims, encodingFigures, encodingGainTable, encodingTable } from './encoding-report';
import { type EncodingStudyOptions, type EncodingStudyResult, encodingStudy } from './encoding-study';
import { type ExperimentOptions, openExperiment, resultsFolder } from './open-experiment';
import { publishStudy } from './publish-study';

export type RunEncodingsOptions = Omit<ExperimentOptions, 'notebook'> &
  Pick<
    EncodingStudyOptions,
    'configurations' | 'planes' | 'seeds' | 'testPictures' | 'calibration' | 'iterations' | 'patches'
  >;

export interface EncodingsOutcome {
  readonly result: EncodingStudyResult;
  readonly tables: readonly Table[];
  readonly verdict: ExpectedVersusObtained;
  readonly files: readonly string[];
}

/** The study of encodings from data to figures. */
export async function runEncodings(options: RunEncodingsOptions): Promise<EncodingsOutcome> {
  const startedAt = new Date();
  const { dataset, model } = await openExperiment(options);
  const folder = resultsFolder(options, dataset.name, model.name);
  const result = encodingStudy({ ...options, dataset, model, folder });
  const tables = new Map([
    ['02-encodings', encodingTable(result)],
    ['02-encodings-gain', encodingGainTable(result)],
  ]);
  const { verdict, files } = await publishStudy(
    {
      parameters: { experiment: 'encodings', network: result.network, dataset: result.dataset },
      settings: {
        inputBits: 8,
        calibrationPictures: result.calibrationPictures,
        iterations: result.iterations,
        patches: result.patches,
        seeds: result.seeds,
        testPictures: result.float.pictures,
      },
      seed: result.seed,
      dataChecksums: result.checksums,
      startedAt,
      realData: result.realData,
      model: model.name,
      tables,
      figures: encodingFigures(result),
      ...encodingClaims(result),
      folder,
    },
    options,
  );
  return { result, tables: [...tables.values()], verdict, files };
}
