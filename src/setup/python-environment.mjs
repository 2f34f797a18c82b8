import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { SetupError, Unavailable } from './errors.mjs';
import { hashOf, readJson, writeWhole } from './files.mjs';
import { runPip } from './pip.mjs';
import { environmentPython, findPython } from './python.mjs';
import { findProgram, tellingLine } from './run.mjs';

const STAMP = 'cim-pruning.json';

/** @param {string} root */
function wanted(root) {
  // Scripts in the environment hold absolute paths: a checkout that was moved needs a new one.
  return { lock: hashOf(readFileSync(join(root, 'requirements.lock'))), root };
}

/**
 * The state of `.venv`. One that someone else made is filled, never deleted.
 *
 * @param {string} root
 * @returns {Promise<'ready' | 'outdated' | 'broken' | 'foreign' | 'none'>}
 */
export async function environmentState(root) {
  const folder = join(root, '.venv');
  const entries = await readdir(folder).catch(() => null);
  if (!entries) return 'none';
  if (entries.length === 0) return 'broken';
  const stamp = readJson(join(folder, STAMP));
  if (!stamp) return 'foreign';
  const { lock, root: home } = wanted(root);
  const moved = stamp.root !== home || !existsSync(environmentPython(root));
  if (!stamp.complete || moved) return stamp.foreign ? 'foreign' : 'broken';
  return stamp.lock === lock ? 'ready' : 'outdated';
}

/**
 * Makes an empty environment with pip in it, by the first way that this machine has.
 *
 * @param {import('./context.mjs').Context} context
 * @param {string} python
 * @throws {Unavailable}
 */
async function createEnvironment(context, python) {
  const folder = join(context.root, '.venv');
  const inside = environmentPython(context.root);
  const uv = findProgram('uv', context.env);
  /** @type {[string, string[]][][]} */
  const ways = [
    [[python, ['-m', 'venv', folder]]],
    [[python, ['-m', 'virtualenv', folder]]],
    // Debian's python3 has venv but not ensurepip; its own pip can fill the environment.
    [
      [python, ['-m', 'venv', '--without-pip', folder]],
      [python, ['-m', 'pip', '--python', inside, 'install', '--quiet', 'pip']],
    ],
    ...(uv
      ? [
          /** @type {[string, string[]][]} */ ([
            [uv, ['venv', '--seed', '--allow-existing', '--python', python, folder]],
          ]),
        ]
      : []),
  ];
  let why = '';
  for (const way of ways) {
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder);
    await writeWhole(join(folder, STAMP), JSON.stringify({ complete: false }));
    let done = true;
    for (const [program, parameters] of way) {
      const { status, output } = await context.run('python-venv', program, parameters);
      if (status !== 0) {
        why ||= tellingLine(output);
        done = false;
        break;
      }
    }
    if (done && existsSync(inside)) return;
  }
  await rm(folder, { recursive: true, force: true });
  if (/No space left|Permission denied|Read-only/i.test(why)) throw new Error(why);
  throw new Unavailable(`${python} cannot make environments (Debian and Ubuntu: apt install python3-venv)`);
}

/** @type {import('./context.mjs').Step} */
export const pythonEnvironment = {
  name: 'Python for Jupyter',
  megabytes: 700,
  without: 'notebooks cannot be executed; the library and the command line work',
  async ready({ root }) {
    return (await environmentState(root)) === 'ready' ? 'Jupyter in .venv' : null;
  },
  what() {
    return 'making .venv with JupyterLab, nbclient, nbconvert, plotly: about 60 MB to download';
  },
  async work(context, task) {
    const { root } = context;
    const state = await environmentState(root);
    const found = await findPython(context.env);
    if (state === 'none' || state === 'broken') await createEnvironment(context, found.program);
    if (!existsSync(environmentPython(root))) {
      throw new SetupError('.venv is there but is no Python environment; move it away and run this again');
    }
    const lock = join(root, 'requirements.lock');
    // Wheels alone: a source package would want compilers and headers that a newcomer may lack.
    const parameters = ['install', '--require-hashes', '--only-binary=:all:', '--no-deps', '-r', lock];
    await runPip(context, environmentPython(root), parameters, { name: 'python-packages', task });
    const foreign = state === 'foreign' || readJson(join(root, '.venv', STAMP))?.foreign === true;
    await writeWhole(
      join(root, '.venv', STAMP),
      JSON.stringify({ complete: true, foreign, ...wanted(root) }),
    );
    return `Jupyter in .venv (Python ${found.version}), 60 MB`;
  },
};
