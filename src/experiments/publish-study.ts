import { join } from 'node:path';
import {
  type Claim,
  type ExpectedVersusObtained,
  expectedVersusObtained,
  type Obtained,
} from '../reports/expected-versus-obtained';
import type { Figure } from '../reports/figure';
import { type Provenance, type ProvenanceInput, provenance } from '../reports/provenance';
import type { Table } from '../reports/table';
import { engineVersion } from '../tensor/engine';
import { defaultModel, nameOfOther } from './default-model';
import { executeNotebook } from './execute-notebook';
import type { ExperimentOptions } from './open-experiment';
import { resultsUsed } from './result-origin';
import { saveReport } from './save-report';

/** A finished study: what is shown of it, and where it comes from. */
export interface FinishedStudy
  extends Required<Pick<ProvenanceInput, 'parameters' | 'settings' | 'dataChecksums' | 'startedAt'>> {
  readonly seed: number;
  /** Default true. */
  readonly realData?: boolean;
  /**
   * Name of the float network, where the experiment has a default one: tables and figures of another are named by it, and
   * the notebook, which shows the default one, is left alone.
   */
  readonly model?: string;
  /** By file name. */
  readonly tables: ReadonlyMap<string, Table>;
  readonly figures: ReadonlyMap<string, Figure>;
  readonly claims: readonly Claim[];
  readonly obtained: Obtained;
  /** Folder of its results.json, from which the notebook is executed. */
  readonly folder: string;
  /** What it was put together from; default: the kept results of its folder. */
  readonly origins?: Provenance['results'];
}

/** The end of every experiment: tables and figures with their provenance, the notebook, the verdict. */
export async function publishStudy(
  study: FinishedStudy,
  options: Pick<ExperimentOptions, 'figures' | 'notebook' | 'onProgress' | 'note'>,
): Promise<{ readonly verdict: ExpectedVersusObtained; readonly files: readonly string[] }> {
  const { parameters, settings, seed, dataChecksums, startedAt, realData = true, model } = study;
  const other = model === defaultModel({ real: realData }) ? undefined : model;
  const named = <T>(shown: ReadonlyMap<string, T>) =>
    other === undefined
      ? shown
      : new Map([...shown].map(([name, own]) => [nameOfOther(name, other), own] as const));
  const source = provenance({
    parameters,
    settings,
    seeds: { root: seed },
    dataChecksums,
    engine: engineVersion(),
    results: study.origins ?? resultsUsed(study.folder),
    startedAt,
  });
  const files = await saveReport(named(study.tables), named(study.figures), {
    dir: options.figures,
    provenance: source,
    realData,
  });
  if (options.notebook && other === undefined)
    await executeNotebook(options.notebook, join(study.folder, 'results.json'), options);
  return { verdict: expectedVersusObtained(study.claims, study.obtained), files };
}
