import { type ExpectedVersusObtained, expectedVersusObtained } from '../reports/expected-versus-obtained';
import { provenance } from '../reports/provenance';
import type { Table } from '../reports/table';
import { engineVersion } from '../tensor/engine';
import { budgetClaims, budgetFigures, budgetTable } from './budget-report';
import { type BudgetStudyOptions, type BudgetStudyResult, budgetStudy } from './budget-study';
import { type ExperimentOptions, openExperiment, resultsFolder } from './open-experiment';
import { saveReport } from './save-report';

export type RunBudgetsOptions = Omit<ExperimentOptions, 'notebook'> &
  Pick<BudgetStudyOptions, 'tileRows' | 'budgets' | 'tried' | 'testPictures' | 'iterations'>;

export interface BudgetsOutcome {
  readonly result: BudgetStudyResult;
  readonly table: Table;
  readonly verdict: ExpectedVersusObtained;
  readonly files: readonly string[];
}

/** The study of allocated budgets from data to figures. */
export async function runBudgets(options: RunBudgetsOptions): Promise<BudgetsOutcome> {
  const startedAt = new Date();
  const { dataset, model } = await openExperiment(options);
  const folder = resultsFolder(options, dataset.name, model.name);
  const result = budgetStudy({ ...options, dataset, model, folder });
  const table = budgetTable(result);
  const { claims, obtained } = budgetClaims(result);
  const source = provenance({
    parameters: { experiment: 'budgets', network: result.network, dataset: result.dataset },
    settings: {
      tileRows: result.tileRows,
      weightBits: 8,
      inputBits: 8,
      encoding: 'sign-split',
      calibrationPictures: result.calibrationPictures,
      testPictures: result.integer.pictures,
    },
    seeds: { root: result.seed },
    dataChecksums: result.checksums,
    engine: engineVersion(),
    startedAt,
  });
  const files = await saveReport(new Map([['02-budgets', table]]), budgetFigures(result), {
    dir: options.figures,
    provenance: source,
    realData: result.realData,
  });
  return { result, table, verdict: expectedVersusObtained(claims, obtained), files };
}
