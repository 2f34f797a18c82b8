import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { extractZipEntry, readZipDirectory } from '../../src/setup/unzip.mjs';
import { sandbox } from './sandbox.mjs';
import { zip } from './zip.mjs';

const content = Buffer.from('bit planes '.repeat(5000));
const archive = zip([
  { name: 'a/deflated.txt', content, deflated: true },
  { name: 'stored.txt', content, deflated: false },
]);

describe('unzip', () => {
  it('unpacks deflated and stored entries', async () => {
    const root = sandbox();
    const path = join(root, 'x.zip');
    writeFileSync(path, archive);
    const entries = await readZipDirectory(path);
    expect([...entries.keys()]).toEqual(['a/deflated.txt', 'stored.txt']);
    for (const entry of entries.values()) {
      const target = join(root, 'out', entry.name);
      await extractZipEntry(path, entry, target);
      expect(readFileSync(target).equals(content)).toBe(true);
    }
  });

  it('says that a truncated archive is incomplete', async () => {
    const path = join(sandbox(), 'x.zip');
    writeFileSync(path, archive.subarray(0, archive.length - 30));
    await expect(readZipDirectory(path)).rejects.toThrow('not a complete zip archive');
  });

  it('says that an entry is damaged where its CRC differs', async () => {
    const root = sandbox();
    const path = join(root, 'x.zip');
    const damaged = Buffer.from(archive);
    const at = damaged.lastIndexOf('bit planes');
    damaged[at] ^= 1;
    writeFileSync(path, damaged);
    const entry = (await readZipDirectory(path)).get('stored.txt')!;
    await expect(extractZipEntry(path, entry, join(root, 'out'))).rejects.toThrow('is damaged');
  });
});
