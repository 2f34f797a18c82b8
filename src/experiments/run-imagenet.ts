import { join } from 'node:path';
import { calibrationSplit } from '../data/calibration-split';
import { filesChecksum } from '../data/files-checksum';
import { loadPictures, spread, trainFolderOf } from '../data/image-folder';
import { joinPictures } from '../data/join-pictures';
import { mosaics } from '../data/mosaics';
import { namedFolder } from '../data/open-dataset';
import { withRandomViews } from '../data/random-views';
import { folderStream } from '../data/test-pictures';
import { InputError } from '../errors';
import type { ExpectedVersusObtained } from '../reports/expected-versus-obtained';
import type { Table } from '../reports/table';
import { randomStream } from '../tensor/random';
import { writeJson } from './cached-result';
import { imagenetClaims, imagenetFigures, imagenetStem, imagenetTable, kernelTable } from './imagenet-report';
import { codingParts, type ImagenetResult, type ImagenetStudyOptions, imagenetStudy } from './imagenet-study';
import { type ExperimentOptions, resultsFolder } from './open-experiment';
import { openFloatModel } from './open-model';
import { publishStudy } from './publish-study';
import { requireFit } from './require-fit';

export type RunImagenetOptions = ExperimentOptions &
  Pick<
    ImagenetStudyOptions,
    | 'points'
    | 'distilled'
    | 'distillation'
    | 'trained'
    | 'earlier'
    | 'testPictures'
    | 'iterations'
    | 'patches'
    | 'seed'
    | 'encoding'
    | 'weightBits'
  > & {
    /** Calibration pictures; default 250. */
    readonly calibration?: number;
    /** Random views of each to calibrate on beside it; default 5. */
    readonly views?: number;
    /** Class folders (or train and val of such) of more pictures to calibrate on, brought to half the side. */
    readonly moreDir?: string;
    /** How many of them, four to a mosaic; default 3000. */
    readonly more?: number;
    /** Side of the central square of each picture; default 224. */
    readonly size?: number;
  };

export interface ImagenetOutcome {
  readonly result: ImagenetResult;
  readonly tables: readonly Table[];
  readonly verdict: ExpectedVersusObtained;
  readonly files: readonly string[];
}

/** The late layers have few positions a picture and thousands of rows: fewer pictures would leave their Hessians thin. */
export const IMAGENET_CALIBRATION = 250;

const VIEWS = 5;

/** Four to a mosaic, they weigh half as much as the pictures with their views. */
const MORE = 3000;

/** The study of an ImageNet network from class folders of pictures to figures. */
export async function runImagenet(options: RunImagenetOptions): Promise<ImagenetOutcome> {
  const startedAt = new Date();
  const { onProgress, note, size = 224 } = options;
  const { dir } = namedFolder({ dir: options.dataDir });
  if (!dir || !options.model)
    throw new InputError(
      'experiment imagenet: name class folders of pictures with --data DIR (or train and val of such) and the network with --model FILE (torchvision names)',
    );
  const model = openFloatModel(options.model);
  const count = options.calibration ?? IMAGENET_CALIBRATION;
  const split = await calibrationSplit(dir, count, { size });
  const { resize } = split.calibration;
  const whole = await loadPictures({ ...split.calibration, size: resize }, { onProgress });
  const { views = VIEWS, seed = 1 } = options;
  const own = withRandomViews(whole, size, views, randomStream(seed, 'views'));
  const more = options.moreDir === undefined ? undefined : await mosaicPictures(options.moreDir, options);
  const calibration = more ? joinPictures(own, more.pictures) : own;
  const scored = folderStream(split.scored, `pictures of ${split.scored.files.length} files`, (skipped) =>
    note?.(`left out ${skipped.path}: ${skipped.reason}`),
  );
  requireFit(model.description, scored);
  const folder = resultsFolder(options, model.name, ...codingParts(options));
  const viewed = `${split.rule}, ${views} random views of each too`;
  const rule = more ? `${viewed}; ${more.rule}` : viewed;
  const checksum = more ? `${split.checksum} ${more.checksum}` : split.checksum;
  const pictures = { calibration, scored, rule, checksum, preparation: { views, seed } };
  const result = await imagenetStudy({ ...options, model, pictures, folder });
  const table = imagenetTable(result);
  const kernels = kernelTable(result);
  const { verdict, files } = await publishStudy(
    {
      parameters: { experiment: 'imagenet', network: result.network, model: result.model },
      settings: {
        inputBits: 8,
        calibrationPictures: result.calibrationPictures,
        ...result.pruning,
        size,
        testPictures: result.float.pictures,
        split: rule,
      },
      seed: result.seed,
      dataChecksums: result.checksums,
      startedAt,
      tables: new Map([
        [imagenetStem(result), table],
        // Of the float network: once is enough.
        ...(codingParts(options).length > 0 ? [] : ([[`06-${result.network}-kernels`, kernels]] as const)),
      ]),
      figures: imagenetFigures(result),
      ...imagenetClaims(result),
      folder,
      origins: result.origins,
    },
    options,
  );
  const kept = join(options.figures, `${imagenetStem(result)}.results.json`);
  writeJson(kept, result);
  return { result, tables: [table, kernels], verdict, files: [...files, kept] };
}

/** Mosaics of the training pictures of `dir`, evenly spread over them and shuffled. */
async function mosaicPictures(
  dir: string,
  { more = MORE, size = 224, seed = 1, onProgress }: RunImagenetOptions,
) {
  const side = size / 2;
  const folder = await trainFolderOf(dir, { size: side, resize: side });
  const files = spread(folder.files, more);
  const set = await loadPictures({ ...folder, files }, { onProgress });
  const order = randomStream(seed, 'mosaics').permutation(set.count);
  const pictures = mosaics(set, 2, order);
  return {
    pictures,
    rule: `${pictures.count} mosaics of ${files.length} other pictures for calibration too`,
    checksum: filesChecksum({ ...folder, dir, files }),
  };
}
