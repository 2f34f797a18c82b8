import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Dataset } from '../data/dataset';
import { openDataset } from '../data/open-dataset';
import type { OnProgress } from '../progress';
import { defaultModel } from './default-model';
import { type FloatModel, openFloatModel } from './open-model';
import { requireFit } from './require-fit';

/** What every experiment on a trained network takes. */
export interface ExperimentOptions {
  /** Folder of CIFAR10. Default: CIM_PRUNING_DATA, then the package's data folder, then the official download. */
  readonly dataDir?: string;
  /** Default: the network that comes with the package for the data. */
  readonly model?: string;
  /** Where results are kept, by data set. */
  readonly folder: string;
  /** Where tables and figures go. */
  readonly figures: string;
  /** Forget what an earlier run kept. */
  readonly fresh?: boolean;
  /** Notebook to execute on the results. */
  readonly notebook?: string;
  readonly onProgress?: OnProgress;
  readonly note?: (line: string) => void;
}

export interface OpenExperiment {
  readonly dataset: Dataset;
  readonly model: FloatModel;
}

/** Finds data and network of an experiment. */
export async function openExperiment(options: ExperimentOptions): Promise<OpenExperiment> {
  const { onProgress, note } = options;
  const dataset = await openDataset({ dir: options.dataDir, download: true, fallback: true, onProgress });
  if (!dataset.real) note?.(`${dataset.title}: CIFAR10 could not be had (give it with --data DIR)`);
  const model = openFloatModel(options.model ?? defaultModel(dataset));
  requireFit(model.description, dataset);
  note?.(`${model.name} (${model.description.name}) on ${dataset.title}`);
  return { dataset, model };
}

/** The folder of an experiment's results, emptied if everything is to be computed anew. */
export function resultsFolder(
  { folder, fresh }: Pick<ExperimentOptions, 'folder' | 'fresh'>,
  ...parts: readonly string[]
): string {
  const own = join(folder, ...parts);
  if (fresh) rmSync(own, { recursive: true, force: true });
  return own;
}
