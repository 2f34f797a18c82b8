import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Dataset } from '../data/dataset';
import { InputError } from '../errors';
import { readSafetensorsMetadata } from '../networks/read-safetensors';
import { type FloatModel, type IntegerModel, modelFolder, openModel } from './open-model';

/** A trained float network in a file. */
export interface FloatFile {
  readonly model: FloatModel;
  /** Checksums of the data files that it was trained on, by name, as its provenance has them. */
  readonly trainedOn: Readonly<Record<string, string>>;
  /** Seeds of its training; undefined where the file does not tell. */
  readonly seed?: string;
}

/** A pruned network in a file, and the float network that it was pruned from. */
export interface PrunedFile {
  readonly model: IntegerModel;
  readonly float: FloatFile;
  readonly seed?: string;
}

export interface NetworkFiles {
  readonly floats: readonly FloatFile[];
  readonly pruned: readonly PrunedFile[];
}

/** The network files in a folder (default: those that come with the package), by name. */
export function networkPaths(folder = modelFolder()): string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.safetensors'))
    .sort()
    .map((name) => join(folder, name));
}

/**
 * Opens float and pruned networks and finds by checksum which was pruned from which.
 * @throws InputError where a pruned network's float network is not among the files
 */
export function openNetworkFiles(paths: readonly string[]): NetworkFiles {
  const opened = paths.map((path) => ({ model: openModel(path), metadata: readSafetensorsMetadata(path) }));
  const floats = opened.flatMap(({ model, metadata }): FloatFile[] => {
    if (model.kind !== 'float') return [];
    const { dataChecksums = {}, seeds = {} } = parsed(metadata.provenance);
    const seed = Object.values(seeds).join(' and ') || undefined;
    return [{ model, trainedOn: dataChecksums, seed }];
  });
  const pruned = opened.flatMap(({ model, metadata }): PrunedFile[] => {
    if (model.kind !== 'integer') return [];
    const source = parsed(metadata.source);
    const float = floats.find((file) => file.model.sha256 === source.sha256);
    if (!model.network.pruning || !float)
      throw new InputError(
        `${model.path}: pruned from '${source.model ?? 'unknown'}' (SHA-256 ${source.sha256 ?? 'unknown'}), which is not among the networks beside it`,
      );
    return [{ model, float, seed: parsed(metadata.settings).seed?.toString() }];
  });
  return { floats, pruned };
}

/** The data set whose files a network was trained on, among those at hand. */
export function dataOf({ trainedOn }: FloatFile, datasets: readonly Dataset[]): Dataset | undefined {
  return datasets.find(({ checksums }) =>
    Object.entries(checksums).every(([file, checksum]) => trainedOn[file] === checksum),
  );
}

function parsed(text: string | undefined) {
  return JSON.parse(text ?? '{}');
}
