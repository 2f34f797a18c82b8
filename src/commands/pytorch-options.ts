import { InputError } from '../errors';
import type { PytorchPruning, PytorchStage } from '../training/pytorch/run-pytorch';
import { defaultRecipe } from '../training/train';
import { type CommandOption, type Options, realNumber, textOption, wholeNumber } from './command';
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

/** Of `prune --method training --pytorch`. */
export const pytorchPruningOptions: Readonly<Record<string, CommandOption>> = {
  pytorch: pytorchOption,
  relax: {
    value: 'X',
    help: '--pytorch: share of the epochs in which real weights are drawn to codes (default 0.7)',
  },
  pull: { value: 'A:B', help: '--pytorch: share of the way a step, first and last (default 0.0005:0.1)' },
  interval: { value: 'N', help: '--pytorch: steps between two choices of bits (default 91)' },
};

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

/** How it prunes on the way. @throws InputError naming the option that is out of range */
export function pytorchPruning(options: Options, rows: number, adcBits: number): PytorchPruning {
  const firstBitLimit = wholeNumber(options, 'first-bit-limit', 1, 65_535);
  return {
    rows,
    bitLimit: 2 ** adcBits - 1,
    ...(firstBitLimit !== undefined && { firstBitLimit }),
    interval: wholeNumber(options, 'interval', 1, 1e6) ?? 91,
    relax: realNumber(options, 'relax', 0.01, 0.99) ?? 0.7,
    pull: pullOf(textOption(options, 'pull') ?? '0.0005:0.1'),
  };
}

function pullOf(text: string): [number, number] {
  const pair = text.split(':').map(Number);
  if (pair.length !== 2 || !pair.every((share) => share > 0 && share < 1))
    throw new InputError(`--pull ${text}: A:B is needed, both above 0 and below 1`);
  return [pair[0], pair[1]];
}
