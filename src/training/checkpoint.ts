import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import type { Dataset } from '../data/dataset';
import { InputError } from '../errors';
import type { NetworkDescription, Parameters } from '../networks/description';
import { readSafetensors } from '../networks/read-safetensors';
import type { StoredTensor, TensorData } from '../networks/stored-tensor';
import { writeSafetensors } from '../networks/write-safetensors';
import { hashParameters } from './hash-parameters';
import { lengthOf, parameterLayout } from './parameter-vector';
import type { EpochRecord, TrainingRecipe } from './train';
import type { TrainerState } from './trainer';
import type { WeightSteering } from './weight-steering';

const VECTORS = ['weights', 'velocity', 'average', 'statistics', 'averageStatistics'] as const;

const FORMAT = 'cim-pruning training state 1';

/** What a training is of; a checkpoint serves only the same. */
export interface TrainingSubject {
  readonly network: NetworkDescription;
  readonly recipe: TrainingRecipe;
  readonly dataset: Pick<Dataset, 'name' | 'checksums'>;
  /** What it starts from; absent: fresh parameters of the recipe's seed. */
  readonly start?: Parameters;
  /** Its state is kept and restored with the rest. */
  readonly steering?: WeightSteering;
}

/** Names of a steering's tensors begin with this. */
const STEERING = 'steering.';

/**
 * Keeps the whole state of a training after an epoch: a safetensors file with the state's vectors, and network, data
 * set, recipe and curve as metadata. Written whole or not at all.
 */
export function writeCheckpoint(
  path: string,
  { network, recipe, dataset, start, steering }: TrainingSubject,
  state: TrainerState,
  curve: readonly EpochRecord[],
): void {
  const vectors = new Map<string, TensorData>(VECTORS.map((name) => [name, state[name]]));
  for (const [name, data] of steering?.state() ?? []) vectors.set(STEERING + name, data);
  const tensors = new Map([...vectors].map(([name, data]) => [name, { shape: [data.length], data }]));
  writeSafetensors(path, tensors, {
    format: FORMAT,
    network: network.name,
    dataset: dataset.name,
    data: JSON.stringify(dataset.checksums),
    start: startDigest(start),
    recipe: JSON.stringify(recipe),
    curve: JSON.stringify(curve),
  });
}

/**
 * The state kept at `path`, or undefined where there is none; a steering's own state is restored into it.
 * @throws InputError when the file is something else, or of another network, data set, start or recipe; the line names
 *   what differs.
 */
export function readCheckpoint(
  path: string,
  { network, recipe, dataset, start, steering }: TrainingSubject,
): { state: TrainerState; curve: EpochRecord[] } | undefined {
  if (!existsSync(path)) return undefined;
  const { tensors, metadata } = readSafetensors(path);
  const another = 'give another checkpoint path';
  if (metadata.format !== FORMAT) throw new InputError(`${path}: not the state of a training; ${another}`);
  for (const [what, stored, wanted] of [
    ['network', metadata.network, network.name],
    ['data set', metadata.dataset, dataset.name],
  ])
    if (stored !== wanted)
      throw new InputError(`${path}: a training of ${what} '${stored}', not of '${wanted}'; ${another}`);
  for (const [what, stored, wanted] of [
    [`pictures of ${dataset.name}`, metadata.data, JSON.stringify(dataset.checksums)],
    ['starting weights', metadata.start, startDigest(start)],
  ])
    if (stored !== wanted) throw new InputError(`${path}: a training with other ${what}; ${another}`);
  const differing = differingFields(parseField(path, 'recipe', metadata.recipe), recipe);
  if (differing.length > 0)
    throw new InputError(
      `${path}: a training with another ${differing.join(', ')}; finish it with its own recipe or ${another}`,
    );
  const curve = parseField(path, 'curve', metadata.curve);
  if (!Array.isArray(curve)) throw new InputError(`${path}: metadata 'curve' is damaged`);
  const state = readState(path, tensors, network);
  const steered = [...tensors].filter(([name]) => name.startsWith(STEERING));
  steering?.restore(new Map(steered.map(([name, tensor]) => [name.slice(STEERING.length), tensor])));
  return { state, curve };
}

function startDigest(start: Parameters | undefined): string {
  const hash = createHash('sha256');
  hashParameters(hash, start);
  return hash.digest('hex');
}

function readState(
  path: string,
  tensors: ReadonlyMap<string, StoredTensor>,
  network: NetworkDescription,
): TrainerState {
  const layout = parameterLayout(network);
  const lengths = { weights: layout.length, statistics: lengthOf(layout.statistics) };
  const vectors = VECTORS.map((name) => {
    const data = tensors.get(name)?.data;
    const expected = /statistics/i.test(name) ? lengths.statistics : lengths.weights;
    if (!(data instanceof Float32Array) || data.length !== expected)
      throw new InputError(`${path}: tensor '${name}' should hold ${expected} float32 numbers`);
    return [name, data] as const;
  });
  return Object.fromEntries(vectors) as unknown as TrainerState;
}

/** Fields of two recipes that are not alike, or that only one of them has. */
function differingFields(stored: unknown, recipe: TrainingRecipe): string[] {
  const before = { ...(stored as Record<string, unknown>) };
  const now: Record<string, unknown> = { ...recipe };
  return Object.keys({ ...now, ...before }).filter(
    (field) => JSON.stringify(before[field]) !== JSON.stringify(now[field]),
  );
}

function parseField(path: string, name: string, text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    throw new InputError(`${path}: metadata '${name}' is damaged`);
  }
}
