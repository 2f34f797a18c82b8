import { generatedPictures } from '../../src/data/generated-pictures';
import { defaultRecipe, type TrainingOptions, type TrainingRecipe, train } from '../../src/training/train';
import { mixedNetwork } from './small-networks';

export const dataset = generatedPictures({ train: 96, test: 40, size: 16, classes: 4 });

/** Everything random that a training can have. */
export const recipe: TrainingRecipe = {
  ...defaultRecipe,
  epochs: 3,
  batchSize: 16,
  crop: 2,
  cutout: 4,
  labelSmoothing: 0.1,
  averageDecay: 0.9,
};

/** Three epochs of a small network with dropout. */
export const run = (options: Partial<TrainingOptions> = {}) =>
  train({ network: mixedNetwork(), dataset, recipe, ...options });

// In a process of its own: node -r test/typescript-hook.cjs test/training/resumable-run.ts CHECKPOINT
if (require.main === module)
  run({ checkpoint: process.argv[2], onEpoch: ({ epoch }) => console.log(`epoch ${epoch}`) });
