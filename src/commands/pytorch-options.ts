import { InputError } from '../errors';
import type { PytorchPruning, PytorchStage } from '../training/pytorch/run-pytorch';
import { defaultRecipe } from '../training/train';
import { type CommandOption, type Options, textOption } from './command';
import { refreshingOf, relaxationOf } from './relaxation-options';
import type { TrainingNumbers } from './training-options';

/** Of `train` and `prune --method training`: the other engine. */
export const pytorchOption: CommandOption = {
  value: 'PYTHON',
  help: 'train with the PyTorch of this Python, on its GPU if it has one',
};

/** The Python that `--pytorch` names, if any. @throws InputError for an empty name */
export function pythonOf(options: Options): string | undefined {
  const python = textOption(options, 'pytorch');
  if (python === '') throw new InputError("--pytorch: '' is no Python");
  return python;
}

/** What `prune --method training --pytorch` trains by default; epochs, rate and batch as on one GPU. */
export const pytorchDefaults = {
  epochs: 40,
  batchSize: 512,
  rate: 0.1,
  warmup: 0.05,
  weightDecay: 1e-4,
  labelSmoothing: 0,
  cutout: 0,
  averageDecay: 0.99,
  distillation: 0.9,
} as const;

/** The same training by the other engine, which has no `views`. */
export function pytorchStage({ views: _, ...numbers }: TrainingNumbers): PytorchStage {
  return { ...numbers, crop: defaultRecipe.crop };
}

const DEFAULT_RELAX = 0.7;

/** How it prunes on the way. @throws InputError naming the option that is out of range */
export function pytorchPruning(options: Options, rows: number, adcBits: number): PytorchPruning {
  const limits = { rows, bitLimit: 2 ** adcBits - 1 };
  const refreshing = refreshingOf(options);
  if (refreshing) return { ...limits, ...refreshing };
  const { share, interval, pull, firstBitLimit } = relaxationOf(options, DEFAULT_RELAX);
  return {
    ...limits,
    ...(firstBitLimit !== undefined && { firstBitLimit }),
    interval,
    relax: share,
    pull,
  };
}
