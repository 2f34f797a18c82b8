import { InputError } from '../errors';
import type { ExpectedVersusObtained } from '../reports/expected-versus-obtained';
import type { Table } from '../reports/table';
import {
  crossbarClaims,
  crossbarFigures,
  crossbarTable,
  observedTable,
  schemesTable,
  severityTable,
} from './crossbar-report';
import { type CrossbarStudyOptions, type CrossbarStudyResult, crossbarStudy } from './crossbar-study';
import { type ExperimentOptions, openExperiment, resultsFolder } from './open-experiment';
import { openIntegerModel, sourceOf } from './open-model';
import { publishStudy } from './publish-study';
import { readoutTable } from './readout-report';
import { modelChecksums } from './study';

export type RunCrossbarOptions = ExperimentOptions &
  Omit<CrossbarStudyOptions, 'model' | 'pruned' | 'dataset' | 'folder' | 'onProgress'> & {
    /** A network pruned from the model. Default: that of the package for R = 128 and 2 bits. */
    readonly pruned?: string;
  };

export interface CrossbarOutcome {
  readonly result: CrossbarStudyResult;
  readonly tables: ReadonlyMap<string, Table>;
  readonly verdict: ExpectedVersusObtained;
  readonly files: readonly string[];
}

/** The study of ADCs and cells from data to notebook. */
export async function runCrossbar(options: RunCrossbarOptions): Promise<CrossbarOutcome> {
  const startedAt = new Date();
  const { dataset, model } = await openExperiment(options);
  const pruned = openIntegerModel(options.pruned ?? `${model.name}-r128-adc2`);
  const source = sourceOf(pruned);
  if (source.sha256 !== model.sha256)
    throw new InputError(
      `experiment crossbar: ${pruned.name} was pruned from another network (${source.model}, SHA-256 ${source.sha256}) than ${model.name}`,
    );
  const folder = resultsFolder(options, dataset.name, model.name);
  const result = crossbarStudy({ ...options, dataset, model, pruned, folder });
  const tables = new Map([
    ['04-crossbar-accuracy', crossbarTable(result)],
    ['04-crossbar-severity', severityTable(result)],
    ['04-crossbar-layers', observedTable(result)],
    ['04-crossbar-readouts', readoutTable(result.readouts)],
    ['04-crossbar-schemes', schemesTable()],
  ]);
  const { verdict, files } = await publishStudy(
    {
      parameters: {
        experiment: 'crossbar',
        network: result.network,
        dataset: result.dataset,
        pruned: result.pruned,
      },
      settings: {
        tileRows: result.tileRows,
        weightBits: 8,
        inputBits: 8,
        encoding: 'sign-split',
        circuits: result.circuits,
        testPictures: result.integer.pictures,
      },
      seed: result.seed,
      dataChecksums: { ...result.checksums, ...modelChecksums([pruned]) },
      startedAt,
      realData: result.realData,
      model: model.name,
      tables,
      figures: crossbarFigures(result),
      ...crossbarClaims(result),
      folder,
    },
    options,
  );
  return { result, tables, verdict, files };
}
