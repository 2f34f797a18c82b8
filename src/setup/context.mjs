import { join } from 'node:path';
import { freeBytes } from './files.mjs';
import { run } from './run.mjs';

/**
 * @typedef {object} Context what every step is given
 * @property {string} root the checkout
 * @property {string} home `.setup` in it, ignored by git: what was downloaded or built, and stamps
 * @property {NodeJS.ProcessEnv} env
 * @property {string} platform of process.platform
 * @property {string} arch of process.arch
 * @property {(path: string) => Promise<number>} freeBytes
 * @property {(name: string, program: string, parameters: string[], options?: {cwd?: string, env?: NodeJS.ProcessEnv}) => Promise<import('./run.mjs').Ran>} run
 *   runs a program with its output in `.setup/log/<name>.log`
 * @property {string} temporary a folder for work in progress, emptied when a set-up begins and ends
 *
 * @typedef {object} Step one thing that has to be there
 * @property {string} name
 * @property {number} megabytes free disk space that the work needs
 * @property {(context: Context) => Promise<string | null>} ready what is there, or null where the work has to be done; fast
 * @property {(context: Context) => string} what what the work does, and how much it downloads
 * @property {(context: Context, task: import('./report.mjs').Task) => Promise<string>} work what was done
 * @property {string} [without] what is missed where the step throws Unavailable
 */

/**
 * @param {string} root
 * @param {{env?: NodeJS.ProcessEnv, lock?: import('./lock.mjs').Lock | null}} [options]
 * @returns {Context}
 */
export function createContext(root, { env = process.env, lock = null } = {}) {
  const home = join(root, '.setup');
  return {
    root,
    home,
    env,
    platform: process.platform,
    arch: process.arch,
    freeBytes,
    temporary: join(home, 'tmp'),
    run: (name, program, parameters, options = {}) =>
      run(program, parameters, {
        cwd: root,
        env,
        log: join(home, 'log', `${name}.log`),
        onSpawn: (pid) => lock?.setChild(pid),
        ...options,
      }),
  };
}
