import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { InputError } from '../errors';
import type { OnProgress } from '../progress';
import { CIFAR10_FILE_BYTES, findCifar10, loadCifar10 } from './cifar10';
import { type Cifar10Manifest, cifar10Manifest, DATA_FOLDER } from './cifar10-manifest';
import { type DownloadCifar10Options, downloadCifar10 } from './download-cifar10';
import { GENERATED_TEST, GENERATED_TITLE, GENERATED_TRAIN } from './generated-pictures';
import { imageFolder, imageFolderBatches, isParted, type SkippedPicture } from './image-folder';
import { datasetName, namedFolder } from './open-dataset';
import { torchvisionWeights, weightsFolder } from './torchvision-weights';

export interface DataCommandOptions extends DownloadCifar10Options {
  /** One of `DATASET_NAMES`; `dataCommand` needs it. */
  readonly name?: string;
  /** Folder to verify, or to download to. Default: CIM_PRUNING_DATA, then the package's `data` folder. */
  readonly dir?: string;
  readonly dataFolder?: string;
}

export interface DataListEntry {
  readonly name: string;
  readonly what: string;
  /** Where it is; undefined if it is not there yet. */
  readonly folder?: string;
  /** What there is to download; 0: nothing. */
  readonly downloadBytes: number;
}

export interface DataFile {
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly official: boolean;
}

export interface DataReport {
  readonly name: string;
  readonly title: string;
  readonly folder?: string;
  readonly action: 'downloaded' | 'verified' | 'generated';
  readonly trainPictures: number;
  readonly testPictures: number;
  /** Whether every file has its publisher's checksum; undefined where none is published. */
  readonly official?: boolean;
  readonly files: readonly DataFile[];
  /** Pictures that cannot be decoded. */
  readonly skipped: readonly SkippedPicture[];
  /** All of the above in one line. */
  readonly message: string;
}

/** `data list`: data sets and weights, and where they are. */
export function listDatasets(options: DataCommandOptions = {}): DataListEntry[] {
  const { dataFolder = DATA_FOLDER } = options;
  const manifest = options.manifest ?? cifar10Manifest();
  const named = namedFolder(options).dir;
  return [
    {
      name: 'cifar10',
      what: '60,000 pictures of 32 x 32, 10 classes (Krizhevsky 2009)',
      folder: (named && findCifar10(named)) || findCifar10(dataFolder),
      downloadBytes: manifest.archive.bytes,
    },
    {
      name: 'generated',
      what: 'pictures of ten shapes that the package draws itself; not CIFAR10',
      downloadBytes: 0,
    },
    {
      name: 'imagenet-folder',
      what: 'your own folder of class folders of pictures, as ImageNet has them (--dir DIR)',
      downloadBytes: 0,
    },
    ...Object.entries(torchvisionWeights()).map(([name, { url, bytes, top1 }]) => {
      const folder = named ?? weightsFolder(dataFolder);
      return {
        name,
        what: `torchvision's weights, ${top1} % top-1 on ImageNet`,
        folder: existsSync(join(folder, basename(url))) ? folder : undefined,
        downloadBytes: bytes,
      };
    }),
  ];
}

/**
 * `data NAME [--dir D]`: verifies what is there; downloads CIFAR10 where it is not. Throws InputError as the loaders do.
 * Files that load but are not the publisher's are accepted, and the report says so.
 */
export async function dataCommand(options: DataCommandOptions): Promise<DataReport> {
  const name = datasetName(options.name);
  if (name === undefined)
    throw new InputError('data: which data set? `data list` shows those that there are');
  if (name === 'generated') return reportGenerated();
  if (name === 'imagenet-folder') return verifyImageFolder(options);
  return provideCifar10(options);
}

async function provideCifar10(options: DataCommandOptions): Promise<DataReport> {
  const manifest = options.manifest ?? cifar10Manifest();
  const folder = namedFolder(options).dir ?? options.dataFolder ?? DATA_FOLDER;
  const there = findCifar10(folder);
  // An unfinished move into place leaves some files: the download completes them.
  if (there && !unfinished(folder, there, manifest))
    return verifyCifar10(there, manifest, 'verified', options);
  const downloaded = await downloadCifar10(folder, { ...options, manifest });
  return verifyCifar10(downloaded, manifest, 'downloaded', options);
}

/** Whether `folder` is where our own download was interrupted while unpacking. */
function unfinished(dir: string, folder: string, manifest: Cifar10Manifest): boolean {
  const own = folder === join(dir, manifest.folder) && existsSync(`${folder}.part`);
  return own && Object.keys(manifest.files).some((file) => !existsSync(join(folder, file)));
}

async function verifyCifar10(
  folder: string,
  manifest: Cifar10Manifest,
  action: 'downloaded' | 'verified',
  { onProgress }: { onProgress?: OnProgress },
): Promise<DataReport> {
  onProgress?.({ done: 0, total: 1, note: `verifying ${folder}` });
  const { title, train, test, checksums } = await loadCifar10(folder);
  onProgress?.({ done: 1, total: 1, note: `verified ${folder}` });
  const files = Object.entries(checksums).map(([name, sha256]) => ({
    name,
    bytes: CIFAR10_FILE_BYTES,
    sha256,
    official: sha256 === manifest.files[name]?.sha256,
  }));
  const official = files.every((file) => file.official);
  const whose = official ? 'the official files' : 'whole, but not the official files (checksums differ)';
  return {
    name: 'cifar10',
    title,
    folder,
    action,
    trainPictures: train.count,
    testPictures: test.count,
    official,
    files,
    skipped: [],
    message: `cifar10: ${action} ${folder}: ${whose}; ${train.count} training and ${test.count} test pictures`,
  };
}

function reportGenerated(): DataReport {
  return {
    name: 'generated',
    title: GENERATED_TITLE,
    action: 'generated',
    trainPictures: GENERATED_TRAIN,
    testPictures: GENERATED_TEST,
    files: [],
    skipped: [],
    message: `generated: ${GENERATED_TRAIN} training and ${GENERATED_TEST} test pictures, drawn when needed; not CIFAR10, nothing to download`,
  };
}

/** Decodes every picture once. */
async function verifyImageFolder(options: DataCommandOptions): Promise<DataReport> {
  const { dir } = namedFolder(options);
  if (!dir) throw new InputError('data imagenet-folder: name the folder with --dir DIR');
  const split = await isParted(dir);
  const skipped: SkippedPicture[] = [];
  const count = async (folder: string) => {
    const listed = await imageFolder(folder, { size: 16, resize: 16 });
    let pictures = 0;
    const onSkip = (picture: SkippedPicture) => skipped.push(picture);
    for await (const batch of imageFolderBatches(listed, { ...options, batchSize: 64, onSkip })) {
      pictures += batch.count;
    }
    return pictures;
  };
  const trainPictures = split ? await count(join(dir, 'train')) : 0;
  const testPictures = await count(split ? join(dir, 'val') : dir);
  const bad = skipped.length > 0 ? `; ${skipped.length} cannot be decoded and will be left out` : '';
  return {
    name: 'imagenet-folder',
    title: `pictures of ${dir}`,
    folder: dir,
    action: 'verified',
    trainPictures,
    testPictures,
    files: [],
    skipped,
    message: `imagenet-folder: verified ${dir}; ${trainPictures} training and ${testPictures} test pictures${bad}`,
  };
}
