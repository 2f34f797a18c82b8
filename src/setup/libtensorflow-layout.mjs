import { existsSync } from 'node:fs';
import { copyFile, mkdir, readdir, rename, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** The headers that tfjs-node's binding needs (what `g++ -M` lists), of the thousands in the wheel. */
export const HEADERS = [
  'tensorflow/c/c_api.h',
  'tensorflow/c/c_api_macros.h',
  'tensorflow/c/eager/c_api.h',
  'tensorflow/c/tf_attrtype.h',
  'tensorflow/c/tf_buffer.h',
  'tensorflow/c/tf_datatype.h',
  'tensorflow/c/tf_status.h',
  'tensorflow/c/tf_tensor.h',
  'tensorflow/c/tf_tstring.h',
  'tensorflow/core/platform/ctstring.h',
  'tensorflow/core/platform/ctstring_internal.h',
  'tsl/platform/ctstring.h',
  'tsl/platform/ctstring_internal.h',
  'xla/tsl/c/tsl_status.h',
];

/** Libraries' files in a wheel, below `tensorflow/`. */
export const wheelLibraries = (/** @type {'so' | 'dylib'} */ suffix) =>
  suffix === 'so'
    ? ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2']
    : ['libtensorflow_cc.2.dylib', 'libtensorflow_framework.2.dylib'];

/**
 * Gathers the headers of an unpacked official archive, which keeps those of its parts `tsl` and `xla` aside.
 *
 * @param {string} from its include folder
 * @param {string} to
 * @returns {Promise<string[]>} names of headers that it lacks
 */
export async function gatherHeaders(from, to) {
  const places = ['', 'external/local_tsl', 'external/local_xla', 'external/tsl', 'external/xla'];
  const missing = [];
  for (const name of HEADERS) {
    const target = join(to, name);
    await mkdir(dirname(target), { recursive: true });
    const found = places.map((place) => join(from, place, name)).find((path) => existsSync(path));
    if (found) await copyFile(found, target);
    // These two only pass on to the one in tsl.
    else if (name.startsWith('tensorflow/core/platform/')) {
      await writeFile(target, `#include "${name.replace('tensorflow/core', 'tsl')}"\n`);
    } else missing.push(name);
  }
  return missing;
}

/**
 * Moves the libraries of an unpacked official archive, with their links, into place.
 *
 * @param {string} from its lib folder
 * @param {string} to
 */
export async function moveLibraries(from, to) {
  await mkdir(to, { recursive: true });
  for (const name of await readdir(from)) {
    if (name.startsWith('libtensorflow')) await rename(join(from, name), join(to, name));
  }
}

/**
 * Adds the names by which the linker and tfjs-node look for the libraries.
 *
 * @param {string} lib
 * @param {'so' | 'dylib'} suffix
 */
export async function addLinks(lib, suffix) {
  const [main, framework] = wheelLibraries(suffix);
  /** @type {[string, string][]} */
  const links = [
    [`libtensorflow.${suffix}`, main],
    [`libtensorflow_framework.${suffix}`, framework],
  ];
  // With this name there tfjs-node's own installer, should anyone run it, leaves the library alone.
  if (suffix === 'so') links.push(['libtensorflow.so.2.9.1', 'libtensorflow.so']);
  for (const [name, target] of links) {
    if (!existsSync(join(lib, name))) await symlink(target, join(lib, name));
  }
}
