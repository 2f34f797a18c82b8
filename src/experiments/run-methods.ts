import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { openDataset } from '../data/open-dataset';
import type { OnProgress } from '../progress';
import { type ExpectedVersusObtained, expectedVersusObtained } from '../reports/expected-versus-obtained';
import { provenance } from '../reports/provenance';
import { saveFigure } from '../reports/save-figure';
import { saveTable } from '../reports/save-table';
import type { Table } from '../reports/table';
import { engineVersion } from '../tensor/engine';
import { defaultModel } from './default-model';
import { executeNotebook } from './execute-notebook';
import { methodsClaims, methodsFigures, methodsTable } from './methods-report';
import { compareMethods, type MethodsOptions, type MethodsResult } from './methods-table';
import { openFloatModel } from './open-model';
import { requireFit } from './require-fit';

export interface RunMethodsOptions
  extends Pick<
    MethodsOptions,
    'entries' | 'configurations' | 'trained' | 'testPictures' | 'clippedPictures' | 'iterations'
  > {
  /** Folder of CIFAR10. Default: CIM_PRUNING_DATA, then the package's data folder, then the official download. */
  readonly dataDir?: string;
  /** Default: the network that comes with the package for the data. */
  readonly model?: string;
  /** Where results are kept. */
  readonly folder: string;
  /** Where table and figures go. */
  readonly figures: string;
  /** Forget what an earlier run kept. */
  readonly fresh?: boolean;
  /** Notebook to execute on the results. */
  readonly notebook?: string;
  readonly onProgress?: OnProgress;
  readonly note?: (line: string) => void;
}

export interface MethodsOutcome {
  readonly result: MethodsResult;
  readonly table: Table;
  readonly verdict: ExpectedVersusObtained;
  readonly files: readonly string[];
}

/** The comparison of methods from data to notebook. */
export async function runMethods(options: RunMethodsOptions): Promise<MethodsOutcome> {
  const { onProgress, note = () => undefined, figures: dir } = options;
  const startedAt = new Date();
  const dataset = await openDataset({ dir: options.dataDir, download: true, fallback: true, onProgress });
  if (!dataset.real) note(`${dataset.title}: CIFAR10 could not be had (give it with --data DIR)`);
  const model = openFloatModel(options.model ?? defaultModel(dataset));
  requireFit(model.description, dataset);
  const folder = join(options.folder, dataset.name, model.name);
  if (options.fresh) rmSync(folder, { recursive: true, force: true });
  note(`methods compared: ${model.name} (${model.description.name}) on ${dataset.title}`);
  const result = compareMethods({ ...options, model, dataset, folder });
  const table = methodsTable(result);
  const { claims, obtained } = methodsClaims(result);
  const source = provenance({
    parameters: { experiment: 'methods', network: result.network, dataset: result.dataset },
    settings: {
      weightBits: result.weightBits,
      inputBits: result.inputBits,
      encoding: result.encoding,
      calibrationPictures: result.calibrationPictures,
      testPictures: result.float.pictures,
    },
    seeds: { root: result.seed },
    dataChecksums: result.checksums,
    engine: engineVersion(),
    startedAt,
  });
  // Generated pictures never overwrite what CIFAR10 gave.
  const prefix = result.realData ? '02' : '02-generated';
  const files = saveTable(table, { dir, name: `${prefix}-methods`, provenance: source });
  for (const [name, figure] of methodsFigures(result))
    files.push(
      ...(await saveFigure(figure, { dir, name: name.replace(/^02/, prefix), provenance: source })).files,
    );
  if (options.notebook) await executeNotebook(options.notebook, join(folder, 'results.json'), options);
  return { result, table, verdict: expectedVersusObtained(claims, obtained), files };
}
