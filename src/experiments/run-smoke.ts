import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../package-root';
import type { ExpectedVersusObtained } from '../reports/expected-versus-obtained';
import type { Table } from '../reports/table';
import { defaultModel } from './default-model';
import { type ExperimentOptions, openExperiment, resultsFolder } from './open-experiment';
import { openFloatModel } from './open-model';
import { publishStudy } from './publish-study';
import { reproduceSmoke, type SmokeResult, smokeConfigurations } from './smoke';
import { smokeClaims, smokeFigures, smokeTable } from './smoke-report';
import { weightsOnlyStudy, weightsOnlyTable } from './weights-only';

export interface SmokeOutcome {
  readonly result: SmokeResult;
  readonly tables: readonly Table[];
  readonly verdict: ExpectedVersusObtained;
  readonly files: readonly string[];
}

/** The whole main job: data, experiment, figures, tables, verdict, notebook. */
export async function runSmoke(options: ExperimentOptions): Promise<SmokeOutcome> {
  const { onProgress } = options;
  const startedAt = new Date();
  const { dataset, model } = await openExperiment(options);
  const other = model.name === defaultModel(dataset) ? [] : [model.name];
  const folder = resultsFolder(options, dataset.name, ...other);
  const result = reproduceSmoke({ model, dataset, folder, onProgress });
  const tables = new Map([['00-smoke', smokeTable(result)]]);
  if (!dataset.real && !options.model) {
    // Without CIFAR10 its network still shows all that needs no pictures.
    const cifar = openFloatModel(defaultModel({ real: true }));
    const study = weightsOnlyStudy(cifar, smokeConfigurations, onProgress);
    tables.set('00-weights-only', weightsOnlyTable(cifar, study));
  }
  const { verdict, files } = await publishStudy(
    {
      parameters: { profile: 'smoke', network: result.network, dataset: result.dataset },
      settings: {
        weightBits: result.weightBits,
        inputBits: result.inputBits,
        encoding: result.encoding,
        calibrationPictures: result.calibrationPictures,
      },
      seed: result.seed,
      dataChecksums: result.checksums,
      startedAt,
      realData: result.realData,
      model: model.name,
      tables,
      figures: smokeFigures(result),
      ...smokeClaims(result, expectedAccuracies(result.model)),
      folder,
    },
    options,
  );
  return { result, tables: [...tables.values()], verdict, files };
}

/** Accuracies that a network of the package has been measured to have, by configuration; none for others. */
export function expectedAccuracies(model: string): Record<string, number> {
  const path = join(packageRoot().root, 'data', 'expected', 'smoke.json');
  const all = JSON.parse(readFileSync(path, 'utf8')) as Record<string, Record<string, number>>;
  return all[model] ?? {};
}
