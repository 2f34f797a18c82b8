import { openDataset } from '../data/open-dataset';
import type { ExpectedVersusObtained } from '../reports/expected-versus-obtained';
import type { Table } from '../reports/table';
import { hardwareClaims } from './hardware-claims';
import { hardwareFigures } from './hardware-figures';
import { type HardwareStudyOptions, type HardwareStudyResult, hardwareStudy } from './hardware-study';
import { hardwareTables } from './hardware-tables';
import { type ExperimentOptions, resultsFolder } from './open-experiment';
import { openFloatModel, openIntegerModel, openSource } from './open-model';
import { publishStudy } from './publish-study';

export type RunHardwareOptions = Omit<ExperimentOptions, 'model'> &
  Pick<HardwareStudyOptions, 'adcModel' | 'constants' | 'testPictures' | 'activityPictures'> & {
    /** Float networks, files or names of `data/models`. Default: those that the pruned ones were made from. */
    readonly dense?: readonly string[];
    /** Pruned networks of those. Default: `comparedNetworks`. */
    readonly pruned?: readonly string[];
  };

/** Those that come with the package whose costs are shown: a small one and a large one for 2-bit ADCs. */
export const comparedNetworks: readonly string[] = ['resnet20-cifar10-r128-adc2', 'vgg16-cifar10-r128-adc2'];

export interface HardwareOutcome {
  readonly result: HardwareStudyResult;
  readonly tables: ReadonlyMap<string, Table>;
  readonly verdict: ExpectedVersusObtained;
  readonly files: readonly string[];
}

/**
 * The study of energy, area and latency from networks to notebook. Pictures are needed for accuracies and for skipping
 * zero inputs only; without CIFAR10 those are left out.
 */
export async function runHardware(options: RunHardwareOptions): Promise<HardwareOutcome> {
  const startedAt = new Date();
  const { dataDir, onProgress, note } = options;
  const dataset = await openDataset({ dir: dataDir, download: true, fallback: true, onProgress });
  if (!dataset.real) note?.('no CIFAR10 (give it with --data DIR): accuracies and skipping are left out');
  const pruned = (options.pruned ?? comparedNetworks).map(openIntegerModel);
  const dense = options.dense?.map((name) => openFloatModel(name)) ?? pruned.map(openSource);
  const folder = resultsFolder(options, dataset.name);
  const result = hardwareStudy({ ...options, dense, pruned, dataset, folder });
  const tables = hardwareTables(result);
  const { verdict, files } = await publishStudy(
    {
      parameters: {
        experiment: 'hardware',
        dataset: result.dataset,
        networks: pruned.map(({ name }) => name).join(', '),
      },
      settings: { adcModel: result.adcModel, nodes: result.nodes, baseline: result.baseline },
      seed: result.seed,
      dataChecksums: result.checksums,
      startedAt,
      realData: result.realData,
      tables,
      figures: hardwareFigures(result),
      ...hardwareClaims(result),
      folder,
    },
    options,
  );
  return { result, tables, verdict, files };
}
