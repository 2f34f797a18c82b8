import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterAll } from 'vitest';
import { type Context, createContext } from '../../src/setup/context.mjs';

const made: string[] = [];
afterAll(() => {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** An empty folder, with a space in its name, that is deleted when the file's tests have ended. */
export function sandbox(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'cim set-up ')));
  made.push(folder);
  return folder;
}

export function write(path: string, text: string): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  return path;
}

/** A program of the given name that comes first on PATH. */
export function fakeProgram(root: string, name: string, script: string): string {
  const path = write(join(root, 'fake bin', name), `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}

/** A context whose PATH holds the fakes, then the system's own tools, but no other npm, Python or compiler. */
export function contextWithFakes(root: string, more: NodeJS.ProcessEnv = {}): Context {
  const env = { PATH: [join(root, 'fake bin'), '/bin', '/usr/bin'].join(delimiter), HOME: root, ...more };
  return createContext(root, { env });
}

export const silentTask = { progress() {}, end() {} };

/** Lines that were said. */
export function listener(): { lines: string[]; write: (text: string) => void } {
  const lines: string[] = [];
  return { lines, write: (text) => lines.push(...text.split('\n').filter(Boolean)) };
}
