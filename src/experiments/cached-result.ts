import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { replaceFile } from '../networks/replace-file';

/**
 * What `compute` gave last time for the same key, kept as `name`.json in the folder; an interrupted run goes on from
 * there. A result that cannot be read is computed again, as is one whose `files` are no longer there.
 */
export function cachedResult<T>(
  folder: string,
  name: string,
  key: unknown,
  compute: () => T,
  files: readonly string[] = [],
): T {
  const kept = keptResult<T>(folder, name, key, files);
  return kept ? kept.value : keep(folder, name, key, compute());
}

/** `cachedResult` of what comes later. */
export async function cachedLater<T>(
  folder: string,
  name: string,
  key: unknown,
  compute: () => Promise<T>,
  files: readonly string[] = [],
): Promise<T> {
  const kept = keptResult<T>(folder, name, key, files);
  return kept ? kept.value : keep(folder, name, key, await compute());
}

function keptResult<T>(
  folder: string,
  name: string,
  key: unknown,
  files: readonly string[],
): { readonly value: T } | undefined {
  const stored = files.every((file) => existsSync(file)) ? readStored<T>(pathOf(folder, name)) : undefined;
  return stored?.key === digestOf(key) ? stored : undefined;
}

function keep<T>(folder: string, name: string, key: unknown, value: T): T {
  writeJson(pathOf(folder, name), { key: digestOf(key), value });
  return value;
}

const pathOf = (folder: string, name: string) => join(folder, `${name}.json`);

/** SHA-256 of a key's JSON, in hexadecimal. */
export function digestOf(key: unknown): string {
  return createHash('sha256').update(JSON.stringify(key)).digest('hex');
}

function readStored<T>(path: string): { key: string; value: T } | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) ?? undefined;
  } catch {
    return undefined;
  }
}

/** Writes JSON whole or not at all. */
export function writeJson(path: string, value: unknown): void {
  replaceFile(path, [Buffer.from(`${JSON.stringify(value, null, 1)}\n`)]);
}
