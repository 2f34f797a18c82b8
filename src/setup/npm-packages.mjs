import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { SetupError } from './errors.mjs';
import { readJson } from './files.mjs';
import { findProgram, tellingLine } from './run.mjs';

/**
 * Whether node_modules holds what package-lock.json says. npm writes its own record there as the very last thing, so an
 * interrupted installation has none. Packages of other platforms are optional and may be missing.
 *
 * @param {string} root
 * @returns {boolean}
 */
export function packagesMatchLock(root) {
  const wanted = readJson(join(root, 'package-lock.json'))?.packages;
  const found = readJson(join(root, 'node_modules', '.package-lock.json'))?.packages;
  if (!wanted || !found) return false;
  for (const [path, entry] of Object.entries(wanted)) {
    if (path === '') continue;
    if (!found[path]) {
      if (entry.optional || entry.devOptional || entry.peer) continue;
      return false;
    }
    if (found[path].version !== entry.version || found[path].integrity !== entry.integrity) return false;
    if (!existsSync(join(root, path))) return false;
  }
  return true;
}

/**
 * The npm that started this, else the one on PATH, else the one beside this Node.
 *
 * @param {NodeJS.ProcessEnv} env
 * @returns {string[]} program and its first parameters
 */
export function npmCommand(env) {
  const running = env.npm_execpath;
  if (running && /^npm-cli\.c?js$/.test(basename(running)) && existsSync(running))
    return [process.execPath, running];
  const found = findProgram('npm', env);
  if (found) return [found];
  const beside = join(dirname(process.execPath), '..', 'lib', 'node_modules', 'npm', 'bin', 'npm-cli.js');
  if (existsSync(beside)) return [process.execPath, beside];
  throw new SetupError('npm was not found; it comes with Node (20.19 to 24)');
}

/** @type {import('./context.mjs').Step} */
export const npmPackages = {
  name: 'npm packages',
  megabytes: 900,
  async ready({ root }) {
    return packagesMatchLock(root) ? 'as in package-lock.json' : null;
  },
  what({ root }) {
    const count = Object.keys(readJson(join(root, 'package-lock.json'))?.packages ?? {}).length;
    return `installing up to ${count} packages, about 200 MB to download`;
  },
  async work({ root, env, run }) {
    const [program, ...first] = npmCommand(env);
    // Install scripts stay off: the one of tfjs-node aborts the whole installation where its host is out of reach.
    const parameters = [
      'ci',
      // TypeScript and the compilers are among them; NODE_ENV=production or an .npmrc would leave them out.
      '--include=dev',
      '--ignore-scripts',
      '--no-audit',
      '--no-fund',
      '--prefer-offline',
      '--loglevel=error',
    ];
    const { status, output } = await run('npm', program, [...first, ...parameters]);
    if (status !== 0)
      throw new SetupError(`npm ci failed: ${tellingLine(output)} (all of it: .setup/log/npm.log)`);
    if (!packagesMatchLock(root))
      throw new SetupError('npm ci ended but node_modules does not match package-lock.json');
    return 'installed, 200 MB';
  },
};
