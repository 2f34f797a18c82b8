import { createHash, randomBytes } from 'node:crypto';
import { createReadStream, existsSync, readFileSync } from 'node:fs';
import { lstat, mkdir, readdir, readlink, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/**
 * Writes a file so that it is there whole or not at all.
 *
 * @param {string} path
 * @param {string} text
 */
export async function writeWhole(path, text) {
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.${randomBytes(4).toString('hex')}.part`;
  try {
    await writeFile(temporary, text, { flush: true });
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/**
 * The parsed JSON of a file, or null where it is missing or damaged.
 *
 * @param {string} path
 * @returns {any}
 */
export function readJson(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return null;
  }
}

/**
 * @param {...(string | Buffer)} parts
 * @returns {string} SHA-256 in hexadecimal of the parts, each closed by a zero byte
 */
export function hashOf(...parts) {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part).update('\0');
  return hash.digest('hex');
}

/**
 * @param {string} path
 * @returns {Promise<string>} SHA-256 in hexadecimal of a file of any size
 */
export async function hashOfFile(path) {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk);
  return hash.digest('hex');
}

/**
 * Bytes of all files below a folder (0 where there is none); meant for folders of few files.
 *
 * @param {string} folder
 * @returns {Promise<number>}
 */
export async function folderBytes(folder) {
  let bytes = 0;
  for (const entry of await readdir(folder, { recursive: true }).catch(() => [])) {
    const found = await lstat(join(folder, entry)).catch(() => null);
    if (found?.isFile()) bytes += found.size;
  }
  return bytes;
}

/**
 * Free space for an ordinary user at a path that may not exist yet.
 *
 * @param {string} path
 * @returns {Promise<number>} bytes
 */
export async function freeBytes(path) {
  const { statfs } = await import('node:fs/promises');
  let folder = path;
  while (!existsSync(folder) && dirname(folder) !== folder) folder = dirname(folder);
  const found = await statfs(folder);
  return found.bavail * found.bsize;
}

/**
 * @param {string} path
 * @param {string} target what the link says
 * @returns {Promise<boolean>} whether path is a symbolic link with that text which leads somewhere
 */
export async function linkLeadsTo(path, target) {
  const text = await readlink(path).catch(() => null);
  return text === target && (await stat(path).catch(() => null)) !== null;
}

/**
 * Puts a symbolic link in place of whatever is there, without a moment in which an old link is missing.
 *
 * @param {string} path
 * @param {string} target
 */
export async function placeLink(path, target) {
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.${randomBytes(4).toString('hex')}.part`;
  await symlink(target, temporary);
  const old = await lstat(path).catch(() => null);
  if (old?.isDirectory()) await rm(path, { recursive: true });
  await rename(temporary, path);
}
