import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Unavailable } from './errors.mjs';
import { findProgram, run } from './run.mjs';

const OLDEST = [3, 9];
const ASK = 'import sys; print("%d.%d" % sys.version_info[:2])';

/**
 * @param {string} root
 * @returns {string} the interpreter of the project's own environment, there or not
 */
export const environmentPython = (root) => join(root, '.venv', 'bin', 'python');

/**
 * The first Python that is new enough: PYTHON from the environment, python3, python.
 *
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<{program: string, version: string}>}
 * @throws {Unavailable}
 */
export async function findPython(env) {
  const seen = [];
  for (const name of [env.PYTHON, 'python3', 'python']) {
    if (!name) continue;
    const program = name.includes('/') ? name : findProgram(name, env);
    if (!program || !existsSync(program)) continue;
    const { status, output } = await run(program, ['-c', ASK], { env });
    const version = output.trim();
    const [major, minor] = version.split('.').map(Number);
    if (status === 0 && (major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])))
      return { program, version };
    seen.push(`${program} is ${status === 0 ? version : 'broken'}`);
  }
  const why = seen.length > 0 ? seen.join(', ') : 'there is none on PATH';
  throw new Unavailable(`Python ${OLDEST.join('.')} or later is needed: ${why}`);
}

/**
 * A Python that has pip: the project's environment, else the system's.
 *
 * @param {import('./context.mjs').Context} context
 * @returns {Promise<string>}
 * @throws {Unavailable}
 */
export async function pythonWithPip({ root, env }) {
  const own = environmentPython(root);
  const works = async (/** @type {string} */ program) =>
    (await run(program, ['-m', 'pip', '--version'], { env })).status === 0;
  if (existsSync(own) && (await works(own))) return own;
  const { program } = await findPython(env);
  if (await works(program)) return program;
  throw new Unavailable(`${program} has no pip (Debian and Ubuntu: apt install python3-venv python3-pip)`);
}
