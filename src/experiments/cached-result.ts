import { createHash } from 'node:crypto';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

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
  const path = join(folder, `${name}.json`);
  const digest = digestOf(key);
  const stored = files.every((file) => existsSync(file)) ? readStored<T>(path) : undefined;
  if (stored?.key === digest) return stored.value;
  const value = compute();
  writeJson(path, { key: digest, value });
  return value;
}

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
  writeFileSync(`${path}.part`, `${JSON.stringify(value, null, 1)}\n`);
  renameSync(`${path}.part`, path);
}
