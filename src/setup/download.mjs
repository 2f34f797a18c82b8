import { createWriteStream } from 'node:fs';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { SetupError, Unavailable, WrongContent } from './errors.mjs';
import { hashOfFile } from './files.mjs';
import { openUrl } from './open-url.mjs';

const STALL_MS = 20_000;
const ATTEMPTS = 3;

/** @param {string} path */
const sizeOf = async (path) => (await stat(path).catch(() => null))?.size ?? 0;

/**
 * One attempt: goes on where the part that is there ends.
 *
 * @param {string} address
 * @param {string} part
 * @param {{env: NodeJS.ProcessEnv, timeoutMs: number, onProgress?: (done: number, total?: number) => void}} options
 */
async function attempt(address, part, { env, timeoutMs, onProgress }) {
  let have = await sizeOf(part);
  const headers = have > 0 ? { Range: `bytes=${have}-` } : undefined;
  const response = await openUrl(address, { env, headers, timeoutMs });
  const status = response.statusCode ?? 0;
  if (status === 416) return response.destroy();
  if (status !== 200 && status !== 206) {
    response.destroy();
    throw new Unavailable(`${new URL(address).host} answered ${status} for ${basename(address)}`);
  }
  if (status === 200) have = 0;
  const length = Number(response.headers['content-length'] ?? Number.NaN);
  const total = Number.isFinite(length) ? have + length : undefined;
  response.setTimeout(STALL_MS, () => response.destroy(new Error(`nothing came for ${STALL_MS / 1000} s`)));
  let done = have;
  response.on('data', (chunk) => {
    done += chunk.length;
    onProgress?.(done, total);
  });
  await pipeline(response, createWriteStream(part, { flags: status === 206 ? 'a' : 'w' }));
  if (total !== undefined && done !== total) throw new Error(`${done} of ${total} bytes came`);
}

/**
 * Downloads a file and verifies it. What an interruption left in `<target>.part` is used; the target appears whole or not at all.
 *
 * @param {string} address
 * @param {string} target
 * @param {{sha256: string, env: NodeJS.ProcessEnv, timeoutMs: number, onProgress?: (done: number, total?: number) => void}} options timeoutMs: until the host answers
 * @throws {Unavailable} where the host cannot be reached or does not have the file
 * @throws {SetupError} where the download broke off or the checksum is another
 */
export async function download(address, target, options) {
  const part = `${target}.part`;
  await mkdir(dirname(target), { recursive: true });
  for (let round = 1; ; round += 1) {
    const before = await sizeOf(part);
    try {
      await attempt(address, part, options);
      break;
    } catch (error) {
      const { code, message } = /** @type {{code?: string, message: string}} */ (error);
      if (error instanceof Unavailable || ['ENOSPC', 'EACCES', 'EROFS'].includes(code ?? '')) throw error;
      const have = await sizeOf(part);
      if (have === 0)
        throw new Unavailable(message || `${new URL(address).host} cannot be reached (${code})`);
      if (have === before || round === ATTEMPTS) {
        throw new SetupError(
          `the download of ${basename(address)} broke off after ${have} bytes: ${message}; run this again to go on from there`,
        );
      }
    }
  }
  const found = await hashOfFile(part);
  if (found !== options.sha256) {
    await rm(part, { force: true });
    throw new WrongContent(`${address} has SHA-256 ${found}, expected ${options.sha256}; it was deleted`);
  }
  await rename(part, target);
}
