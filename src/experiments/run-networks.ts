import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { generatedPictures } from '../data/generated-pictures';
import { openDataset } from '../data/open-dataset';
import { packageRoot } from '../package-root';
import type { Claim, ExpectedVersusObtained, Obtained } from '../reports/expected-versus-obtained';
import type { Table } from '../reports/table';
import { layerViewFigures, layerViewTable } from './layer-view-report';
import { networkPaths } from './network-files';
import { type ExperimentOptions, resultsFolder } from './open-experiment';
import { publishStudy } from './publish-study';
import { type Verification, type VerifyOptions, verifyNetworks } from './verify-networks';
import { type Allowance, networksClaims, networksFigures, networksTable } from './verify-report';

export interface NetworksOutcome {
  readonly result: Verification;
  /** All networks, then the layers of each pruned one. */
  readonly tables: readonly Table[];
  readonly verdict: ExpectedVersusObtained;
  readonly files: readonly string[];
}

/** Integers give the same classes everywhere; floats, and input scales found with them, may turn a picture or two. */
export const exactly: Allowance = ({ kind }) => ({
  tolerance: kind === 'pruned' ? 0.001 : 0.02,
  compare: 'equal',
});

/** Profile small: verifies every network that comes with the package, those on CIFAR10 where that can be had. */
export async function runSmall(options: Omit<ExperimentOptions, 'model'>): Promise<NetworksOutcome> {
  const { onProgress, note } = options;
  const cifar10 = await openDataset({
    name: 'cifar10',
    dir: options.dataDir,
    download: true,
    fallback: true,
    onProgress,
  });
  if (!cifar10.real)
    note?.('CIFAR10 could not be had (give it with --data DIR): its networks are only recounted');
  const datasets = cifar10.real ? [cifar10, generatedPictures()] : [cifar10];
  return reportNetworks({
    profile: 'small',
    paths: networkPaths(),
    datasets,
    folder: resultsFolder(options),
    figures: options.figures,
    judge: (result) => networksClaims(result, expectedNetworks(), exactly),
    notebook: options.notebook,
    onProgress,
    note,
  });
}

export interface ReportNetworksOptions
  extends VerifyOptions,
    Pick<ExperimentOptions, 'figures' | 'notebook' | 'note'> {
  readonly profile: string;
  /** What their files' names begin with; default: 07-networks. */
  readonly stem?: string;
  readonly judge: (result: Verification) => {
    readonly claims: readonly Claim[];
    readonly obtained: Obtained;
  };
}

/** Verifies networks, writes table and figure, executes the notebook, and judges. */
export async function reportNetworks(options: ReportNetworksOptions): Promise<NetworksOutcome> {
  const startedAt = new Date();
  const { profile, datasets, folder, stem = '07-networks', judge } = options;
  const result = await verifyNetworks(options);
  const table = networksTable(result);
  const pruned = result.networks.flatMap(({ name, recounted }) =>
    recounted ? [{ name, layers: recounted.layers }] : [],
  );
  const tables = new Map([
    [stem, table],
    ...pruned.map(({ name, layers }) => [`${stem}-${name}-layers`, layerViewTable(name, layers)] as const),
  ]);
  const figures = new Map([
    ...networksFigures(result, stem),
    ...pruned.flatMap(({ name, layers }) => [...layerViewFigures(name, layers, stem)]),
  ]);
  const { verdict, files } = await publishStudy(
    {
      parameters: { profile, networks: result.networks.map(({ name }) => name) },
      settings: { checked: options.checked, testPictures: options.testPictures },
      seed: result.seed,
      dataChecksums: result.checksums,
      startedAt,
      realData: datasets.some(({ real }) => real),
      tables,
      figures,
      ...judge(result),
      folder,
    },
    options,
  );
  return { result, tables: [...tables.values()], verdict, files };
}

/** top-1 of the networks that come with the package, percent on all test pictures, by name. */
export function expectedNetworks(): Record<string, number> {
  return JSON.parse(readFileSync(join(packageRoot().root, 'data', 'expected', 'small.json'), 'utf8'));
}
