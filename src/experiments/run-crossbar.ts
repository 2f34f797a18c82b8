import { join } from 'node:path';
import { type ExpectedVersusObtained, expectedVersusObtained } from '../reports/expected-versus-obtained';
import { provenance } from '../reports/provenance';
import type { Table } from '../reports/table';
import { engineVersion } from '../tensor/engine';
import {
  crossbarClaims,
  crossbarFigures,
  crossbarTable,
  observedTable,
  schemesTable,
} from './crossbar-report';
import { type CrossbarStudyOptions, type CrossbarStudyResult, crossbarStudy } from './crossbar-study';
import { executeNotebook } from './execute-notebook';
import { type ExperimentOptions, openExperiment, resultsFolder } from './open-experiment';
import { openIntegerModel } from './open-model';
import { readoutTable } from './readout-report';
import { saveReport } from './save-report';

export type RunCrossbarOptions = ExperimentOptions &
  Omit<CrossbarStudyOptions, 'model' | 'pruned' | 'dataset' | 'folder' | 'onProgress'> & {
    /** The pruned network. Default: the one that comes with the package. */
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
  const pruned = openIntegerModel(options.pruned ?? 'resnet20-cifar10-r128-adc2');
  const folder = resultsFolder(options, dataset.name, model.name);
  const result = crossbarStudy({ ...options, dataset, model, pruned, folder });
  const tables = new Map([
    ['04-crossbar-accuracy', crossbarTable(result)],
    ['04-crossbar-layers', observedTable(result)],
    ['04-crossbar-readouts', readoutTable(result.readouts)],
    ['04-crossbar-schemes', schemesTable()],
  ]);
  const { claims, obtained } = crossbarClaims(result);
  const source = provenance({
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
    seeds: { root: result.seed },
    dataChecksums: { ...result.checksums, [`${pruned.name} (model)`]: pruned.sha256 },
    engine: engineVersion(),
    startedAt,
  });
  const files = await saveReport(tables, crossbarFigures(result), {
    dir: options.figures,
    provenance: source,
    realData: result.realData,
  });
  if (options.notebook) await executeNotebook(options.notebook, join(folder, 'results.json'), options);
  return { result, tables, verdict: expectedVersusObtained(claims, obtained), files };
}
