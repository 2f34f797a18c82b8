import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { DATA_FOLDER } from './cifar10-manifest';
import { type DownloadOptions, downloadFile } from './download-file';
import { fileSha256 } from './file-sha256';

/** A network's weights as torchvision publishes them (IMAGENET1K_V1). */
export interface PublishedWeights {
  readonly url: string;
  readonly bytes: number;
  readonly sha256: string;
  /** Percent on ImageNet's 50,000 validation pictures, as published. */
  readonly top1: number;
}

/** By name of the network in the zoo: `data/torchvision.json`. */
export function torchvisionWeights(): Readonly<Record<string, PublishedWeights>> {
  return JSON.parse(readFileSync(join(DATA_FOLDER, 'torchvision.json'), 'utf8')).weights;
}

/** Where weights go unless a folder is named. */
export const weightsFolder = (dataFolder = DATA_FOLDER) => join(dataFolder, 'downloads');

export interface WeightsReport {
  readonly name: string;
  readonly path: string;
  readonly action: 'downloaded' | 'verified';
  readonly sha256: string;
  readonly message: string;
}

/**
 * Verifies a published file of weights in `dir`, or downloads it there; can be interrupted and run again.
 * @throws InputError as `downloadFile` does
 */
export async function provideWeights(
  name: string,
  weights: PublishedWeights,
  dir: string,
  options: Omit<DownloadOptions, 'url' | 'path' | 'bytes' | 'sha256'> = {},
): Promise<WeightsReport> {
  const path = join(dir, basename(weights.url));
  const there = existsSync(path) && fileSha256(path) === weights.sha256;
  if (!there) await downloadFile({ ...options, ...weights, path });
  const action = there ? 'verified' : 'downloaded';
  const { sha256, top1 } = weights;
  const message = `${name}: ${action} ${path}, torchvision's weights of ${top1} % top-1 on ImageNet's validation pictures`;
  return { name, path, action, sha256, message };
}
