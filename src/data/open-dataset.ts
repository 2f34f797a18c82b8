import { type Dirent, existsSync, readdirSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { InputError } from '../errors';
import type { OnProgress } from '../progress';
import { findCifar10, loadCifar10 } from './cifar10';
import { DATA_FOLDER } from './cifar10-manifest';
import type { Dataset } from './dataset';
import { type DownloadCifar10Options, downloadCifar10 } from './download-cifar10';
import { type GeneratedPicturesOptions, generatedPictures } from './generated-pictures';
import { type ImageFolderOptions, loadImageFolder, PICTURE_FILE, type SkippedPicture } from './image-folder';

export const DATASET_NAMES = ['cifar10', 'generated', 'imagenet-folder'] as const;
export type DatasetName = (typeof DATASET_NAMES)[number];

export interface OpenDatasetOptions {
  /** Default: what `dir` holds, CIFAR10 where there is no `dir`. */
  readonly name?: string;
  /** Folder of the data (`--data DIR`). Default: the environment's CIM_PRUNING_DATA, then the package's `data` folder. */
  readonly dir?: string;
  /** Whether to download CIFAR10 where it is nowhere. Default false. */
  readonly download?: boolean;
  /** Whether generated pictures will do where there is no CIFAR10. Default false. */
  readonly fallback?: boolean;
  readonly onProgress?: OnProgress;
  /** Told each picture of class folders that cannot be used and is left out. */
  readonly onSkip?: (skipped: SkippedPicture) => void;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Where downloads are and go. Default: the package's `data` folder. */
  readonly dataFolder?: string;
  readonly generated?: GeneratedPicturesOptions;
  readonly pictures?: ImageFolderOptions & { readonly limit?: number };
  readonly downloading?: Omit<DownloadCifar10Options, 'onProgress'>;
}

/**
 * Opens a data set. CIFAR10 is taken from the first of: `dir`; CIM_PRUNING_DATA; the package's `data` folder; the
 * official download, if `download`; generated pictures, if `fallback` (their `title` says so and `real` is false).
 * A folder that is named but does not hold the data is an error, never a reason to go on to the next.
 */
export async function openDataset(options: OpenDatasetOptions = {}): Promise<Dataset> {
  const { onProgress, onSkip } = options;
  const { name, dir } = datasetKind(options);
  if (name === 'generated') return generatedPictures(options.generated);
  if (name === 'imagenet-folder') return loadImageFolder(dir!, { ...options.pictures, onProgress, onSkip });
  const folder = locateCifar10(options);
  return folder ? loadCifar10(folder) : provideCifar10(options);
}

/** Which data set is meant, and the folder named for it; class folders of pictures always have one. */
export function datasetKind(options: OpenDatasetOptions): {
  readonly name: DatasetName;
  readonly dir?: string;
} {
  const { dir, from } = namedFolder(options);
  const name = datasetName(options.name) ?? (dir ? nameByContent(dir, from) : 'cifar10');
  if (name === 'imagenet-folder' && !dir)
    throw new InputError(`imagenet-folder: name its folder with --data DIR or CIM_PRUNING_DATA=DIR`);
  return { name, dir };
}

/** Where CIFAR10 is to be read from: a folder that is named counts whatever it holds, the package's own if it has the files. */
export function locateCifar10(
  options: Pick<OpenDatasetOptions, 'dir' | 'env' | 'dataFolder'> = {},
): string | undefined {
  return namedFolder(options).dir ?? findCifar10(options.dataFolder ?? DATA_FOLDER);
}

/** A data set's name, checked; undefined stays undefined. Throws InputError with the names that there are. */
export function datasetName(name: string | undefined): DatasetName | undefined {
  if (name === undefined || DATASET_NAMES.includes(name as DatasetName))
    return name as DatasetName | undefined;
  throw new InputError(`unknown data set ${name}: allowed are ${DATASET_NAMES.join(', ')}`);
}

/** The folder that the caller or the environment names, and which of them it was. */
export function namedFolder({ dir, env = process.env }: Pick<OpenDatasetOptions, 'dir' | 'env'>): {
  dir?: string;
  from: string;
} {
  if (dir) return { dir, from: dir };
  const fromEnv = env.CIM_PRUNING_DATA;
  return fromEnv ? { dir: fromEnv, from: `CIM_PRUNING_DATA=${fromEnv}` } : { from: '' };
}

/** Downloads CIFAR10 or falls back to generated pictures, as far as the options allow. */
async function provideCifar10(options: OpenDatasetOptions): Promise<Dataset> {
  const { dataFolder = DATA_FOLDER, onProgress } = options;
  if (options.download) {
    try {
      return await loadCifar10(await downloadCifar10(dataFolder, { ...options.downloading, onProgress }));
    } catch (error) {
      if (!options.fallback || !(error instanceof InputError)) throw error;
      onProgress?.({ done: 0, total: 1, note: error.message });
    }
  }
  if (options.fallback) return generatedPictures(options.generated);
  throw new InputError(
    `CIFAR10 is not in ${dataFolder}: run \`cim-pruning data cifar10\` to download it, or name its folder with --data DIR or CIM_PRUNING_DATA=DIR`,
  );
}

/** CIFAR10 by its files, class folders of pictures otherwise. */
function nameByContent(dir: string, from: string): DatasetName {
  if (!existsSync(dir) || !statSync(dir).isDirectory()) throw new InputError(`${from} is no folder`);
  if (findCifar10(dir)) return 'cifar10';
  const parts = foldersIn(dir).filter((part) => ['val', 'train'].includes(basename(part)));
  const classFolders = [dir, ...parts].flatMap((part) => foldersIn(part).slice(0, 10));
  const hasPictures = (folder: string) => list(folder).some(({ name }) => PICTURE_FILE.test(name));
  if (classFolders.some(hasPictures)) return 'imagenet-folder';
  throw new InputError(
    `${from} holds neither CIFAR10's binary files (data_batch_1.bin, ...) nor class folders of pictures`,
  );
}

const foldersIn = (dir: string) =>
  list(dir)
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(dir, entry.name));

function list(dir: string): Dirent[] {
  try {
    return readdirSync(dir, { withFileTypes: true });
  } catch (error) {
    throw new InputError(`${dir} cannot be read: ${(error as Error).message}`);
  }
}
