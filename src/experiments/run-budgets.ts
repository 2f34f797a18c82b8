import { type ExpectedVersusObtained, expectedVersusObtained } from '../reports/expected-versus-obtained';
import { provenance } from '../reports/provenance';
import { saveFigure } from '../reports/save-figure';
import { saveTable } from '../reports/save-table';
import type { Table } from '../reports/table';
import { engineVersion } from '../tensor/engine';
import { budgetClaims, budgetFigures, budgetTable } from './budget-report';
import { type BudgetStudyOptions, type BudgetStudyResult, budgetStudy } from './budget-study';
import { type ExperimentOptions, openExperiment } from './open-experiment';

export type RunBudgetsOptions = Omit<ExperimentOptions, 'notebook'> &
  Pick<BudgetStudyOptions, 'tileRows' | 'budgets' | 'testPictures' | 'iterations'>;

export interface BudgetsOutcome {
  readonly result: BudgetStudyResult;
  readonly table: Table;
  readonly verdict: ExpectedVersusObtained;
  readonly files: readonly string[];
}

/** The study of allocated budgets from data to figures. */
export async function runBudgets(options: RunBudgetsOptions): Promise<BudgetsOutcome> {
  const startedAt = new Date();
  const opened = await openExperiment(options);
  const result = budgetStudy({ ...options, ...opened });
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
  const prefix = result.realData ? '02' : '02-generated';
  const { figures: dir } = options;
  const files = saveTable(table, { dir, name: `${prefix}-budgets`, provenance: source });
  for (const [name, figure] of budgetFigures(result))
    files.push(
      ...(await saveFigure(figure, { dir, name: name.replace(/^02/, prefix), provenance: source })).files,
    );
  return { result, table, verdict: expectedVersusObtained(claims, obtained), files };
}
