// The notebook kernel: tslab, mended (see mend-tslab.mjs), finding this package from whatever folder the notebook is in.
// Jupyter runs it as `node kernel.mjs CONNECTION_FILE`; the kernelspec is written by install.mjs.
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import util from 'node:util';
import { mendTslab } from './mend-tslab.mjs';

const connectionFile = process.argv[2];
if (!connectionFile) {
  console.error('usage: node kernel.mjs CONNECTION_FILE (Jupyter does this)');
  process.exit(1);
}

// Node 23 removed these two, which tfjs-node 4.22 calls.
util.isNullOrUndefined ??= (value) => value === null || value === undefined;
util.isArray ??= Array.isArray;
// TensorFlow otherwise greets on stderr.
process.env.TF_CPP_MIN_LOG_LEVEL ??= '2';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const require = createRequire(join(root, 'package.json'));
const folder = process.cwd();
// tslab resolves imports from the folder in which it starts. A notebook that lies where this package cannot be found
// gets the imports of the checkout; files it reads and writes are still sought from its own folder.
if (!packageFound(folder)) process.chdir(root);
const configPath = resolve(folder, connectionFile);
mendTslab(require, () => require('tslab/dist/main.js').startKernel({ configPath, enableFindLocal: false }));
process.chdir(folder);
endWithJupyter();

/**
 * Whether `import 'cim-pruning'` works in `start`.
 * @param {string} start
 */
function packageFound(start) {
  for (let at = start; ; at = dirname(at)) {
    if (existsSync(join(at, 'node_modules', 'cim-pruning', 'package.json'))) return true;
    if (dirname(at) === at) return false;
  }
}

/** A kernel whose Jupyter was killed would stay for ever. */
function endWithJupyter() {
  const jupyter = Number(process.env.JPY_PARENT_PID);
  if (!jupyter) return;
  const parent = process.ppid;
  const gone = () => {
    try {
      process.kill(jupyter, 0);
      return process.ppid !== parent;
    } catch (error) {
      return /** @type {NodeJS.ErrnoException} */ (error).code === 'ESRCH';
    }
  };
  setInterval(() => gone() && process.exit(1), 2000).unref();
}
