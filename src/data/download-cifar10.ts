import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { InputError } from '../errors';
import type { OnProgress } from '../progress';
import { type Cifar10Manifest, cifar10Manifest } from './cifar10-manifest';
import { diskError, downloadFile, prepareFolder } from './download-file';
import { fileSha256 } from './file-sha256';
import type { HttpOptions } from './http';
import { tarEntries } from './tar';

export interface DownloadCifar10Options extends Omit<HttpOptions, 'headers'> {
  readonly onProgress?: OnProgress;
  readonly retries?: number;
  readonly retryDelayMs?: number;
  /** What to get. Default: the official archive. */
  readonly manifest?: Cifar10Manifest;
}

/**
 * Downloads CIFAR10's official binary archive to `dir`/downloads, verifies it, unpacks it to `dir`/cifar-10-batches-bin,
 * removes it, and returns that folder. Can be interrupted at any point and run again: it goes on from there. What is
 * there already and right is left alone. Throws InputError as `downloadFile` does.
 */
export async function downloadCifar10(dir: string, options: DownloadCifar10Options = {}): Promise<string> {
  const manifest = options.manifest ?? cifar10Manifest();
  const folder = join(dir, manifest.folder);
  if (await complete(folder, manifest)) return folder;
  const downloads = join(dir, 'downloads');
  const path = join(downloads, basename(manifest.archive.url));
  if (!existsSync(path) || fileSha256(path) !== manifest.archive.sha256) {
    await downloadFile({ ...options, ...manifest.archive, path });
  }
  options.onProgress?.({ done: 0, total: 1, note: `unpacking ${basename(path)}` });
  await unpack(path, folder, manifest);
  await rm(path);
  options.onProgress?.({ done: 1, total: 1, note: `unpacked to ${folder}` });
  return folder;
}

/** Whether all files are there with the right size and checksum. */
async function complete(folder: string, { files }: Cifar10Manifest): Promise<boolean> {
  for (const [name, { bytes, sha256 }] of Object.entries(files)) {
    const found = await stat(join(folder, name)).catch(() => undefined);
    if (found?.size !== bytes || fileSha256(join(folder, name)) !== sha256) return false;
  }
  return true;
}

/** Writes the manifest's files beside `folder` first, then moves them in one by one; each is whole or absent. */
async function unpack(archive: string, folder: string, manifest: Cifar10Manifest): Promise<void> {
  const entries = await entriesOf(archive);
  const wanted = Object.entries(manifest.files);
  const part = `${folder}.part`;
  await prepareFolder(
    part,
    wanted.reduce((sum, [, { bytes }]) => sum + bytes, 0),
  );
  await mkdir(folder, { recursive: true }).catch((error) => {
    throw diskError(folder, error);
  });
  for (const [name, { sha256 }] of wanted) {
    const entry = entries.find((candidate) => basename(candidate.name) === name);
    if (!entry) throw new InputError(`${archive} holds no ${name}: not CIFAR10's binary version`);
    const path = join(part, name);
    await writeFile(path, entry.bytes).catch((error) => {
      throw diskError(part, error);
    });
    const found = fileSha256(path);
    if (found !== sha256) {
      await rm(part, { recursive: true });
      throw new InputError(`${archive}: ${name} has a wrong checksum, SHA-256 ${found}, ${sha256} expected`);
    }
  }
  for (const [name] of wanted) await rename(join(part, name), join(folder, name));
  await rm(part, { recursive: true });
}

async function entriesOf(archive: string) {
  const packed = await readFile(archive);
  const bytes = await promisify(gunzip)(packed).catch((error: Error) => {
    throw new InputError(`${archive} is no whole gzip file: ${error.message}`);
  });
  return tarEntries(bytes);
}
