import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { crc32, createInflateRaw } from 'node:zlib';

const END_SIGNATURE = 0x06054b50;
const END_BYTES = 22;
const LONGEST_COMMENT = 0xffff;
const ENTRY_SIGNATURE = 0x02014b50;
const ENTRY_BYTES = 46;
const LOCAL_BYTES = 30;

/**
 * @typedef {object} ZipEntry
 * @property {string} name
 * @property {number} method 0 stored, 8 deflated
 * @property {number} crc CRC-32 of the content
 * @property {number} compressedSize bytes
 * @property {number} size bytes
 * @property {number} offset of its local header
 */

/**
 * The entries of a zip archive (a Python wheel is one), by name. Archives over 4 GiB are not read.
 *
 * @param {string} archive
 * @returns {Promise<Map<string, ZipEntry>>}
 */
export async function readZipDirectory(archive) {
  const file = await open(archive);
  try {
    const { size } = await file.stat();
    const tail = Buffer.alloc(Math.min(size, END_BYTES + LONGEST_COMMENT));
    await file.read(tail, 0, tail.length, size - tail.length);
    let end = tail.length - END_BYTES;
    while (end >= 0 && tail.readUInt32LE(end) !== END_SIGNATURE) end -= 1;
    if (end < 0) throw new Error(`${archive} is not a complete zip archive`);
    const directory = Buffer.alloc(tail.readUInt32LE(end + 12));
    await file.read(directory, 0, directory.length, tail.readUInt32LE(end + 16));
    return parseDirectory(directory, archive);
  } finally {
    await file.close();
  }
}

/**
 * @param {Buffer} directory
 * @param {string} archive
 */
function parseDirectory(directory, archive) {
  /** @type {Map<string, ZipEntry>} */
  const entries = new Map();
  for (let at = 0; at + ENTRY_BYTES <= directory.length; ) {
    if (directory.readUInt32LE(at) !== ENTRY_SIGNATURE) throw new Error(`${archive} has a damaged directory`);
    const nameEnd = at + ENTRY_BYTES + directory.readUInt16LE(at + 28);
    const name = directory.toString('utf8', at + ENTRY_BYTES, nameEnd);
    entries.set(name, {
      name,
      method: directory.readUInt16LE(at + 10),
      crc: directory.readUInt32LE(at + 16),
      compressedSize: directory.readUInt32LE(at + 20),
      size: directory.readUInt32LE(at + 24),
      offset: directory.readUInt32LE(at + 42),
    });
    at = nameEnd + directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32);
  }
  return entries;
}

/**
 * Unpacks one entry, in constant memory, and checks its length and CRC.
 *
 * @param {string} archive
 * @param {ZipEntry} entry
 * @param {string} target
 * @param {(bytes: number) => void} [onBytes] unpacked bytes since the last call
 */
export async function extractZipEntry(archive, entry, target, onBytes) {
  await mkdir(dirname(target), { recursive: true });
  const local = Buffer.alloc(LOCAL_BYTES);
  const file = await open(archive);
  await file.read(local, 0, LOCAL_BYTES, entry.offset).finally(() => file.close());
  const start = entry.offset + LOCAL_BYTES + local.readUInt16LE(26) + local.readUInt16LE(28);
  let size = 0;
  let crc = 0;
  const check = new Transform({
    transform(chunk, _encoding, next) {
      size += chunk.length;
      crc = crc32(chunk, crc);
      onBytes?.(chunk.length);
      next(null, chunk);
    },
  });
  const source = createReadStream(archive, {
    start,
    end: start + entry.compressedSize - 1,
    highWaterMark: 1 << 20,
  });
  const sink = createWriteStream(target, { flush: true });
  if (entry.method === 8) await pipeline(source, createInflateRaw({ chunkSize: 1 << 18 }), check, sink);
  else if (entry.method === 0) await pipeline(source, check, sink);
  else throw new Error(`${entry.name} in ${archive} is packed by method ${entry.method}; 0 and 8 are known`);
  if (size !== entry.size || crc !== entry.crc) throw new Error(`${entry.name} in ${archive} is damaged`);
}
