import { existsSync } from 'node:fs';
import { copyFile, cp, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fetchedCompiler, systemCompiler } from './compiler.mjs';
import { SetupError, Unavailable } from './errors.mjs';
import { hashOf, linkLeadsTo, placeLink, readJson } from './files.mjs';
import { installedLibtensorflow, libtensorflowFolder } from './libtensorflow.mjs';
import { BINDING_MENDS, MENDED_FILE, mendBinding } from './mend-binding.mjs';
import { tellingLine } from './run.mjs';

/** N-API 8, so one file serves Node 20, 22 and 24. */
const NAPI = 8;

/**
 * @typedef {import('./context.mjs').Context} Context
 * @typedef {import('./compiler.mjs').Compiler} Compiler
 */

/** @param {string} root */
const packageFolder = (root) => join(root, 'node_modules', '@tensorflow', 'tfjs-node');

/** @param {string} root */
const bindingPlace = (root) => join(packageFolder(root), 'lib', `napi-v${NAPI}`, 'tfjs_binding.node');

/**
 * Where the compiled binding is kept: outside node_modules, so that a later `npm ci` does not lose it.
 *
 * @param {Context} context
 * @returns {string | null} null without libtensorflow
 */
export function keptBinding({ root, home, platform, arch }) {
  const library = installedLibtensorflow(home);
  if (!library) return null;
  const version = readJson(join(packageFolder(root), 'package.json'))?.version ?? '';
  const key = hashOf(JSON.stringify(library), version, platform, arch, JSON.stringify(BINDING_MENDS)).slice(
    0,
    12,
  );
  return join(home, `binding-${key}.node`);
}

/**
 * Parameters of the compiler, after tfjs-node's binding.gyp but with the N-API headers of a package instead of Node's own from a
 * host. The macOS line was not tried.
 *
 * @param {{root: string, include: string, lib: string, sources: string[], out: string, platform: string}} options
 * @returns {string[]}
 */
export function compilerParameters({ root, include, lib, sources, out, platform }) {
  const common = ['-O2', '-std=c++17', '-fPIC', '-shared', `-DNAPI_VERSION=${NAPI}`];
  const headers = ['-I', join(root, 'node_modules', 'node-api-headers', 'include'), '-I', include];
  const libraries = [`-L${lib}`, '-ltensorflow', '-ltensorflow_framework'];
  const search =
    platform === 'darwin'
      ? ['-undefined', 'dynamic_lookup', '-Wl,-rpath,@loader_path/../../deps/lib']
      : ['-Wl,-rpath,$ORIGIN/../../deps/lib'];
  return [...common, ...headers, ...sources, ...libraries, ...search, '-o', out];
}

/**
 * A copy of tfjs-node's code with what it lacks.
 *
 * @param {Context} context
 * @returns {Promise<string[]>} the files to compile
 */
async function mendedSources({ root, temporary }) {
  const code = join(temporary, 'binding');
  await cp(join(packageFolder(root), 'binding'), code, { recursive: true });
  const mended = join(code, MENDED_FILE);
  await writeFile(mended, mendBinding(await readFile(mended, 'utf8')));
  return (await readdir(code)).filter((name) => name.endsWith('.cc')).map((name) => join(code, name));
}

/**
 * @param {Context} context
 * @param {string} kept
 * @param {import('./report.mjs').Task} task
 * @returns {Promise<string>} name of the compiler
 */
async function compile(context, kept, task) {
  const compiler = (await systemCompiler(context.env)) ?? (await fetchedCompiler(context, task));
  const sources = await mendedSources(context);
  const folder = libtensorflowFolder(context.home);
  const out = join(context.temporary, 'tfjs_binding.node');
  const { root, platform } = context;
  const parameters = compilerParameters({
    root,
    platform,
    include: join(folder, 'include'),
    lib: join(folder, 'lib'),
    sources,
    out,
  });
  const { status, output } = await context.run(
    'binding',
    compiler.program,
    [...compiler.first, ...parameters],
    {
      env: compiler.env,
    },
  );
  if (status !== 0) {
    if (/No space left/i.test(output)) throw new SetupError(tellingLine(output));
    throw new Unavailable(
      `the binding does not compile with ${compiler.name}: ${tellingLine(output)} (all of it: .setup/log/binding.log)`,
    );
  }
  await rename(out, kept);
  return compiler.name;
}

/**
 * @param {Context} context
 * @param {string} kept
 */
async function isPlaced(context, kept) {
  const placed = await readFile(bindingPlace(context.root)).catch(() => null);
  const compiled = await readFile(kept).catch(() => null);
  return placed !== null && compiled !== null && placed.equals(compiled) && (await isLinked(context));
}

/** @param {Context} context */
const depsLink = ({ root, home }) => ({
  path: join(packageFolder(root), 'deps', 'lib'),
  // Relative, so that a checkout may be moved.
  target: relative(join(packageFolder(root), 'deps'), join(libtensorflowFolder(home), 'lib')),
});

/** @param {Context} context */
const isLinked = (context) => linkLeadsTo(depsLink(context).path, depsLink(context).target);

/** @type {import('./context.mjs').Step} */
export const binding = {
  name: 'TensorFlow binding',
  megabytes: 50,
  without: 'networks run on WebAssembly or plain JavaScript; training needs the native engine',
  async ready(context) {
    const kept = keptBinding(context);
    return kept && (await isPlaced(context, kept)) ? 'compiled' : null;
  },
  what() {
    return 'compiling it for Node (without a C++ compiler one is fetched: 105 MB, some minutes)';
  },
  async work(context, task) {
    const kept = keptBinding(context);
    if (!kept) throw new Unavailable('it needs libtensorflow');
    const by = existsSync(kept) ? null : await compile(context, kept, task);
    const { path, target } = depsLink(context);
    await placeLink(path, target);
    const place = bindingPlace(context.root);
    await mkdir(join(place, '..'), { recursive: true });
    // A copy: the loader finds libraries relative to the true path of the file. Replaced by rename, as it may be in use.
    await copyFile(kept, `${place}.part`);
    await rename(`${place}.part`, place).catch(async (error) => {
      await rm(`${place}.part`, { force: true });
      throw error;
    });
    return by ? `compiled with ${by}` : 'put in place';
  },
};
