import { existsSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { fileSha256 } from '../data/file-sha256';
import { InputError } from '../errors';
import type { NetworkDescription, Parameters } from '../networks/description';
import { fileError } from '../networks/file-errors';
import { foldBatchNorm } from '../networks/fold-batch-norm';
import { loadParameters } from '../networks/load-parameters';
import type { MatchAccount } from '../networks/match-parameters';
import { networkByName } from '../networks/network-by-name';
import { readSafetensorsMetadata } from '../networks/read-safetensors';
import { packageRoot } from '../package-root';
import { dequantizedParameters } from '../quantization/dequantize';
import type { IntegerNetwork } from '../quantization/integer-network';
import { isIntegerNetwork, loadIntegerNetwork } from '../quantization/model-file';
import { digestOf } from './cached-result';
import { parseJson } from './parse-json';
import { statedNormalisation } from './stated-normalisation';

/** A float network ready for quantisation, with where it came from. */
export interface FloatModel {
  readonly kind: 'float';
  readonly name: string;
  readonly path: string;
  readonly sha256: string;
  /** What results depend on: the file, and mean and deviation where the .json beside it tells them. */
  readonly identity: string;
  /** As trained, with batch norm. */
  readonly description: NetworkDescription;
  readonly parameters: Parameters;
  /** Batch norm folded. */
  readonly folded: { readonly description: NetworkDescription; readonly parameters: Parameters };
  /** Per channel, of pixels / 255; undefined where neither file nor sidecar tells. */
  readonly mean?: readonly number[];
  readonly std?: readonly number[];
  /** How the file's tensors were matched. */
  readonly account: MatchAccount;
  /** Of a pruned network: the float network that it was pruned from. */
  readonly source?: ModelSource;
}

/** A network's file, named and told apart. */
export interface ModelSource {
  readonly model: string;
  readonly sha256: string;
}

/** A quantised, perhaps pruned network. */
export interface IntegerModel {
  readonly kind: 'integer';
  readonly name: string;
  readonly path: string;
  readonly sha256: string;
  readonly network: IntegerNetwork;
}

/** Folder of the networks that come with the package. */
export function modelFolder(): string {
  return join(packageRoot().root, 'data', 'models');
}

/** Where the package has the network of a name, if it has it. */
export function packagedNetwork(name: string): string {
  return join(modelFolder(), `${name}.safetensors`);
}

/**
 * Opens a model: a file (.safetensors, .pth, .pt, .th), or the name of one in `data/models`.
 * Mean and standard deviation of the pictures come from the file's metadata or from the .json beside it.
 * @param network name of the zoo; absent: recognised by its tensors
 * @throws InputError for a missing file or a checkpoint of another network
 */
export function openModel(nameOrPath: string, network?: string): FloatModel | IntegerModel {
  const path = modelPath(nameOrPath);
  const name = basename(path, extname(path));
  const sha256 = checksum(path);
  if (extname(path) === '.safetensors' && isIntegerNetwork(readSafetensorsMetadata(path)))
    return integerModel({ name, path, sha256 }, network);
  const description = network === undefined ? undefined : networkByName(network);
  const loaded = loadParameters(path, description);
  const stated = loaded.metadata.network;
  if (description && stated !== undefined) requireNetwork(path, stated, description.name);
  const own = statedNormalisation(path, loaded.metadata, loaded.description.input.channels);
  return {
    kind: 'float',
    name,
    path,
    sha256,
    identity: own.fromSidecar ? digestOf({ sha256, ...own }) : sha256,
    description: loaded.description,
    parameters: loaded.parameters,
    folded: foldBatchNorm(loaded.description, loaded.parameters),
    account: loaded.account,
    mean: own.mean,
    std: own.std,
  };
}

function integerModel(file: Pick<IntegerModel, 'name' | 'path' | 'sha256'>, wanted?: string): IntegerModel {
  const network = loadIntegerNetwork(file.path);
  if (wanted !== undefined) requireNetwork(file.path, network.description.name, networkByName(wanted).name);
  return { kind: 'integer', ...file, network };
}

function requireNetwork(path: string, stated: string, wanted: string): void {
  if (stated !== wanted) throw new InputError(`${path}: it holds ${stated}, not ${wanted}`);
}

/** `openModel` for a caller that needs a float network. */
export function openFloatModel(nameOrPath: string, network?: string): FloatModel {
  const model = openModel(nameOrPath, network);
  if (model.kind !== 'float')
    throw new InputError(`${model.path}: already quantised; a float network is needed here`);
  return model;
}

/**
 * A network to be pruned: a float one, or a pruned one to be pruned further, whose codes are the weights then.
 * @throws InputError as `openModel`, and for a quantised network that does not tell its float network
 */
export function openPrunableModel(nameOrPath: string, network?: string): FloatModel {
  const model = openModel(nameOrPath, network);
  if (model.kind === 'float') return model;
  const { name, path, sha256 } = model;
  const source = sourceOf(model);
  const { description, mean, std } = model.network;
  const parameters = dequantizedParameters(model.network);
  const folded = { description, parameters };
  return {
    kind: 'float',
    name,
    path,
    sha256,
    identity: sha256,
    ...folded,
    folded,
    mean,
    std,
    account: whole(parameters.size),
    source,
  };
}

/** The float network that a network was pruned from. @throws InputError where its file does not tell */
export function sourceOf({ path }: IntegerModel): ModelSource {
  const source = readSafetensorsMetadata(path).source;
  if (source === undefined)
    throw new InputError(`${path}: it does not tell the float network it was pruned from`);
  return parseJson(`${path}: source`, source);
}

/** The network of the package that a network was pruned from. @throws InputError where it is not there or another by now */
export function openSource(pruned: IntegerModel): FloatModel {
  const { model, sha256 } = sourceOf(pruned);
  const float = openFloatModel(model);
  if (float.sha256 !== sha256)
    throw new InputError(
      `${pruned.path}: pruned from a '${model}' of SHA-256 ${sha256}; ${float.path} is another network`,
    );
  return float;
}

const whole = (total: number): MatchAccount => ({
  matched: total,
  total,
  byOrder: [],
  missing: [],
  unused: [],
  shapeMismatches: [],
});

/** `openModel` for a caller that needs integer codes. */
export function openIntegerModel(nameOrPath: string): IntegerModel {
  const model = openModel(nameOrPath);
  if (model.kind !== 'integer')
    throw new InputError(`${model.path}: a float network; \`cim-pruning prune\` makes an integer one of it`);
  return model;
}

function checksum(path: string): string {
  try {
    return fileSha256(path);
  } catch (error) {
    throw fileError(path, 'read', error);
  }
}

/** The file of a model: a path, or the name of one in `data/models`. @throws InputError where there is none */
export function modelPath(nameOrPath: string): string {
  const named = packagedNetwork(nameOrPath);
  for (const path of [nameOrPath, named]) if (existsSync(path) && extname(path) !== '') return path;
  throw new InputError(`model '${nameOrPath}' not found: neither a file nor the name of one in data/models`);
}
