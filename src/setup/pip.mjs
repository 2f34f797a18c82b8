import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { SetupError, Unavailable } from './errors.mjs';
import { folderBytes } from './files.mjs';
import { tellingLine } from './run.mjs';

const POLL_MS = 500;
const OUT_OF_REACH =
  /NewConnectionError|Name or service not known|Temporary failure in name resolution|Connection refused|Network is unreachable|No matching distribution found|ConnectTimeout|ProxyError|Failed to establish/i;
const WRONG_HASH = /DO NOT MATCH THE HASHES|hashes are required/i;

/**
 * What pip has fetched so far: it downloads into folders of this name; others hold what it unpacks.
 *
 * @param {string} passing
 */
async function fetchedBytes(passing) {
  const names = (await readdir(passing).catch(() => [])).filter((name) => name.startsWith('pip-unpack'));
  const bytes = await Promise.all(names.map((name) => folderBytes(join(passing, name))));
  return bytes.reduce((sum, part) => sum + part, 0);
}

/**
 * Runs pip, whose own settings (mirror, proxy, certificates, cache) hold. Its downloads pass through a folder of ours, whose growth is the progress.
 *
 * @param {import('./context.mjs').Context} context
 * @param {string} python that has pip
 * @param {string[]} parameters
 * @param {{name: string, task: import('./report.mjs').Task, total?: number}} options total: bytes expected
 * @throws {Unavailable} where the package index cannot be reached or lacks the package
 * @throws {SetupError} where a download broke off or has another checksum
 */
export async function runPip(context, python, parameters, { name, task, total }) {
  const passing = join(context.temporary, `pip-${name}`);
  await mkdir(passing, { recursive: true });
  let most = 0;
  const look = async () => {
    most = Math.max(most, await fetchedBytes(passing));
    if (most > 0) task.progress(most, total);
  };
  const timer = setInterval(look, POLL_MS);
  timer.unref();
  const env = { ...context.env, TMPDIR: passing, PYTHONDONTWRITEBYTECODE: '' };
  const common = ['--disable-pip-version-check', '--no-input', '--progress-bar', 'off', '--retries', '2'];
  const result = await context
    .run(name, python, ['-m', 'pip', ...parameters, ...common], { env })
    .finally(() => clearInterval(timer));
  await rm(passing, { recursive: true, force: true });
  task.progress();
  if (result.status === 0) return;
  const where = `(all of it: .setup/log/${name}.log)`;
  if (WRONG_HASH.test(result.output))
    throw new SetupError(`a package has another checksum than the lock file says ${where}`);
  if (OUT_OF_REACH.test(result.output) && most < 1e5) {
    throw new Unavailable(
      `the Python package index cannot be reached or lacks it: ${tellingLine(result.output)}`,
    );
  }
  throw new SetupError(`pip failed: ${tellingLine(result.output)} ${where}; run this again`);
}
