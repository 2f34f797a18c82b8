import type { Dataset } from '../data/dataset';
import type { SkippedPicture } from '../data/image-folder';
import { type OpenDatasetOptions, openDataset } from '../data/open-dataset';
import type { OnProgress } from '../progress';
import { type Command, type Options, textOption, wholeNumber } from './command';

/** What every verb that reads a data set takes. */
export const datasetOptions: Command['options'] = {
  data: { value: 'DIR', help: 'folder of the data set (default: CIM_PRUNING_DATA, then data/)' },
  dataset: {
    value: 'NAME',
    help: 'cifar10, generated or imagenet-folder (default: what the folder holds)',
  },
  size: { value: 'N', help: 'class folders: side of the square kept of each picture (default 224)' },
  resize: {
    value: 'N',
    help: 'class folders: the shorter side is brought to this first (default 8/7 of --size)',
  },
};

/** The data set that the options name. @throws InputError naming the option that is out of range */
export function namedDataset(options: Options, onProgress: OnProgress): OpenDatasetOptions {
  return {
    name: textOption(options, 'dataset'),
    dir: textOption(options, 'data'),
    pictures: {
      size: wholeNumber(options, 'size', 8, 4096),
      resize: wholeNumber(options, 'resize', 8, 4096),
    },
    onProgress,
  };
}

/** Opens that data set and notes the pictures that are left out. */
export async function openNamed(named: OpenDatasetOptions, note: (line: string) => void): Promise<Dataset> {
  const skipped: SkippedPicture[] = [];
  const dataset = await openDataset({ ...named, onSkip: (picture) => skipped.push(picture) });
  for (const line of skippedLines(skipped)) note(line);
  return dataset;
}

const TOLD = 5;

/** How many pictures are left out, and the first few of them. */
export function skippedLines(skipped: readonly SkippedPicture[]): string[] {
  if (skipped.length === 0) return [];
  const few = skipped.slice(0, TOLD).map(({ path, reason }) => `left out ${path}: ${reason}`);
  return [`pictures that cannot be used: ${skipped.length}`, ...few];
}
