import { existsSync, readFileSync } from 'node:fs';
import { extname } from 'node:path';
import { InputError } from '../errors';
import { fileError } from '../networks/file-errors';
import { parseJson } from './parse-json';

/** Mean and deviation of the pictures that a network was trained with, as far as its files tell. */
export interface StatedNormalisation {
  readonly mean?: readonly number[];
  readonly std?: readonly number[];
  /** Whether the .json beside the file tells some of it. */
  readonly fromSidecar: boolean;
}

/**
 * Mean and deviation from a network file's metadata, else from the .json beside it.
 * @throws InputError, naming the file, unless both are told or neither, each as one number a channel
 */
export function statedNormalisation(
  path: string,
  metadata: Readonly<Record<string, string>>,
  channels: number,
): StatedNormalisation {
  const sidecar = `${path.slice(0, -extname(path).length)}.json`;
  const beside = existsSync(sidecar) ? readSidecar(sidecar) : {};
  const found: { mean?: readonly number[]; std?: readonly number[] } = {};
  let fromSidecar = false;
  for (const name of ['mean', 'std'] as const) {
    const own = metadata[name] !== undefined;
    if (!own && !(name in beside)) continue;
    const where = `${own ? path : sidecar}: ${name}`;
    found[name] = checked(where, own ? parseJson(where, metadata[name]) : beside[name], name, channels);
    fromSidecar ||= !own;
  }
  const { mean, std } = found;
  if ((mean === undefined) !== (std === undefined))
    throw new InputError(
      `${path}: it tells ${mean ? 'mean without std' : 'std without mean'}; both or neither are needed`,
    );
  return { ...found, fromSidecar };
}

function readSidecar(path: string): Record<string, unknown> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw fileError(path, 'read', error);
  }
  const value = parseJson(path, text);
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new InputError(`${path}: an object with mean and std is needed`);
  return value;
}

function checked(where: string, value: unknown, name: 'mean' | 'std', channels: number): readonly number[] {
  const good = (x: unknown) => Number.isFinite(x) && (name === 'mean' || (x as number) > 0);
  if (Array.isArray(value) && value.length === channels && value.every(good)) return value;
  throw new InputError(
    `${where}: ${JSON.stringify(value)}; ${channels} numbers${name === 'std' ? ' above 0' : ''} are needed`,
  );
}
