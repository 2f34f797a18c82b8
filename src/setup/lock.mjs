import { randomBytes } from 'node:crypto';
import { link, mkdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

const HEARTBEAT_MS = 5_000;
const POLL_MS = 200;

/**
 * @typedef {object} Holder
 * @property {number} pid
 * @property {string} host process numbers mean something on their own host alone
 * @property {number | null} child what it is running; outlives a holder that was killed, and still writes
 *
 * @typedef {object} Lock
 * @property {(child: number | null) => Promise<void>} setChild
 * @property {() => Promise<void>} release
 */

/** @param {number | null} pid */
function isAlive(pid) {
  if (!pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return /** @type {{code?: string}} */ (error).code === 'EPERM';
  }
}

/**
 * Whether the holder is gone. One that lives touches its file every 5 s, so a number that the system has given to another process is told apart.
 *
 * @param {Holder | null} holder
 * @param {number} idleMs since the file was last touched
 * @param {number} staleMs
 * @returns {boolean}
 */
export function isStale(holder, idleMs, staleMs) {
  if (!holder || holder.host !== hostname()) return idleMs > staleMs;
  if (isAlive(holder.pid)) return idleMs > staleMs;
  return !isAlive(holder.child) || idleMs > 10 * staleMs;
}

/**
 * Creates the file with its content in one go: a hard link either appears whole or fails because there is one.
 *
 * @param {string} path
 * @param {string} text
 * @returns {Promise<boolean>}
 */
async function createWhole(path, text) {
  const temporary = `${path}.${process.pid}-${randomBytes(4).toString('hex')}`;
  await writeFile(temporary, text);
  try {
    await link(temporary, path);
    return true;
  } catch (error) {
    const { code } = /** @type {{code?: string}} */ (error);
    if (code === 'EEXIST') return false;
    // A file system without hard links.
    return await writeFile(path, text, { flag: 'wx' }).then(
      () => true,
      (second) => {
        if (second.code === 'EEXIST') return false;
        throw second;
      },
    );
  } finally {
    await rm(temporary, { force: true });
  }
}

/**
 * @param {string} path
 * @param {number} staleMs
 * @returns {Promise<Holder | null>} who holds it, or null when it is free (or was stale and is now gone)
 */
async function holderOf(path, staleMs) {
  const found = await stat(path).catch(() => null);
  const text = await readFile(path, 'utf8').catch(() => null);
  if (!found || text === null) return null;
  /** @type {Holder | null} */
  let holder = null;
  try {
    holder = JSON.parse(text);
  } catch {}
  if (!isStale(holder, Date.now() - found.mtimeMs, staleMs))
    return holder ?? { pid: 0, host: '?', child: null };
  const aside = `${path}.${process.pid}-${randomBytes(4).toString('hex')}.stale`;
  await rename(path, aside).catch(() => {});
  const taken = await readFile(aside, 'utf8').catch(() => null);
  // Between the look and the rename another process may have taken the lock: give it back.
  if (taken !== null && taken !== text) await link(aside, path).catch(() => {});
  await rm(aside, { force: true });
  return null;
}

/**
 * Waits until this process alone holds the lock. A holder that was killed does not block.
 *
 * @param {string} path
 * @param {{onWait?: (holder: Holder) => void, staleMs?: number}} [options]
 * @returns {Promise<Lock>}
 */
export async function acquireLock(path, { onWait = () => {}, staleMs = 60_000 } = {}) {
  await mkdir(dirname(path), { recursive: true });
  /** @type {Holder} */
  const self = { pid: process.pid, host: hostname(), child: null };
  let told = false;
  while (!(await createWhole(path, JSON.stringify(self)))) {
    const holder = await holderOf(path, staleMs);
    if (!holder) continue;
    if (!told) onWait(holder);
    told = true;
    await wait(POLL_MS);
  }
  const timer = setInterval(() => {
    const now = new Date();
    utimes(path, now, now).catch(() => {});
  }, HEARTBEAT_MS);
  timer.unref();
  // One after the other: a rename that comes late would bring a released lock back.
  let written = Promise.resolve();
  const write = async () => {
    const temporary = `${path}.${process.pid}-child`;
    await writeFile(temporary, JSON.stringify(self));
    await rename(temporary, path);
  };
  return {
    setChild(child) {
      self.child = child;
      // What this records only helps after a kill: where it cannot be written the work goes on.
      written = written.then(write).catch(() => {});
      return written;
    },
    async release() {
      clearInterval(timer);
      await written;
      await rm(path, { force: true });
    },
  };
}
