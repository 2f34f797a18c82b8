import { join } from 'node:path';
import {
  type Claim,
  type ExpectedVersusObtained,
  expectedVersusObtained,
  type Obtained,
} from '../reports/expected-versus-obtained';
import type { Figure } from '../reports/figure';
import { type ProvenanceInput, provenance } from '../reports/provenance';
import type { Table } from '../reports/table';
import { engineVersion } from '../tensor/engine';
import { executeNotebook } from './execute-notebook';
import type { ExperimentOptions } from './open-experiment';
import { saveReport } from './save-report';

/** A finished study: what is shown of it, and where it comes from. */
export interface FinishedStudy
  extends Required<Pick<ProvenanceInput, 'parameters' | 'settings' | 'dataChecksums' | 'startedAt'>> {
  readonly seed: number;
  /** Default true. */
  readonly realData?: boolean;
  /** By file name. */
  readonly tables: ReadonlyMap<string, Table>;
  readonly figures: ReadonlyMap<string, Figure>;
  readonly claims: readonly Claim[];
  readonly obtained: Obtained;
  /** Folder of its results.json, from which the notebook is executed. */
  readonly folder: string;
}

/** The end of every experiment: tables and figures with their provenance, the notebook, the verdict. */
export async function publishStudy(
  study: FinishedStudy,
  options: Pick<ExperimentOptions, 'figures' | 'notebook' | 'onProgress' | 'note'>,
): Promise<{ readonly verdict: ExpectedVersusObtained; readonly files: readonly string[] }> {
  const { parameters, settings, seed, dataChecksums, startedAt, realData } = study;
  const source = provenance({
    parameters,
    settings,
    seeds: { root: seed },
    dataChecksums,
    engine: engineVersion(),
    startedAt,
  });
  const files = await saveReport(study.tables, study.figures, {
    dir: options.figures,
    provenance: source,
    realData,
  });
  if (options.notebook) await executeNotebook(options.notebook, join(study.folder, 'results.json'), options);
  return { verdict: expectedVersusObtained(study.claims, study.obtained), files };
}
