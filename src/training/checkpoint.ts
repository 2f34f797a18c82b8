import { existsSync } from 'node:fs';
import { InputError } from '../errors';
import type { NetworkDescription } from '../networks/description';
import { readSafetensors } from '../networks/read-safetensors';
import { writeSafetensors } from '../networks/write-safetensors';
import { lengthOf, parameterLayout } from './parameter-vector';
import type { EpochRecord, TrainingRecipe } from './train';
import type { TrainerState } from './trainer';

const VECTORS = ['weights', 'velocity', 'average', 'statistics', 'averageStatistics'] as const;

/**
 * Keeps the whole state of a training after an epoch: a safetensors file with the state's vectors, and network,
 * recipe and curve as metadata. Written whole or not at all.
 */
export function writeCheckpoint(
  path: string,
  network: NetworkDescription,
  recipe: TrainingRecipe,
  state: TrainerState,
  curve: readonly EpochRecord[],
): void {
  const tensors = new Map(VECTORS.map((name) => [name, { shape: [state[name].length], data: state[name] }]));
  writeSafetensors(path, tensors, {
    format: 'cim-pruning training state 1',
    network: network.name,
    recipe: JSON.stringify(recipe),
    curve: JSON.stringify(curve),
  });
}

/**
 * The state kept at `path`, or undefined where there is none.
 * @throws InputError when the file is another network's or another recipe's; the line names what differs.
 */
export function readCheckpoint(
  path: string,
  network: NetworkDescription,
  recipe: TrainingRecipe,
): { state: TrainerState; curve: EpochRecord[] } | undefined {
  if (!existsSync(path)) return undefined;
  const { tensors, metadata } = readSafetensors(path);
  if (metadata.network !== network.name)
    throw new InputError(
      `${path}: a training of network '${metadata.network ?? 'unknown'}', not of '${network.name}'; give another checkpoint path`,
    );
  const stored = JSON.parse(metadata.recipe) as TrainingRecipe;
  const differing = Object.keys(recipe).filter(
    (key) =>
      JSON.stringify(stored[key as keyof TrainingRecipe]) !==
      JSON.stringify(recipe[key as keyof TrainingRecipe]),
  );
  if (differing.length > 0)
    throw new InputError(
      `${path}: a training with another ${differing.join(', ')}; finish it with its own recipe or give another checkpoint path`,
    );
  const layout = parameterLayout(network);
  const lengths = { weights: layout.length, statistics: lengthOf(layout.statistics) };
  const vectors = VECTORS.map((name) => {
    const data = tensors.get(name)?.data;
    const expected = /statistics/i.test(name) ? lengths.statistics : lengths.weights;
    if (!(data instanceof Float32Array) || data.length !== expected)
      throw new InputError(`${path}: tensor '${name}' should hold ${expected} float32 numbers`);
    return [name, data] as const;
  });
  return { state: Object.fromEntries(vectors) as unknown as TrainerState, curve: JSON.parse(metadata.curve) };
}
