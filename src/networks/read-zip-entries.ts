import { inflateRawSync } from 'node:zlib';
import { InputError } from '../errors';
import type { FileParts } from './read-file-parts';

/** The contents of a ZIP archive: reads one entry, or gives its names. */
export interface ZipArchive {
  readonly names: readonly string[];
  /** The bytes of entry `name`, in a buffer of their own; undefined where there is no such entry. */
  read(name: string): Uint8Array<ArrayBuffer> | undefined;
}

interface ZipEntry {
  readonly name: string;
  readonly method: number;
  readonly packed: number;
  readonly size: number;
  readonly offset: number;
}

const END = 0x06054b50;
const END64 = 0x06064b50;
const LOCATOR64 = 0x07064b50;
const CENTRAL = 0x02014b50;
const LOCAL = 0x04034b50;
const END_LENGTH = 22;
/** In place of a 32-bit number that is too small for its value. */
const SEE_ZIP64 = 0xffffffff;

const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Where the central directory lies: the end record is sought backwards, for a comment may follow it. */
function centralDirectory(file: FileParts): { start: number; length: number } {
  const length = Math.min(file.size, END_LENGTH + 0xffff);
  const view = viewOf(file.read(file.size - length, length));
  let at = length - END_LENGTH;
  while (at >= 0 && view.getUint32(at, true) !== END) at--;
  if (at < 0) throw new InputError(`${file.path} is truncated: the ZIP directory at its end is missing`);
  const located = at - 20;
  if (located >= 0 && view.getUint32(located, true) === LOCATOR64) {
    const end = viewOf(file.read(Number(view.getBigUint64(located + 8, true)), 56));
    if (end.getUint32(0, true) === END64)
      return { start: Number(end.getBigUint64(48, true)), length: Number(end.getBigUint64(40, true)) };
  }
  return { start: view.getUint32(at + 16, true), length: view.getUint32(at + 12, true) };
}

/** The 64-bit values of an entry's extra field 1, in the order size, packed, offset; only those that need it are there. */
function zip64Values(view: DataView, start: number, end: number): number[] {
  for (let at = start; at + 4 <= end; ) {
    const length = view.getUint16(at + 2, true);
    if (view.getUint16(at, true) === 1)
      return Array.from({ length: Math.floor(length / 8) }, (_, i) =>
        Number(view.getBigUint64(at + 4 + 8 * i, true)),
      );
    at += 4 + length;
  }
  return [];
}

function parseDirectory(file: FileParts, bytes: Uint8Array): Map<string, ZipEntry> {
  const view = viewOf(bytes);
  const entries = new Map<string, ZipEntry>();
  for (let at = 0; at + 46 <= bytes.length && view.getUint32(at, true) === CENTRAL; ) {
    const nameEnd = at + 46 + view.getUint16(at + 28, true);
    const extraEnd = nameEnd + view.getUint16(at + 30, true);
    const wide = zip64Values(view, nameEnd, extraEnd);
    const value = (field: number) => {
      const narrow = view.getUint32(at + field, true);
      return narrow === SEE_ZIP64 ? (wide.shift() ?? narrow) : narrow;
    };
    const size = value(24);
    const packed = value(20);
    const offset = value(42);
    if (view.getUint16(at + 8, true) & 1) throw new InputError(`${file.path} is an encrypted ZIP archive`);
    const name = new TextDecoder().decode(bytes.subarray(at + 46, nameEnd));
    entries.set(name, { name, method: view.getUint16(at + 10, true), packed, size, offset });
    at = extraEnd + view.getUint16(at + 32, true);
  }
  return entries;
}

function inflate(file: FileParts, entry: ZipEntry, packed: Uint8Array): Uint8Array<ArrayBuffer> {
  let bytes: Uint8Array;
  try {
    bytes = inflateRawSync(packed, { maxOutputLength: Math.max(1, entry.size) });
  } catch {
    throw new InputError(`${file.path}: ZIP entry '${entry.name}' is damaged`);
  }
  if (bytes.length !== entry.size)
    throw new InputError(
      `${file.path}: ZIP entry '${entry.name}' has ${bytes.length} bytes, ${entry.size} were promised`,
    );
  return new Uint8Array(bytes);
}

function readEntry(file: FileParts, entry: ZipEntry): Uint8Array<ArrayBuffer> {
  const local = viewOf(file.read(entry.offset, 30));
  if (local.getUint32(0, true) !== LOCAL)
    throw new InputError(`${file.path}: ZIP entry '${entry.name}' is not where the directory says`);
  const start = entry.offset + 30 + local.getUint16(26, true) + local.getUint16(28, true);
  const packed = file.read(start, entry.packed);
  if (entry.method === 8) return inflate(file, entry, packed);
  if (entry.method !== 0 || entry.packed !== entry.size)
    throw new InputError(
      `${file.path}: ZIP entry '${entry.name}' is packed by method ${entry.method}; stored (0) and deflate (8) are read`,
    );
  return packed;
}

/** Reads past the end of what a damaged record claims surface as RangeError. */
function guarded<T>(file: FileParts, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof RangeError) throw new InputError(`${file.path} is a damaged ZIP archive`);
    throw error;
  }
}

/** The entries of the ZIP archive `file` (ZIP64 too). Throws InputError where it is truncated or damaged. */
export function readZipEntries(file: FileParts): ZipArchive {
  const entries = guarded(file, () => {
    const { start, length } = centralDirectory(file);
    return parseDirectory(file, file.read(start, length));
  });
  const read = (name: string) => {
    const entry = entries.get(name);
    return entry && guarded(file, () => readEntry(file, entry));
  };
  return { names: [...entries.keys()], read };
}
