import { join } from 'node:path';
import { namedFolder, openDataset } from '../data/open-dataset';
import { InputError } from '../errors';
import { byPytorch, fineTuningDrop, fineTuningRecipes, IMPORTED } from '../experiments/fine-tuning-recipes';
import { type ExperimentOptions, resultsFolder } from '../experiments/open-experiment';
import type { Recipe } from '../experiments/recipes';
import { type NetworksOutcome, reportNetworks } from '../experiments/run-networks';
import { dropClaims } from '../experiments/verify-report';
import type { CommandContext } from './command';
import { runRecipes } from './run-recipes';

/** `dataDir`: class folders of pictures, in train and val; `model`: the imported network's file. Both are needed. */
export interface RunFineTuningOptions extends Omit<ExperimentOptions, 'onProgress' | 'note'> {
  /** Default: those of the package. */
  readonly recipes?: readonly Recipe[];
  /** Side of the recipes' pictures; default 112. */
  readonly size?: number;
  /** A Python whose PyTorch trains the float network; default: the package's own engine does. */
  readonly python?: string;
  readonly context: CommandContext;
}

/** Fine-tunes an imported network on other pictures, prunes it, and verifies what came out on all test pictures. */
export async function runFineTuning(options: RunFineTuningOptions): Promise<NetworksOutcome> {
  const { model, recipes = fineTuningRecipes, size = 112, python, context } = options;
  const { dir: dataDir } = namedFolder({ dir: options.dataDir });
  const { figures, notebook } = options;
  if (!dataDir || !model)
    throw new InputError(
      'experiment fine-tuning: name class folders of pictures, in train and val, with --data DIR and the network with --model FILE (torchvision names)',
    );
  const folder = resultsFolder(options);
  const given = new Map([[IMPORTED, model]]);
  const { onProgress } = context;
  const pictures = { size, resize: size };
  const dataset = await openDataset({ name: 'imagenet-folder', dir: dataDir, pictures, onProgress });
  const own = python === undefined ? recipes : recipes.map(byPytorch);
  const recipesOf = { folder, given, dataDir, datasets: [dataset], python: python ?? 'python3', context };
  const made = await runRecipes(own, recipesOf);
  return reportNetworks({
    profile: 'fine-tuning',
    stem: '09-fine-tuning',
    paths: [...made].filter(([name]) => name.startsWith('fine-tuned')).map(([, path]) => path),
    datasets: [dataset],
    folder: join(folder, 'verified'),
    figures,
    notebook,
    judge: (result) => dropClaims(result, fineTuningDrop),
    onProgress,
    note: context.note,
  });
}
