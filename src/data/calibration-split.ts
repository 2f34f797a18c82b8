import { InputError } from '../errors';
import { filesChecksum } from './files-checksum';
import {
  type ImageFolder,
  type ImageFolderOptions,
  isParted,
  spread,
  testFolderOf,
  trainFolderOf,
} from './image-folder';

/** Pictures to calibrate on and pictures to score; none is in both. */
export interface CalibrationSplit {
  readonly calibration: ImageFolder;
  readonly scored: ImageFolder;
  /** How they were told apart, for titles. */
  readonly rule: string;
  /** Of all their files; see filesChecksum. */
  readonly checksum: string;
}

/**
 * Splits class folders of pictures by a fixed rule: of `dir`/train and `dir`/val the first is for calibration and the
 * second is scored; of class folders alone, `count` pictures evenly spread over the sorted list of all are for
 * calibration and the others are scored (of 1000 classes with a picture each and 250: classes 0, 4, 8, ...).
 * @throws InputError where fewer than 16 pictures would be left for either
 */
export async function calibrationSplit(
  dir: string,
  count: number,
  options: ImageFolderOptions = {},
): Promise<CalibrationSplit> {
  const parted = await isParted(dir);
  const scored = await testFolderOf(dir, options);
  const source = parted ? await trainFolderOf(dir, options) : scored;
  const chosen = spread(source.files, count);
  const taken = new Set(chosen);
  const rest = parted ? scored.files : scored.files.filter((file) => !taken.has(file));
  if (chosen.length < 16 || rest.length < 16)
    throw new InputError(
      `${dir}: ${chosen.length} pictures to calibrate on and ${rest.length} to score; at least 16 of each are needed`,
    );
  return {
    calibration: { ...source, files: chosen },
    scored: { ...scored, files: rest },
    rule: parted
      ? `${chosen.length} pictures of train for calibration, all ${rest.length} of val scored`
      : `every ${nth(source.files.length / chosen.length)} picture for calibration (${chosen.length}), the other ${rest.length} scored`,
    checksum: filesChecksum({ ...scored, dir, files: [...chosen, ...rest] }),
  };
}

function nth(step: number): string {
  return Number.isInteger(step) ? `${step}th` : `${step.toFixed(1)}th`;
}
