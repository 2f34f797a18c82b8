import { spawn } from 'node:child_process';
import { createWriteStream, existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';

const KEPT = 20_000;

/**
 * @typedef {object} Ran
 * @property {number} status exit status; -1 where a signal ended it, 127 where there is no such program
 * @property {string} output the last 20,000 characters of stdout and stderr together
 */

/**
 * Runs a program without a shell (so that spaces in paths are harmless), keeps the end of what it says, and all of it in a log.
 *
 * @param {string} program
 * @param {string[]} parameters
 * @param {{cwd?: string, env?: NodeJS.ProcessEnv, log?: string, onSpawn?: (pid: number | null) => unknown}} [options]
 * @returns {Promise<Ran>}
 */
export async function run(program, parameters, { cwd, env, log, onSpawn } = {}) {
  if (log) await mkdir(dirname(log), { recursive: true });
  const file = log ? createWriteStream(log) : null;
  file?.on('error', () => {});
  let output = '';
  /** @type {number} */
  const status = await new Promise((resolve) => {
    const child = spawn(program, parameters, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    if (child.pid) onSpawn?.(child.pid);
    const keep = (/** @type {Buffer} */ chunk) => {
      file?.write(chunk);
      output = (output + chunk.toString('utf8')).slice(-KEPT);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.on('error', (error) => {
      output += String(error.message);
      resolve(127);
    });
    child.on('close', (code) => resolve(code ?? -1));
  });
  await onSpawn?.(null);
  if (file) await new Promise((resolve) => file.end(() => resolve(null)));
  return { status, output };
}

/**
 * Where a program is on PATH.
 *
 * @param {string} name
 * @param {NodeJS.ProcessEnv} env
 * @returns {string | null}
 */
export function findProgram(name, env) {
  for (const folder of (env.PATH ?? '').split(delimiter)) {
    if (folder && existsSync(join(folder, name))) return join(folder, name);
  }
  return null;
}

/**
 * The line of a program's output that says what went wrong, for an error of one line.
 *
 * @param {string} output
 * @returns {string}
 */
export function tellingLine(output) {
  const lines = output.split(/[\r\n]+/).map((line) => line.trim());
  const backwards = [...lines].reverse();
  const last = (/** @type {RegExp} */ pattern) => backwards.find((line) => pattern.test(line));
  const line =
    last(/ENOSPC|No space left|EACCES|Permission denied|Read-only file system/i) ??
    lines.find((line) =>
      /^(npm error (?!A complete log|code)|ERROR: |error TS|.*: (fatal )?error: )/.test(line),
    ) ??
    last(/error/i) ??
    last(/\S/) ??
    'it said nothing';
  return line.replace(/^(npm error|ERROR:)\s*/, '').slice(0, 300);
}
