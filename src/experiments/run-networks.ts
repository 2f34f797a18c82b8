import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Dataset } from '../data/dataset';
import { generatedPictures } from '../data/generated-pictures';
import { openDataset } from '../data/open-dataset';
import { packageRoot } from '../package-root';
import {
  type Claim,
  type ExpectedVersusObtained,
  expectedVersusObtained,
  type Obtained,
} from '../reports/expected-versus-obtained';
import { provenance } from '../reports/provenance';
import type { Table } from '../reports/table';
import { engineVersion } from '../tensor/engine';
import { executeNotebook } from './execute-notebook';
import { layerViewFigures, layerViewTable } from './layer-view-report';
import { networkPaths } from './network-files';
import { type ExperimentOptions, resultsFolder } from './open-experiment';
import { saveReport } from './save-report';
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
  const folder = resultsFolder(options);
  const outcome = await reportNetworks({
    profile: 'small',
    paths: networkPaths(),
    datasets,
    folder,
    figures: options.figures,
    judge: (result) => networksClaims(result, expectedNetworks(), exactly),
    onProgress,
  });
  if (options.notebook) await executeNotebook(options.notebook, join(folder, 'results.json'), options);
  return outcome;
}

export interface ReportNetworksOptions extends VerifyOptions {
  readonly profile: string;
  readonly datasets: readonly Dataset[];
  /** Where table and figure go. */
  readonly figures: string;
  /** What their files' names begin with; default: 07-networks. */
  readonly stem?: string;
  readonly judge: (result: Verification) => {
    readonly claims: readonly Claim[];
    readonly obtained: Obtained;
  };
}

/** Verifies networks, writes table and figure, and judges. */
export async function reportNetworks(options: ReportNetworksOptions): Promise<NetworksOutcome> {
  const startedAt = new Date();
  const { profile, datasets, figures: dir, stem = '07-networks', judge } = options;
  const result = await verifyNetworks(options);
  const table = networksTable(result);
  const { claims, obtained } = judge(result);
  const source = provenance({
    parameters: { profile, networks: result.networks.map(({ name }) => name) },
    seeds: { calibration: result.seed },
    dataChecksums: result.checksums,
    engine: engineVersion(),
    startedAt,
  });
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
  const files = await saveReport(tables, figures, {
    dir,
    provenance: source,
    realData: datasets.some(({ real }) => real),
  });
  return { result, tables: [...tables.values()], verdict: expectedVersusObtained(claims, obtained), files };
}

/** top-1 of the networks that come with the package, percent on all test pictures, by name. */
export function expectedNetworks(): Record<string, number> {
  return JSON.parse(readFileSync(join(packageRoot().root, 'data', 'expected', 'small.json'), 'utf8'));
}
