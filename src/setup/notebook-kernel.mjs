import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Unavailable } from './errors.mjs';
import { hashOf, readJson, writeWhole } from './files.mjs';
import { environmentPython } from './python.mjs';
import { environmentState } from './python-environment.mjs';
import { tellingLine } from './run.mjs';

/** @param {string} root */
const installer = (root) => join(root, 'src', 'kernel', 'install.mjs');

/** @param {string} root */
const kernelsFolder = (root) => join(root, '.venv', 'share', 'jupyter', 'kernels');

/**
 * What the kernel's registration depends on; it holds absolute paths.
 *
 * @param {string} root
 */
async function fingerprint(root) {
  const folder = join(root, 'src', 'kernel');
  const names = (await readdir(folder)).filter((name) => name.endsWith('.mjs')).sort();
  const texts = await Promise.all(names.map((name) => readFile(join(folder, name))));
  return hashOf(root, process.execPath, ...names, ...texts);
}

/** @param {string} root */
const stampPath = (root) => join(root, '.venv', 'cim-pruning-kernel.json');

/** @type {import('./context.mjs').Step} */
export const notebookKernel = {
  name: 'Notebook kernel',
  megabytes: 1,
  without: 'notebooks cannot be executed; the library and the command line work',
  async ready({ root }) {
    if (!existsSync(installer(root))) return 'none in this checkout';
    const kernels = await readdir(kernelsFolder(root)).catch(() => []);
    if (kernels.length === 0) return null;
    return readJson(stampPath(root))?.fingerprint === (await fingerprint(root))
      ? 'registered in .venv'
      : null;
  },
  what: () => 'registering TypeScript with Jupyter',
  async work({ root, run }) {
    if ((await environmentState(root)) !== 'ready') throw new Unavailable('it needs Python for Jupyter');
    const { status, output } = await run('kernel', process.execPath, [installer(root)]);
    if (status !== 0) throw new Unavailable(`src/kernel/install.mjs failed: ${tellingLine(output)}`);
    await writeWhole(stampPath(root), JSON.stringify({ fingerprint: await fingerprint(root) }));
    return `registered for ${environmentPython('.')}`;
  },
};
