// What the comparisons share: options of the command line, and Python environments in bench/.scratch.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Folder of what the comparisons make. */
export const scratch = join(dirname(fileURLToPath(import.meta.url)), '.scratch');

/** What follows --name, else `other`. @param {string} name @param {string} other */
export function option(name, other) {
  const at = process.argv.indexOf(`--${name}`);
  return at > 0 ? process.argv[at + 1] : other;
}

/** The Python of --python, else that of an environment `name` with `packages`. @param {string} name @param {readonly string[]} packages */
export function python(name, packages) {
  const given = option('python', '');
  if (given) return given;
  const venv = join(scratch, name);
  const program = join(venv, 'bin', 'python');
  if (!existsSync(program)) {
    console.error(`making a Python environment with ${packages.join(', ')} ...`);
    mkdirSync(scratch, { recursive: true });
    execFileSync('python3', ['-m', 'venv', venv], { stdio: 'inherit' });
    execFileSync(program, ['-m', 'pip', 'install', '-q', ...packages], { stdio: 'inherit' });
  }
  return program;
}
