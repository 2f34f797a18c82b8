import type { ExpectedVersusObtained } from '../reports/expected-versus-obtained';
import type { Table } from '../reports/table';
import { budgetClaims, budgetFigures, budgetTable } from './budget-report';
import { type BudgetStudyOptions, type BudgetStudyResult, budgetStudy } from './budget-study';
import { type ExperimentOptions, openExperiment, resultsFolder } from './open-experiment';
import { publishStudy } from './publish-study';

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
  const { verdict, files } = await publishStudy(
    {
      parameters: { experiment: 'budgets', network: result.network, dataset: result.dataset },
      settings: {
        tileRows: result.tileRows,
        weightBits: 8,
        inputBits: 8,
        encoding: 'sign-split',
        calibrationPictures: result.calibrationPictures,
        iterations: result.iterations,
        patches: result.patches,
        testPictures: result.integer.pictures,
      },
      seed: result.seed,
      dataChecksums: result.checksums,
      startedAt,
      realData: result.realData,
      model: model.name,
      tables: new Map([['02-budgets', table]]),
      figures: budgetFigures(result),
      ...budgetClaims(result),
      folder,
    },
    options,
  );
  return { result, table, verdict, files };
}
