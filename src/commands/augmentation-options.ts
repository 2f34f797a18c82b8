import { type CommandOption, type Options, realNumber, wholeNumber } from './command';

/** Of `train` and `prune --method training`: how training pictures are changed. */
export const augmentationOptions: Readonly<Record<string, CommandOption>> = {
  cutout: { value: 'N', help: 'side of the square blotted out of training pictures; 0 (default): none' },
  mixing: { value: 'X', help: 'share of the training pictures that are mixed with another (default: none)' },
  views: {
    value: 'A',
    help: 'training pictures are random rectangles of at least this share of them, not crops (default: no)',
  },
};

/** What these options say. @throws InputError naming the option that is out of range */
export function augmentation(options: Options): {
  readonly cutout: number | undefined;
  readonly mixing?: number;
  readonly views?: number;
} {
  const mixing = realNumber(options, 'mixing', 0, 1);
  const views = realNumber(options, 'views', 0.01, 1);
  return {
    cutout: wholeNumber(options, 'cutout', 0, 1024),
    ...(mixing && { mixing }),
    ...(views !== undefined && { views }),
  };
}
