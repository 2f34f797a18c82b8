import { InputError } from '../errors';
import { describeAccount, firstFew } from './describe-account';
import type { NetworkDescription, Parameters } from './description';
import { type MatchAccount, marksLayer, matchParameters } from './match-parameters';
import { networkNames } from './network-by-name';
import { type Checkpoint, readCheckpoint } from './read-checkpoint';
import { recogniseNetwork } from './recognise-network';
import { requireFinite } from './require-finite';

export interface LoadOptions {
  /** Accept a file that lacks parameters, has others, or has them in another shape; what fits is returned. Default false. */
  readonly partial?: boolean;
}

export interface LoadedParameters {
  readonly description: NetworkDescription;
  readonly parameters: Parameters;
  readonly account: MatchAccount;
  /** Of a safetensors file; empty for a PyTorch one. */
  readonly metadata: Readonly<Record<string, string>>;
}

function requireRecognised(checkpoint: Checkpoint): NetworkDescription {
  const description = recogniseNetwork(checkpoint);
  if (!description)
    throw new InputError(
      `${checkpoint.path}: its ${checkpoint.tensors.size} tensors (${firstFew([...checkpoint.tensors.keys()])}) are those of no known network; name one of ${networkNames.join(', ')}`,
    );
  return description;
}

/** Layers left over mean another, larger network; lone buffers do not. */
function leftLayers({ unused }: MatchAccount, { tensors }: Checkpoint): string[] {
  return unused.filter((name) => marksLayer(name, tensors.get(name)!));
}

function requireMatch(checkpoint: Checkpoint, description: NetworkDescription, account: MatchAccount): void {
  if (account.matched === account.total && leftLayers(account, checkpoint).length === 0) return;
  const stated = checkpoint.metadata.network;
  const holds = stated && stated !== description.name ? `holds ${stated}, not ${description.name}` : '';
  throw new InputError(
    `${checkpoint.path} ${holds || `is no checkpoint of ${description.name}`}: ${describeAccount(account).join('; ')}`,
  );
}

/**
 * Loads the parameters of `description` from a .safetensors file or a PyTorch state dict (.pth/.pt/.th ZIP file, read
 * without running pickled code); without `description` the network is recognised by its names and shapes. Tensors are
 * matched by name, else by order and shape; `describeAccount(account)` tells how. Throws InputError where the file
 * cannot be read, belongs to another network (naming tensors that differ), or holds numbers that are not finite.
 */
export function loadParameters(
  path: string,
  description?: NetworkDescription,
  { partial = false }: LoadOptions = {},
): LoadedParameters {
  const checkpoint = readCheckpoint(path);
  const network = description ?? requireRecognised(checkpoint);
  const { parameters, account } = matchParameters(checkpoint.tensors, network);
  if (!partial) requireMatch(checkpoint, network, account);
  requireFinite(path, parameters);
  return { description: network, parameters, account, metadata: checkpoint.metadata };
}
