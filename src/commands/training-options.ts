import type { PytorchStage } from '../training/pytorch/run-pytorch';
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

/** The numbers that every training has, whichever engine runs it. */
export interface TrainingNumbers extends Omit<PytorchStage, 'crop' | 'prune'> {
  /** See TrainingRecipe. */
  readonly views?: number;
}

/** These numbers as the options give them. @throws InputError naming the option that is out of range */
export function trainingNumbers(options: Options, defaults: TrainingNumbers): TrainingNumbers {
  const mixing = realNumber(options, 'mixing', 0, 1);
  const views = realNumber(options, 'views', 0.01, 1);
  return {
    epochs: wholeNumber(options, 'epochs', 1, 10_000) ?? defaults.epochs,
    batchSize: wholeNumber(options, 'batch-size', 1, 65_536) ?? defaults.batchSize,
    rate: realNumber(options, 'rate', 1e-9, 100) ?? defaults.rate,
    warmup: realNumber(options, 'warmup', 0, 0.99) ?? defaults.warmup,
    weightDecay: realNumber(options, 'weight-decay', 0, 1) ?? defaults.weightDecay,
    labelSmoothing: realNumber(options, 'label-smoothing', 0, 0.99) ?? defaults.labelSmoothing,
    averageDecay: realNumber(options, 'average-decay', 0, 0.99999) ?? defaults.averageDecay,
    distillation: realNumber(options, 'distillation', 0, 0.99) ?? defaults.distillation,
    cutout: wholeNumber(options, 'cutout', 0, 1024) ?? defaults.cutout,
    ...(mixing && { mixing }),
    ...(views !== undefined && { views }),
  };
}
