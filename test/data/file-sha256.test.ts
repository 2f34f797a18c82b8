import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { fileSha256 } from '../../src/data/file-sha256';
import { scratchFolder } from '../networks/scratch-folder';

const scratch = scratchFolder();

it.each([0, 3, (1 << 20) + 5])('fileSha256 is the checksum of all %i bytes of a file', (bytes) => {
  const content = Buffer.alloc(bytes, 'abc');
  writeFileSync(scratch('file'), content);
  expect(fileSha256(scratch('file'))).toBe(createHash('sha256').update(content).digest('hex'));
});
