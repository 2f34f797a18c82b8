import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { SetupError } from './errors.mjs';
import { hashOf, readJson, writeWhole } from './files.mjs';
import { tellingLine } from './run.mjs';

const SOURCES = join('src', 'projections', 'core');
const PORTABLE = 'portable';
const RESULT = join('dist', 'projections', 'core.wasm');

/**
 * No array is checked for its bounds (the same source runs with checks in plain TypeScript's tests), and memory is
 * never freed: a solver is made once and keeps it.
 */
const OPTIONS = ['-O3', '--converge', '--noAssert', '--uncheckedBehavior', 'always', '--runtime', 'stub'];

/**
 * The core's files as AssemblyScript, by name. It knows no type-only imports, and has its own file of types.
 *
 * @param {string} root
 * @returns {Promise<Map<string, string>>}
 */
async function readSources(root) {
  const folder = join(root, SOURCES);
  const sources = new Map();
  for (const name of (await readdir(folder)).sort()) {
    if (!name.endsWith('.ts')) continue;
    const from = name === `${PORTABLE}.ts` ? `${PORTABLE}.assemblyscript` : name;
    const text = await readFile(join(folder, from), 'utf8');
    sources.set(
      name,
      text.replace(/^import [^;]*;/gm, (line) => line.replace(/\btype /g, '')),
    );
  }
  return sources;
}

/**
 * @param {string} root
 * @param {Map<string, string>} sources
 * @returns {Promise<string>}
 */
async function fingerprint(root, sources) {
  const compiler = readJson(join(root, 'node_modules', 'assemblyscript', 'package.json'));
  return hashOf(String(compiler?.version), ...OPTIONS, ...[...sources].flat());
}

/** @param {import('./context.mjs').Context} context */
const stampPath = ({ home }) => join(home, 'projection-core.json');

/** @type {import('./context.mjs').Step} */
export const projectionCore = {
  name: 'Projection core',
  megabytes: 1,
  async ready(context) {
    const { root } = context;
    if (!existsSync(join(root, RESULT))) return null;
    const stamp = readJson(stampPath(context));
    return stamp?.sources === (await fingerprint(root, await readSources(root))) ? 'WebAssembly' : null;
  },
  what: () => `compiling ${SOURCES}/ to WebAssembly`,
  async work(context) {
    const { root, temporary } = context;
    const sources = await readSources(root);
    const folder = join(temporary, 'projection-core');
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true });
    for (const [name, text] of sources) await writeFile(join(folder, name), text);
    const made = join(folder, basename(RESULT));
    const compiler = join(root, 'node_modules', 'assemblyscript', 'bin', 'asc.js');
    const parameters = [compiler, 'solver.ts', ...OPTIONS, '-o', basename(RESULT)];
    const { status, output } = await context.run('projection-core', process.execPath, parameters, {
      cwd: folder,
    });
    if (status !== 0 || !existsSync(made)) {
      const error = output.split('\n').find((line) => line.startsWith('ERROR'));
      throw new SetupError(`${SOURCES}/ does not compile to WebAssembly: ${error ?? tellingLine(output)}`);
    }
    await mkdir(join(root, 'dist', 'projections'), { recursive: true });
    await rename(made, join(root, RESULT));
    await rm(folder, { recursive: true, force: true });
    await writeWhole(stampPath(context), JSON.stringify({ sources: await fingerprint(root, sources) }));
    return 'compiled';
  },
};
