// Registers the notebook kernel in the checkout's Python environment: `node src/kernel/install.mjs [ENVIRONMENT]`.
// ENVIRONMENT is a folder made by `python -m venv`; default: .venv of the checkout.
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { KERNEL_NAME, kernelSpec } from './kernel-spec.mjs';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** Writes kernel.json unless it is there already, and returns its path and whether it was written. */
export function installKernel(environment = join(root, '.venv')) {
  if (!existsSync(join(environment, 'pyvenv.cfg')))
    throw new Error(`no Python environment at ${environment}: run \`npm run setup\``);
  const folder = join(environment, 'share', 'jupyter', 'kernels', KERNEL_NAME);
  const path = join(folder, 'kernel.json');
  const text = `${JSON.stringify(kernelSpec(), null, 1)}\n`;
  if (existsSync(path) && readFileSync(path, 'utf8') === text) return { path, written: false };
  mkdirSync(folder, { recursive: true });
  const temporary = `${path}.${process.pid}.tmp`;
  writeFileSync(temporary, text);
  renameSync(temporary, path);
  return { path, written: true };
}

if (process.argv[1] && import.meta.url === pathToFileURL(resolve(process.argv[1])).href) {
  try {
    const { path, written } = installKernel(process.argv[2] && resolve(process.argv[2]));
    console.log(`notebook kernel ${written ? 'registered' : 'is registered'}: ${path}`);
  } catch (error) {
    console.error(/** @type {Error} */ (error).message);
    process.exitCode = 1;
  }
}
