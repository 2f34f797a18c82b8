import { existsSync } from 'node:fs';
import { chmod, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { SetupError } from './errors.mjs';
import { hashOf, linkLeadsTo, placeLink, readJson, writeWhole } from './files.mjs';
import { tellingLine } from './run.mjs';

/**
 * All files that the compiler reads or writes from, with sizes and times: a cheap fingerprint of the sources.
 *
 * @param {string} root
 * @returns {Promise<string>}
 */
export async function sourceFingerprint(root) {
  const entries = await readdir(join(root, 'src'), { recursive: true });
  const sources = entries.filter((name) => /\.(ts|json)$/.test(name)).map((name) => join('src', name));
  const lines = await Promise.all(
    [...sources, 'tsconfig.json', 'package-lock.json'].sort().map(async (name) => {
      const { size, mtimeMs } = await stat(join(root, name));
      return `${name} ${size} ${mtimeMs}`;
    }),
  );
  return hashOf(...lines);
}

/** @param {import('./context.mjs').Context} context */
const stampPath = ({ home }) => join(home, 'build.json');

/**
 * Deletes compiled files whose source is gone, so that nothing imports them by mistake.
 *
 * @param {string} root
 */
async function removeOrphans(root) {
  const dist = join(root, 'dist');
  for (const name of await readdir(dist, { recursive: true })) {
    const match = /^(.*)\.(?:js|js\.map|d\.ts)$/.exec(name);
    if (match && !existsSync(join(root, 'src', `${match[1]}.ts`)))
      await rm(join(dist, name), { force: true });
  }
}

/** @type {import('./context.mjs').Step} */
export const build = {
  name: 'TypeScript build',
  megabytes: 20,
  async ready(context) {
    const stamp = readJson(stampPath(context));
    const there = existsSync(join(context.root, 'dist', 'index.js'));
    return there && stamp?.sources === (await sourceFingerprint(context.root)) ? 'dist/ is up to date' : null;
  },
  what: () => 'compiling src/ to dist/',
  async work(context) {
    const { root } = context;
    const sources = await sourceFingerprint(root);
    // Without its own record the compiler would not write again what was deleted.
    if (!existsSync(join(root, 'dist', 'index.js')))
      await rm(join(root, 'dist', '.tsbuildinfo'), { force: true });
    const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
    const { status, output } = await context.run('build', process.execPath, [
      compiler,
      '-p',
      root,
      '--pretty',
      'false',
    ]);
    if (status !== 0) {
      const errors = output.split('\n').filter((line) => /error TS\d+/.test(line));
      throw new SetupError(
        `src/ does not compile (${errors.length || 1} errors): ${errors[0] ?? tellingLine(output)}`,
      );
    }
    await removeOrphans(root);
    await writeWhole(stampPath(context), JSON.stringify({ sources }));
    return 'compiled';
  },
};

const LINKS = [
  // Notebooks import the built package by its name.
  { path: 'node_modules/cim-pruning', target: '..' },
  // `npx cim-pruning` looks here first.
  { path: 'node_modules/.bin/cim-pruning', target: '../../dist/cli.js' },
];

/** @param {string} root */
async function isExecutable(root) {
  const found = await stat(join(root, 'dist', 'cli.js')).catch(() => null);
  return found !== null && (found.mode & 0o111) !== 0;
}

/** @type {import('./context.mjs').Step} */
export const packageLinks = {
  name: 'Command and package',
  megabytes: 1,
  async ready({ root }) {
    const places = await Promise.all(LINKS.map(({ path, target }) => linkLeadsTo(join(root, path), target)));
    return places.every(Boolean) && (await isExecutable(root)) ? 'npx cim-pruning' : null;
  },
  what: () => 'linking the command and the package',
  async work({ root }) {
    const command = join(root, 'dist', 'cli.js');
    if (!existsSync(command)) throw new SetupError('src/cli.ts is missing: there is no command to link');
    const text = await readFile(command, 'utf8');
    if (!text.startsWith('#!')) throw new SetupError('src/cli.ts does not begin with "#!/usr/bin/env node"');
    await chmod(command, 0o755);
    for (const { path, target } of LINKS) await placeLink(join(root, path), target);
    return 'npx cim-pruning works here';
  },
};
