import { evaluationBatches, type PictureBatch } from './batches';
import type { Dataset } from './dataset';
import {
  IMAGENET_MEAN,
  IMAGENET_STD,
  type ImageFolder,
  imageFolderBatches,
  type SkippedPicture,
  spread,
  testFolderOf,
} from './image-folder';
import { datasetKind, type OpenDatasetOptions, openDataset } from './open-dataset';

/** Test pictures that come batch by batch, however many there are. */
export interface TestPictures extends Pick<Dataset, 'title' | 'classes' | 'mean' | 'std'> {
  readonly test: {
    readonly count: number;
    readonly height: number;
    readonly width: number;
    readonly channels: number;
  };
  /**
   * All pictures in their order, or so many: the first ones of a data set, of class folders, which come class by class,
   * evenly spread ones. The arrays are used again for the next batch.
   */
  batches(batchSize: number, limit?: number): AsyncIterable<PictureBatch>;
}

/** Opens a data set for one pass over its test pictures: class folders are decoded as they are read. */
export async function openTestPictures(options: OpenDatasetOptions): Promise<TestPictures> {
  const { name, dir } = datasetKind(options);
  if (name !== 'imagenet-folder') return datasetStream(await openDataset(options));
  const folder = await testFolderOf(dir!, options.pictures);
  return folderStream(folder, `pictures of ${dir}`, options.onSkip);
}

/** The pictures of class folders, decoded two batches ahead of the reader. */
export function folderStream(
  folder: ImageFolder,
  title: string,
  onSkip?: (skipped: SkippedPicture) => void,
): TestPictures {
  const { classes, files, size } = folder;
  return {
    title,
    classes,
    mean: IMAGENET_MEAN,
    std: IMAGENET_STD,
    test: { count: files.length, height: size, width: size, channels: 3 },
    batches: (batchSize, limit = files.length) =>
      imageFolderBatches(
        { ...folder, files: spread(files, limit) },
        { batchSize, concurrency: 2 * batchSize, onSkip },
      ),
  };
}

/** The test pictures of a data set in memory. */
export function datasetStream({ title, classes, mean, std, test }: Dataset): TestPictures {
  return {
    title,
    classes,
    mean,
    std,
    test,
    async *batches(batchSize, limit) {
      yield* evaluationBatches(test, { batchSize, limit });
    },
  };
}
