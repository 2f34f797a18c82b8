import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { download } from './download.mjs';
import { SetupError, Unavailable, WrongContent } from './errors.mjs';
import { hashOfFile, readJson } from './files.mjs';
import { addLinks, gatherHeaders, HEADERS, moveLibraries, wheelLibraries } from './libtensorflow-layout.mjs';
import { LIBTENSORFLOW, OFFICIAL_HOST, SOURCES } from './libtensorflow-sources.mjs';
import { runPip } from './pip.mjs';
import { pythonWithPip } from './python.mjs';
import { size } from './report.mjs';
import { tellingLine } from './run.mjs';
import { extractZipEntry, readZipDirectory } from './unzip.mjs';

const OFFICIAL_TIMEOUT_MS = 4_000;

/** @param {string} home */
export const libtensorflowFolder = (home) => join(home, LIBTENSORFLOW);

/**
 * What is installed, or null. The folder appears whole, by one rename.
 *
 * @param {string} home
 * @returns {{version: string, from: string} | null}
 */
export const installedLibtensorflow = (home) => readJson(join(libtensorflowFolder(home), 'source.json'));

/**
 * @typedef {import('./context.mjs').Context} Context
 * @typedef {import('./report.mjs').Task} Task
 * @typedef {import('./libtensorflow-sources.mjs').Source} Source
 */

/**
 * @param {Context} context
 * @param {Source} source
 * @param {string} out
 * @param {Task} task
 * @returns {Promise<{version: string, from: string}>}
 */
async function fromOfficialHost(context, source, out, task) {
  const { official } = source;
  if (!official) throw new Unavailable('the official host has no archive for this platform');
  const mirror = context.env.TFJS_NODE_CDN_STORAGE;
  const host = mirror ? mirror.replace(/\/*$/, '/') : OFFICIAL_HOST;
  const archive = join(context.home, 'downloads', basename(official.path));
  await download(`${host}${official.path}`, archive, {
    sha256: official.sha256,
    env: context.env,
    timeoutMs: OFFICIAL_TIMEOUT_MS,
    onProgress: task.progress,
  });
  const unpacked = join(context.temporary, 'official');
  await mkdir(unpacked, { recursive: true });
  const { status, output } = await context.run('unpack', 'tar', ['-xzf', archive, '-C', unpacked]);
  if (status !== 0) throw new SetupError(`${archive} cannot be unpacked: ${tellingLine(output)}`);
  const missing = await gatherHeaders(join(unpacked, 'include'), join(out, 'include'));
  if (missing.length > 0) throw new Unavailable(`the official archive lacks ${missing.join(', ')}`);
  await moveLibraries(join(unpacked, 'lib'), join(out, 'lib'));
  return { version: official.version, from: 'official host' };
}

/**
 * The wheel among the finished downloads, where an earlier set-up was interrupted between fetching and unpacking it.
 *
 * @param {string} folder
 * @param {readonly string[]} hashes
 * @returns {Promise<string | null>}
 */
async function wheelIn(folder, hashes) {
  for (const name of await readdir(folder).catch(() => /** @type {string[]} */ ([]))) {
    if (!name.endsWith('.whl')) continue;
    if (hashes.includes(await hashOfFile(join(folder, name)))) return join(folder, name);
  }
  return null;
}

/**
 * @param {Context} context
 * @param {Source} source
 * @param {Task} task
 * @returns {Promise<string>} path of the verified wheel
 */
async function fetchWheel(context, { wheel }, task) {
  const downloads = join(context.home, 'downloads');
  const there = await wheelIn(downloads, wheel.sha256);
  if (there) return there;
  const python = await pythonWithPip(context);
  const fresh = join(context.temporary, 'wheel');
  await mkdir(fresh, { recursive: true });
  const list = join(context.temporary, 'libtensorflow.txt');
  const hashes = wheel.sha256.map((hash) => `--hash=sha256:${hash}`).join(' ');
  await writeFile(list, `${wheel.name}==${wheel.version} ${hashes}\n`);
  // The wheel of one Python version serves all: of it only the libraries and headers are taken.
  const kind = [
    '--only-binary=:all:',
    '--implementation',
    'cp',
    '--python-version',
    '3.11',
    '--platform',
    wheel.platform,
  ];
  const parameters = ['download', '--no-deps', '--require-hashes', ...kind, '--dest', fresh, '-r', list];
  await runPip(context, python, parameters, { name: 'libtensorflow', task, total: wheel.bytes });
  const [name] = (await readdir(fresh)).filter((entry) => entry.endsWith('.whl'));
  if (!name) throw new SetupError(`pip ended but left no wheel of ${wheel.name}`);
  await mkdir(downloads, { recursive: true });
  await rename(join(fresh, name), join(downloads, name));
  return join(downloads, name);
}

/**
 * @param {Context} context
 * @param {Source} source
 * @param {string} out
 * @param {Task} task
 * @returns {Promise<{version: string, from: string}>}
 */
async function fromWheel(context, source, out, task) {
  const wheel = await fetchWheel(context, source, task);
  const entries = await readZipDirectory(wheel);
  const libraries = wheelLibraries(source.suffix).map((name) => ({
    name: `tensorflow/${name}`,
    to: join(out, 'lib', name),
  }));
  const headers = HEADERS.map((name) => ({
    name: `tensorflow/include/${name}`,
    to: join(out, 'include', name),
  }));
  const wanted = [...libraries, ...headers];
  const missing = wanted.filter(({ name }) => !entries.has(name));
  if (missing.length > 0) throw new SetupError(`${basename(wheel)} lacks ${missing[0].name}`);
  const total = wanted.reduce((sum, { name }) => sum + (entries.get(name)?.size ?? 0), 0);
  let done = 0;
  for (const { name, to } of wanted) {
    const entry = /** @type {import('./unzip.mjs').ZipEntry} */ (entries.get(name));
    await extractZipEntry(wheel, entry, to, (bytes) => {
      done += bytes;
      task.progress(done, total);
    });
  }
  return { version: source.wheel.version, from: `wheel of ${source.wheel.name}` };
}

/**
 * @param {Readonly<Record<string, Source>>} [sources] by `${process.platform}-${process.arch}`
 * @returns {import('./context.mjs').Step}
 */
export const libtensorflowStep = (sources = SOURCES) => ({
  name: 'libtensorflow',
  megabytes: 1300,
  without: 'networks run on WebAssembly or plain JavaScript; training needs the native engine',
  async ready({ home }) {
    const found = installedLibtensorflow(home);
    return found ? `${found.version} (${found.from})` : null;
  },
  what({ platform, arch }) {
    const source = sources[`${platform}-${arch}`];
    return source ? `fetching it, about ${size(source.wheel.bytes)} to download` : 'looking for it';
  },
  async work(context, task) {
    const source = sources[`${context.platform}-${context.arch}`];
    if (!source) throw new Unavailable(`there is no build of it for ${context.platform} on ${context.arch}`);
    const out = join(context.temporary, LIBTENSORFLOW);
    let found;
    try {
      found = await fromOfficialHost(context, source, out, task);
    } catch (error) {
      // Out of reach, or a filter on the way answers in its stead.
      if (!(error instanceof Unavailable || error instanceof WrongContent)) throw error;
      await rm(out, { recursive: true, force: true });
      found = await fromWheel(context, source, out, task);
    }
    await addLinks(join(out, 'lib'), source.suffix);
    await writeFile(join(out, 'source.json'), JSON.stringify(found), { flush: true });
    await rm(libtensorflowFolder(context.home), { recursive: true, force: true });
    await rename(out, libtensorflowFolder(context.home));
    await rm(join(context.home, 'downloads'), { recursive: true, force: true });
    return `${found.version} (${found.from}), ${size(source.wheel.bytes)}`;
  },
});
