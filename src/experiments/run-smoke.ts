import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { openDataset } from '../data/open-dataset';
import { packageRoot } from '../package-root';
import type { OnProgress } from '../progress';
import { type ExpectedVersusObtained, expectedVersusObtained } from '../reports/expected-versus-obtained';
import { provenance } from '../reports/provenance';
import { saveFigure } from '../reports/save-figure';
import { saveTable } from '../reports/save-table';
import type { Table } from '../reports/table';
import { engineVersion } from '../tensor/engine';
import { defaultModel } from './default-model';
import { executeNotebook } from './execute-notebook';
import { openFloatModel } from './open-model';
import { reproduceSmoke, type SmokeResult, smokeConfigurations } from './smoke';
import { smokeClaims, smokeFigures, smokeTable } from './smoke-report';
import { weightsOnlyStudy, weightsOnlyTable } from './weights-only';

export interface RunSmokeOptions {
  /** Folder of CIFAR10. Default: CIM_PRUNING_DATA, then the package's data folder, then the official download. */
  readonly dataDir?: string;
  /** Default: the network that comes with the package for the data. */
  readonly model?: string;
  /** Where results are kept. */
  readonly folder: string;
  /** Where figures and tables go. */
  readonly figures: string;
  /** Forget what an earlier run kept. */
  readonly fresh?: boolean;
  /** Notebook to execute on the results. */
  readonly notebook?: string;
  readonly onProgress?: OnProgress;
  readonly note?: (line: string) => void;
}

export interface SmokeOutcome {
  readonly result: SmokeResult;
  readonly tables: readonly Table[];
  readonly verdict: ExpectedVersusObtained;
  readonly files: readonly string[];
}

/** The whole main job: data, experiment, figures, tables, verdict, notebook. */
export async function runSmoke(options: RunSmokeOptions): Promise<SmokeOutcome> {
  const { onProgress, note = () => undefined } = options;
  const startedAt = new Date();
  const dataset = await openDataset({ dir: options.dataDir, download: true, fallback: true, onProgress });
  if (!dataset.real) note(`${dataset.title}: CIFAR10 could not be had (give it with --data DIR)`);
  const model = openFloatModel(options.model ?? defaultModel(dataset));
  const folder = join(options.folder, dataset.name);
  if (options.fresh) rmSync(folder, { recursive: true, force: true });
  note(`${model.name} (${model.description.name}) on ${dataset.title}`);
  const result = reproduceSmoke({ model, dataset, folder, onProgress });
  const tables = [smokeTable(result)];
  if (!dataset.real && !options.model) {
    // Without CIFAR10 its network still shows all that needs no pictures.
    const cifar = openFloatModel(defaultModel({ real: true }));
    tables.push(weightsOnlyTable(cifar, weightsOnlyStudy(cifar, smokeConfigurations, onProgress)));
  }
  const { claims, obtained } = smokeClaims(result, expectedAccuracies(result.model));
  const verdict = expectedVersusObtained(claims, obtained);
  const files = await writeReport(result, tables, options.figures, startedAt);
  if (options.notebook) await executeNotebook(options.notebook, join(folder, 'results.json'), options);
  return { result, tables, verdict, files };
}

/** Accuracies that a network of the package has been measured to have, by configuration; none for others. */
export function expectedAccuracies(model: string): Record<string, number> {
  const path = join(packageRoot().root, 'data', 'expected', 'smoke.json');
  const all = JSON.parse(readFileSync(path, 'utf8')) as Record<string, Record<string, number>>;
  return all[model] ?? {};
}

async function writeReport(
  result: SmokeResult,
  tables: readonly Table[],
  dir: string,
  startedAt: Date,
): Promise<string[]> {
  const source = provenance({
    parameters: { profile: 'smoke', network: result.network, dataset: result.dataset },
    settings: {
      weightBits: result.weightBits,
      inputBits: result.inputBits,
      encoding: result.encoding,
      calibrationPictures: result.calibrationPictures,
    },
    seeds: { root: result.seed },
    dataChecksums: result.checksums,
    engine: engineVersion(),
    startedAt,
  });
  // Generated pictures never overwrite what CIFAR10 gave.
  const prefix = result.realData ? '00' : '00-generated';
  const names = [`${prefix}-smoke`, `${prefix}-weights-only`];
  const files = tables.flatMap((table, i) => saveTable(table, { dir, name: names[i], provenance: source }));
  for (const [figureName, figure] of smokeFigures(result))
    files.push(
      ...(await saveFigure(figure, { dir, name: figureName.replace(/^00/, prefix), provenance: source }))
        .files,
    );
  return files;
}
