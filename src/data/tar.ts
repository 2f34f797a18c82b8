import { InputError } from '../errors';

const BLOCK = 512;

export interface TarEntry {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** The plain files of a tar archive (ustar or GNU, short names). Throws InputError where it is damaged or cut off. */
export function tarEntries(archive: Uint8Array): TarEntry[] {
  const entries: TarEntry[] = [];
  for (let at = 0; at + BLOCK <= archive.length; ) {
    const header = archive.subarray(at, at + BLOCK);
    if (header.every((byte) => byte === 0)) return entries;
    checkHeader(header, at);
    const size = octal(header, 124, 12);
    const start = at + BLOCK;
    if (start + size > archive.length) {
      throw new InputError(
        `the tar archive is cut off: ${text(header, 0, 100)} should have ${size} bytes at byte ${start}, the archive ends at ${archive.length}`,
      );
    }
    const type = String.fromCharCode(header[156]);
    if (type === '0' || type === '\0') {
      entries.push({ name: text(header, 0, 100), bytes: archive.subarray(start, start + size) });
    }
    at = start + Math.ceil(size / BLOCK) * BLOCK;
  }
  return entries;
}

/** A header's checksum is the sum of its bytes with the checksum field itself read as spaces. */
function checkHeader(header: Uint8Array, at: number): void {
  let sum = 0;
  for (let i = 0; i < BLOCK; i++) sum += i >= 148 && i < 156 ? 32 : header[i];
  if (sum !== octal(header, 148, 8)) {
    throw new InputError(`the tar archive is damaged: no valid header at byte ${at}`);
  }
}

function text(header: Uint8Array, start: number, length: number): string {
  const field = header.subarray(start, start + length);
  const end = field.indexOf(0);
  return new TextDecoder().decode(end < 0 ? field : field.subarray(0, end));
}

function octal(header: Uint8Array, start: number, length: number): number {
  return Number.parseInt(text(header, start, length).trim(), 8) || 0;
}
