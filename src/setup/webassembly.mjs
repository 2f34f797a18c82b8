import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { SetupError } from './errors.mjs';
import { hashOf, readJson, writeWhole } from './files.mjs';
import { tellingLine } from './run.mjs';

/**
 * No array is checked for its bounds (tests do that), and memory is never freed: what is made once is kept.
 */
const OPTIONS = ['-O3', '--converge', '--noAssert', '--uncheckedBehavior', 'always', '--runtime', 'stub'];

/**
 * What is compiled to WebAssembly: the folder of its sources, the file to begin with, options of its own, the result.
 *
 * @typedef {{ name: string, title: string, sources: string, entry: string, options: readonly string[], result: string }} Core
 * @type {readonly Core[]}
 */
const CORES = [
  {
    name: 'projection-core',
    title: 'Projection core',
    sources: join('src', 'projections', 'core'),
    entry: 'exports',
    options: [],
    result: join('dist', 'projections', 'core.wasm'),
  },
  {
    name: 'crossbar-kernel',
    title: 'Crossbar kernel',
    sources: join('src', 'crossbar', 'kernel'),
    entry: 'kernel',
    options: ['--enable', 'simd'],
    result: join('dist', 'crossbar', 'kernel.wasm'),
  },
];

/**
 * A core's files as AssemblyScript, by name. A file that is AssemblyScript alone, or in its stead, ends so; the others are
 * TypeScript too, and AssemblyScript knows no type-only imports.
 *
 * @param {string} root
 * @param {Core} core
 * @returns {Promise<Map<string, string>>}
 */
async function readSources(root, core) {
  const folder = join(root, core.sources);
  const sources = new Map();
  for (const name of (await readdir(folder)).sort()) {
    const text = await readFile(join(folder, name), 'utf8');
    if (name.endsWith('.assemblyscript')) sources.set(name.replace('.assemblyscript', '.ts'), text);
    else if (name.endsWith('.ts') && !sources.has(name))
      sources.set(
        name,
        text.replace(/^import [^;]*;/gm, (line) => line.replace(/\btype /g, '')),
      );
  }
  return sources;
}

/**
 * @param {string} root
 * @param {Core} core
 * @returns {Promise<string>}
 */
async function fingerprint(root, core) {
  const compiler = readJson(join(root, 'node_modules', 'assemblyscript', 'package.json'));
  const sources = await readSources(root, core);
  return hashOf(String(compiler?.version), ...OPTIONS, ...core.options, ...[...sources].flat());
}

/**
 * @param {import('./context.mjs').Context} context
 * @param {Core} core
 */
const stampPath = ({ home }, core) => join(home, `${core.name}.json`);

/**
 * @param {Core} core
 * @returns {import('./context.mjs').Step}
 */
function compileStep(core) {
  return {
    name: core.title,
    megabytes: 1,
    async ready(context) {
      const { root } = context;
      if (!existsSync(join(root, core.result))) return null;
      const stamp = readJson(stampPath(context, core));
      return stamp?.sources === (await fingerprint(root, core)) ? 'WebAssembly' : null;
    },
    what: () => `compiling ${core.sources}/ to WebAssembly`,
    async work(context) {
      const { root, temporary } = context;
      const folder = join(temporary, core.name);
      await rm(folder, { recursive: true, force: true });
      await mkdir(folder, { recursive: true });
      for (const [name, text] of await readSources(root, core)) await writeFile(join(folder, name), text);
      const made = join(folder, basename(core.result));
      const compiler = join(root, 'node_modules', 'assemblyscript', 'bin', 'asc.js');
      const parameters = [
        compiler,
        `${core.entry}.ts`,
        ...OPTIONS,
        ...core.options,
        '-o',
        basename(core.result),
      ];
      const { status, output } = await context.run(core.name, process.execPath, parameters, {
        cwd: folder,
      });
      if (status !== 0 || !existsSync(made)) {
        const error = output.split('\n').find((line) => line.startsWith('ERROR'));
        throw new SetupError(
          `${core.sources}/ does not compile to WebAssembly: ${error ?? tellingLine(output)}`,
        );
      }
      await mkdir(dirname(join(root, core.result)), { recursive: true });
      await rename(made, join(root, core.result));
      await rm(folder, { recursive: true, force: true });
      await writeWhole(stampPath(context, core), JSON.stringify({ sources: await fingerprint(root, core) }));
      return 'compiled';
    },
  };
}

export const [projectionCore, crossbarKernel] = CORES.map(compileStep);
