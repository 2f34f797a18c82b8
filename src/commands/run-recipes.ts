import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Dataset } from '../data/dataset';
import { fileSha256 } from '../data/file-sha256';
import { cachedLater, digestOf } from '../experiments/cached-result';
import { packagedNetwork } from '../experiments/open-model';
import { ingredients, type Recipe } from '../experiments/recipes';
import { type Command, type CommandContext, parseCommandLine } from './command';
import { pruneCommand } from './prune';
import { trainCommand } from './train';

const verbs: Readonly<Record<string, Command>> = { train: trainCommand, prune: pruneCommand };

export interface RunRecipesOptions {
  /** Where networks and the states of unfinished ones go. */
  readonly folder: string;
  /** Files that recipes take and none makes, by name; others come from the package's networks. */
  readonly given?: ReadonlyMap<string, string>;
  /** Folder of the pictures, where these are not generated. */
  readonly dataDir?: string;
  /** The data sets of the recipes. */
  readonly datasets: readonly Pick<Dataset, 'name' | 'checksums'>[];
  /** For recipes by PyTorch. */
  readonly python: string;
  readonly context: CommandContext;
}

/**
 * Runs recipes in order, each by its own verb. What an earlier run made by the same recipe from the same files and data is
 * taken over; an unfinished recipe goes on where it stopped, as its verb does. Returns the files by recipe name.
 */
export async function runRecipes(
  recipes: readonly Recipe[],
  { folder, given, dataDir, datasets, python, context }: RunRecipesOptions,
): Promise<Map<string, string>> {
  mkdirSync(folder, { recursive: true });
  const made = new Map<string, string>();
  const fileOf = (name: string) => made.get(name) ?? given?.get(name) ?? packagedNetwork(name);
  for (const recipe of recipes) {
    const { name, data, line, engine } = recipe;
    const output = join(folder, `${name}.safetensors`);
    const key = {
      line,
      data: datasets.find((dataset) => dataset.name === data)?.checksums,
      from: ingredients(recipe).map((ingredient) => fileSha256(fileOf(ingredient))),
    };
    const state = join(folder, `${name}-${digestOf(key).slice(0, 8)}`);
    const words = line.split(' ').map((word) => word.replace(/^\{(.+)\}$/, (_, other) => fileOf(other)));
    const [verb, ...args] = words;
    args.push('--dataset', data, '-o', output);
    if (data !== 'generated' && dataDir !== undefined) args.push('--data', dataDir);
    if (engine === 'pytorch') args.push('--pytorch', python);
    else if (verb === 'train') args.push('--checkpoint', `${state}.state.safetensors`);
    if (line.includes('--method training')) args.push('--checkpoints', state);
    const run = async () => {
      context.note(announcement(recipe));
      const parsed = parseCommandLine(verbs[verb], args);
      const { text, data: result } = await verbs[verb].run(parsed.words, parsed.options, context);
      context.note(text);
      return result;
    };
    await cachedLater(folder, name, key, run, [output]);
    made.set(name, output);
  }
  return made;
}

/** The command line and the time it takes, told before it begins. */
export function announcement({ name, line, minutes, time, engine }: Recipe): string {
  const duration = minutes < 90 ? `${minutes} min` : `${(minutes / 60).toFixed(1)} h`;
  const where = engine === 'pytorch' ? 'by PyTorch on one H100' : 'on two cores';
  return `${name}: ${line}; about ${duration} ${where} (${time})`;
}
