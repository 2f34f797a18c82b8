import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Unavailable } from './errors.mjs';
import { runPip } from './pip.mjs';
import { pythonWithPip } from './python.mjs';
import { findProgram, run } from './run.mjs';

/** A C++ compiler that the Python package index carries, for machines without one; about 100 MB, deleted after use. */
const ZIG = {
  version: '0.17.1',
  sha256: [
    '09953b6af7f64168b915180a42774f520f92d86ef6331b28e33915c7e1f0bb23',
    '27a8da5f8eaa0e76ebbc7c2594130ed4646c1101ada2ce0aa86fe580c74154b9',
    '4e0b4b9c02b8d0d220e9948010f860b62ff11d96abb39762eca5fa2ef3f7bc97',
    '69c3dfc3aff6a297ec4017aa904782c0e450eb988982d7f675d83edce27526fb',
    '7ec229ead4a08f3bc537ed33fa8c0f811739b81a0d05afbea89db30afb4df1cc',
    '87f24e5cdca55f5d47c1e20570eebb61a53957fafe4c35c69740e13affe407ba',
    'ae28f1f1150b95c8b1bb5e185d18e6c542877dc480e2476ccc81dac41f191b71',
    'b7c5f02fccd40f89b999ee16a1f5ddced56e6182370f8affe494bcf8a28cf07e',
    'd0549d5db63961ad9ed83ef628a45e3309542410dbcb6010116f4f2a3274d966',
    'd3bf27478d4593f2df7daf5c59b616a543b8f9e2cc9235bef84d8e54862a4334',
    'd65ae4223b0c351cb3b4596262b8d9773acc9ca94ef8ea9b5fe3ddfa07dd204f',
    'ea6cc5d87b033cf0aedfbc8f9549a908cae6c50ac31f1698188fa48a74524b54',
  ],
};

/**
 * @typedef {object} Compiler
 * @property {string} name
 * @property {string} program
 * @property {string[]} first parameters before all others
 * @property {NodeJS.ProcessEnv} env
 */

/** Needs the standard library's headers and the library itself. */
const TRIAL =
  '#include <string>\nint main(int n, char **) { return static_cast<int>(std::string(n, 32).size()) - n; }\n';

/**
 * The first C++ compiler of this machine that makes a program: CXX, c++, g++, clang++.
 *
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<Compiler | null>}
 */
export async function systemCompiler(env) {
  for (const name of [env.CXX, 'c++', 'g++', 'clang++']) {
    if (!name) continue;
    const program = name.includes('/') ? name : findProgram(name, env);
    if (!program) continue;
    if (await compiles(program, env)) return { name, program, first: [], env };
  }
  return null;
}

/**
 * Whether a compiler makes a program: one may be there without headers or libraries.
 *
 * @param {string} program
 * @param {NodeJS.ProcessEnv} env
 */
async function compiles(program, env) {
  const folder = await mkdtemp(join(tmpdir(), 'cim-compiler-'));
  try {
    const [source, out] = [join(folder, 'trial.cc'), join(folder, 'trial')];
    await writeFile(source, TRIAL);
    return (await run(program, ['-std=c++17', source, '-o', out], { env })).status === 0 && existsSync(out);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Fetches a compiler into the temporary folder.
 *
 * @param {import('./context.mjs').Context} context
 * @param {import('./report.mjs').Task} task
 * @returns {Promise<Compiler>}
 * @throws {Unavailable}
 */
export async function fetchedCompiler(context, task) {
  const advice =
    'there is no C++ compiler (Debian and Ubuntu: apt install g++; macOS: xcode-select --install)';
  const folder = join(context.temporary, 'compiler');
  await mkdir(folder, { recursive: true });
  const list = join(context.temporary, 'compiler.txt');
  await writeFile(
    list,
    `ziglang==${ZIG.version} ${ZIG.sha256.map((hash) => `--hash=sha256:${hash}`).join(' ')}\n`,
  );
  try {
    const python = await pythonWithPip(context);
    const parameters = [
      'install',
      '--no-deps',
      '--require-hashes',
      '--only-binary=:all:',
      '--target',
      folder,
      '-r',
      list,
    ];
    await runPip(context, python, parameters, { name: 'compiler', task });
    const cache = join(context.temporary, 'compiler-cache');
    const env = {
      ...context.env,
      PYTHONPATH: folder,
      ZIG_GLOBAL_CACHE_DIR: cache,
      ZIG_LOCAL_CACHE_DIR: cache,
    };
    return { name: 'zig', program: python, first: ['-m', 'ziglang', 'c++'], env };
  } catch (error) {
    if (error instanceof Unavailable) throw new Unavailable(`${advice} and none could be fetched`);
    throw error;
  }
}
