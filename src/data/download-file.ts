import { createWriteStream } from 'node:fs';
import { mkdir, rename, rm, stat, statfs } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { type Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { InputError } from '../errors';
import type { OnProgress } from '../progress';
import { fileSha256 } from './file-sha256';
import { type HttpOptions, httpGet } from './http';

export interface DownloadOptions extends Omit<HttpOptions, 'headers'> {
  readonly url: string;
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
  /** How often to try again without a new byte in between. Default 3. */
  readonly retries?: number;
  /** Wait before the first further try, doubled for each next. Default 1000. */
  readonly retryDelayMs?: number;
  readonly onProgress?: OnProgress;
}

/**
 * Downloads a file of known size and SHA-256. What has come so far is in `path`.part and is gone on from, in this run or
 * after an interruption of any kind; `path` itself appears only when it is whole and right. Throws InputError for no
 * answer, a wrong checksum (the bad file is removed), no space, an unwritable folder.
 */
export async function downloadFile(options: DownloadOptions): Promise<void> {
  const part = `${options.path}.part`;
  await prepareFolder(dirname(options.path), options.bytes - (await sizeOf(part)));
  await fetchAll(options, part);
  const found = fileSha256(part);
  if (found !== options.sha256) {
    await rm(part, { force: true });
    throw new InputError(
      `${options.url}: wrong checksum, SHA-256 ${found} found, ${options.sha256} expected; the file was removed, try again`,
    );
  }
  await rename(part, options.path);
}

/** Makes a folder and sees that `bytes` more fit into it. */
export async function prepareFolder(folder: string, bytes: number): Promise<void> {
  await mkdir(folder, { recursive: true }).catch((error) => {
    throw diskError(folder, error);
  });
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize < bytes) {
    throw new InputError(
      `${folder}: no disk space, ${megabytes(bytes)} needed, ${megabytes(bavail * bsize)} free`,
    );
  }
}

/** What a failed write means to the user. */
export function diskError(folder: string, error: unknown): unknown {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOSPC' || code === 'EDQUOT') return new InputError(`${folder}: no disk space left`);
  if (['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EEXIST', 'EISDIR'].includes(code ?? '')) {
    return new InputError(`${folder} cannot be written: ${message}`);
  }
  return error;
}

async function fetchAll(options: DownloadOptions, part: string): Promise<void> {
  const { url, bytes, retries = 3, retryDelayMs = 1000 } = options;
  let reached = false;
  let failures = 0;
  // What was had and lost again is no progress: a server that drops what it sent is not asked forever.
  let most = 0;
  for (let have = await sizeOf(part); have !== bytes; ) {
    const failure = await fetchRest(options, part, have > bytes ? 0 : have, () => {
      reached = true;
    }).catch((error: unknown) => error);
    if (failure instanceof InputError) throw failure;
    const now = await sizeOf(part);
    if (now === bytes) return;
    most = Math.max(most, have > bytes ? 0 : have);
    failures = now > most ? 0 : failures + 1;
    have = now;
    if (!reached) throw new InputError(`${url} cannot be reached: ${reason(failure)}`);
    if (failures > retries) {
      throw new InputError(
        `${url}: download interrupted after ${megabytes(have)} of ${megabytes(bytes)} (${reason(failure)}); the same command goes on from there`,
      );
    }
    await sleep(retryDelayMs * 2 ** failures);
  }
}

/** One request for everything from byte `from`; `onReached` is called when the server answers. */
async function fetchRest(
  options: DownloadOptions,
  part: string,
  from: number,
  onReached: () => void,
): Promise<void> {
  const { url, bytes } = options;
  const headers = from > 0 ? { range: `bytes=${from}-` } : undefined;
  const answer = await httpGet(url, { ...options, headers });
  onReached();
  const status = answer.statusCode ?? 0;
  if (status !== 200 && status !== 206) {
    answer.destroy();
    if (status !== 416) throw statusError(url, status, answer.statusMessage);
    return rm(part, { force: true }); // what we have is not of this file: begin anew
  }
  const start = status === 206 ? rangeStart(answer.headers['content-range'], from) : 0;
  const length = Number(answer.headers['content-length']);
  if (length >= 0 && start + length !== bytes) {
    answer.destroy();
    throw new InputError(`${url}: the server offers ${start + length} bytes, ${bytes} expected`);
  }
  await save(answer, part, start, options);
}

function statusError(url: string, status: number, message = ''): Error {
  const text = `the server answered ${status} ${message}`.trimEnd();
  const passing = status >= 500 || status === 408 || status === 429;
  return passing ? new Error(text) : new InputError(`${url}: ${text}`);
}

/**
 * Writes a stream into a file from byte `start`. At its place, not appended: two downloads at once then write the same
 * bytes instead of spoiling each other's file.
 */
async function save(
  answer: Readable,
  part: string,
  start: number,
  { url, path, bytes, onProgress }: DownloadOptions,
): Promise<void> {
  let done = start;
  const note = `downloading ${basename(path)}`;
  const count = new Transform({
    transform(chunk: Buffer, _encoding, next) {
      done += chunk.length;
      onProgress?.({ done, total: bytes, note });
      next(done > bytes ? new InputError(`${url}: more than the expected ${bytes} bytes came`) : null, chunk);
    },
  });
  const sink = createWriteStream(part, { flags: start === 0 ? 'w' : 'r+', start });
  await pipeline(answer, count, sink).catch((error) => {
    throw diskError(part, error);
  });
}

function rangeStart(header: string | undefined, from: number): number {
  const start = Number(/^bytes (\d+)-/.exec(header ?? '')?.[1]);
  if (start !== from) throw new Error(`asked for bytes from ${from}, the server sent ${header}`);
  return start;
}

async function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    () => 0,
  );
}

function reason(failure: unknown): string {
  const { message, code } = (failure ?? {}) as NodeJS.ErrnoException;
  return message || code || 'the connection ended early';
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
