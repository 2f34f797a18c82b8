import { extname } from 'node:path';
import { InputError } from '../errors';
import { readFileParts } from './read-file-parts';
import { readSafetensors } from './read-safetensors';
import { readTorchCheckpoint } from './read-torch-checkpoint';
import type { StoredTensor } from './stored-tensor';

/** The tensors of a weight file in its order, named as the network's own modules. */
export interface Checkpoint {
  readonly path: string;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** Of a safetensors file; empty for a PyTorch one. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** What wrappers put before every name: DataParallel and EMA, torch.compile, and common wrapper modules. */
const PREFIXES = ['module.', '_orig_mod.', 'model.', 'net.'];

function withoutPrefixes(tensors: Map<string, StoredTensor>): Map<string, StoredTensor> {
  const dotted = [...tensors.keys()].filter((name) => name.includes('.'));
  const prefix = PREFIXES.find(
    (start) => dotted.length > 0 && dotted.every((name) => name.startsWith(start)),
  );
  if (!prefix) return tensors;
  const bare = (name: string) => (name.startsWith(prefix) ? name.slice(prefix.length) : name);
  return withoutPrefixes(new Map([...tensors].map(([name, tensor]) => [bare(name), tensor])));
}

/** Batch norm's step counter, which no inference uses. */
function withoutCounters(tensors: Map<string, StoredTensor>): Map<string, StoredTensor> {
  return new Map([...tensors].filter(([name]) => !name.endsWith('num_batches_tracked')));
}

/** Told by the first bytes, since names mislead: ZIP or pickle, else safetensors (a JSON header after 8 bytes). */
function kindOf(path: string): 'torch' | 'safetensors' {
  const start = readFileParts(path, (file) => file.read(0, Math.min(9, file.size)));
  if ((start[0] === 0x50 && start[1] === 0x4b) || (start[0] === 0x80 && start[1] >= 2)) return 'torch';
  if (start[8] === 0x7b || extname(path) === '.safetensors') return 'safetensors';
  if (['.pth', '.pt', '.th', '.bin'].includes(extname(path))) return 'torch';
  throw new InputError(`${path} is no weight file: a .safetensors file or a PyTorch .pth ZIP file is needed`);
}

/**
 * Reads a .safetensors file or a PyTorch .pth/.pt/.th ZIP file: without the prefixes of wrappers (`module.`) and without
 * `num_batches_tracked`. Throws InputError as `readSafetensors` and `readTorchCheckpoint` do.
 */
export function readCheckpoint(path: string): Checkpoint {
  const { tensors, metadata } =
    kindOf(path) === 'torch' ? { tensors: readTorchCheckpoint(path), metadata: {} } : readSafetensors(path);
  return { path, tensors: withoutCounters(withoutPrefixes(tensors)), metadata };
}
