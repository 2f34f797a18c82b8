import { join } from 'node:path';
import type { Dataset } from '../data/dataset';
import { openDataset } from '../data/open-dataset';
import { InputError } from '../errors';
import { resultsFolder } from '../experiments/open-experiment';
import { recipes as allRecipes, type Recipe, recipesFor } from '../experiments/recipes';
import { expectedNetworks, type NetworksOutcome, reportNetworks } from '../experiments/run-networks';
import type { CommandContext } from './command';
import { announcement, runRecipes } from './run-recipes';

export interface RunFullOptions {
  readonly dataDir?: string;
  /** Where networks, states, results, table and figure go. */
  readonly folder: string;
  readonly fresh?: boolean;
  /** Name of the one recipe to run, with what it is made from; default: all. */
  readonly network?: string;
  /** Default: those of the package. */
  readonly recipes?: readonly Recipe[];
  /** Percent, by name; default: those of `data/expected/small.json`. */
  readonly expectedTop1?: Readonly<Record<string, number>>;
  readonly context: CommandContext;
}

/**
 * Profile full: makes networks again from nothing by their recipes, then verifies them as profile small does, against
 * the committed networks' accuracies and the recipes' tolerances.
 */
export async function runFull(options: RunFullOptions): Promise<NetworksOutcome> {
  const { network, dataDir, context, recipes: all = allRecipes } = options;
  if (network !== undefined && !all.some(({ name }) => name === network))
    throw new InputError(`--model ${network}: recipes are ${all.map(({ name }) => name).join(', ')}`);
  const recipes = recipesFor(network, all);
  const datasets: Dataset[] = [];
  for (const name of new Set(recipes.map(({ data }) => data)))
    datasets.push(await openDataset({ name, dir: dataDir, download: true, onProgress: context.onProgress }));
  const folder = resultsFolder(options);
  const minutes = recipes.reduce((sum, recipe) => sum + recipe.minutes, 0);
  context.note(`${recipes.length} recipes, about ${(minutes / 60).toFixed(1)} h on two cores in all:`);
  for (const recipe of recipes) context.note(`  ${announcement(recipe)}`);
  const made = await runRecipes(recipes, { folder, dataDir, context });
  const tolerances = new Map(recipes.map(({ name, tolerance }) => [name, tolerance]));
  const verified = recipes.filter(({ tolerance }) => tolerance !== undefined);
  const expected = options.expectedTop1 ?? expectedNetworks();
  return reportNetworks({
    profile: 'full',
    paths: verified.map(({ name }) => made.get(name)!),
    datasets,
    folder: join(folder, 'verified'),
    figures: join(folder, 'figures'),
    expectedTop1: expected,
    // An 8-bit form goes with its float network.
    allowance: ({ name, float }) => ({
      tolerance: tolerances.get(name) ?? tolerances.get(float)!,
      compare: 'at least',
    }),
    onProgress: context.onProgress,
  });
}
