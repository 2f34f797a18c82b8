import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Dataset } from '../data/dataset';
import { openDataset } from '../data/open-dataset';
import { InputError } from '../errors';
import { resultsFolder } from '../experiments/open-experiment';
import { packagedNetwork } from '../experiments/open-model';
import { recipes as allRecipes, ingredients, type Recipe, recipesFor } from '../experiments/recipes';
import { expectedNetworks, type NetworksOutcome, reportNetworks } from '../experiments/run-networks';
import { networksClaims } from '../experiments/verify-report';
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
  /** For recipes by PyTorch; where it has none, these are left out and the package's networks stand for theirs. */
  readonly python?: string;
  readonly context: CommandContext;
}

/**
 * Profile full: makes networks again from nothing by their recipes, then verifies them as profile small does, against
 * the committed networks' accuracies and the recipes' tolerances.
 */
export async function runFull(options: RunFullOptions): Promise<NetworksOutcome> {
  const { network, dataDir, context, python = 'python3', recipes: all = allRecipes } = options;
  if (network !== undefined && !all.some(({ name }) => name === network))
    throw new InputError(`--model ${network}: recipes are ${all.map(({ name }) => name).join(', ')}`);
  const wanted = recipesFor(network, all);
  const recipes = makeable(wanted, python, context);
  const datasets: Dataset[] = [];
  for (const name of new Set(wanted.map(({ data }) => data)))
    datasets.push(await openDataset({ name, dir: dataDir, download: true, onProgress: context.onProgress }));
  const folder = resultsFolder(options);
  const own = recipes.filter(({ engine }) => engine === undefined);
  const hours = own.reduce((sum, { minutes }) => sum + minutes, 0) / 60;
  context.note(`${own.length} recipes, about ${hours.toFixed(1)} h on two cores in all:`);
  for (const recipe of recipes) context.note(`  ${announcement(recipe)}`);
  const made = await runRecipes(recipes, { folder, dataDir, datasets, python, context });
  const tolerances = new Map(wanted.map(({ name, tolerance }) => [name, tolerance]));
  const verified = wanted.filter(({ tolerance }) => tolerance !== undefined);
  const expected = options.expectedTop1 ?? expectedNetworks();
  return reportNetworks({
    profile: 'full',
    paths: verified.map(({ name }) => made.get(name) ?? packagedNetwork(name)),
    datasets,
    folder: join(folder, 'verified'),
    figures: join(folder, 'figures'),
    judge: (result) =>
      networksClaims(result, expected, ({ name, float }) => ({
        // An 8-bit form goes with its float network.
        tolerance: tolerances.get(name) ?? tolerances.get(float)!,
        compare: 'at least',
      })),
    onProgress: context.onProgress,
  });
}

/** Our own engine's recipes, but for those that need a file that neither they nor the package have. */
function withoutPytorch(recipes: readonly Recipe[]): readonly Recipe[] {
  const rest: Recipe[] = [];
  const there = (name: string) => rest.some((own) => own.name === name) || existsSync(packagedNetwork(name));
  for (const recipe of recipes)
    if (recipe.engine !== 'pytorch' && ingredients(recipe).every(there)) rest.push(recipe);
  return rest;
}

/** The recipes that can be carried out here. @throws InputError where none is left */
function makeable(recipes: readonly Recipe[], python: string, context: CommandContext): readonly Recipe[] {
  const others = recipes.filter(({ engine }) => engine === 'pytorch');
  if (others.length === 0 || spawnSync(python, ['-c', 'import torch']).status === 0) return recipes;
  const rest = withoutPytorch(recipes);
  const names = recipes
    .filter((recipe) => !rest.includes(recipe))
    .map(({ name }) => name)
    .join(', ');
  if (rest.length === 0)
    throw new InputError(
      `${python} has no PyTorch, which ${names} needs: name one that has with --pytorch PYTHON`,
    );
  context.note(`${python} has no PyTorch (--pytorch PYTHON), so these are taken as they are: ${names}`);
  return rest;
}
