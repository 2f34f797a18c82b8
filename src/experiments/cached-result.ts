import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { replaceFile } from '../networks/replace-file';
import { noteUse, type ResultOrigin, timeResult } from './result-origin';

/**
 * What `compute` gave last time for the same key, kept as `name`.json in the folder with its origin; an interrupted run
 * goes on from there. A result that cannot be read is computed again, as is one whose `files` are no longer there.
 */
export function cachedResult<T>(
  folder: string,
  name: string,
  key: unknown,
  compute: () => T,
  files: readonly string[] = [],
): T {
  const kept = keptResult<T>(folder, name, key, files);
  if (kept) return kept.value;
  const origin = timeResult();
  return keep(folder, name, key, compute(), origin());
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
  if (kept) return kept.value;
  const origin = timeResult();
  return keep(folder, name, key, await compute(), origin());
}

interface Stored<T> {
  readonly key: string;
  readonly value: T;
  /** Absent in files of before it was kept. */
  readonly origin?: ResultOrigin;
}

function keptResult<T>(
  folder: string,
  name: string,
  key: unknown,
  files: readonly string[],
): Stored<T> | undefined {
  const path = resultPath(folder, name);
  const stored = files.every((file) => existsSync(file)) ? readStored<T>(path) : undefined;
  if (stored?.key !== digestOf(key)) return undefined;
  noteUse(path, stored.origin);
  return stored;
}

function keep<T>(folder: string, name: string, key: unknown, value: T, origin: ResultOrigin): T {
  const path = resultPath(folder, name);
  writeJson(path, { key: digestOf(key), origin, value } satisfies Stored<T>);
  noteUse(path, origin);
  return value;
}

/** Where a result is kept. */
export const resultPath = (folder: string, name: string) => join(folder, `${name}.json`);

/** SHA-256 of a key's JSON, in hexadecimal. */
export function digestOf(key: unknown): string {
  return createHash('sha256').update(JSON.stringify(key)).digest('hex');
}

function readStored<T>(path: string): Stored<T> | undefined {
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
