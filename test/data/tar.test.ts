import { describe, expect, it } from 'vitest';
import { tarEntries } from '../../src/data/tar';
import { InputError } from '../../src/errors';

function header(name: string, size: number, type = '0'): Buffer {
  const block = Buffer.alloc(512);
  block.write(name, 0);
  block.write(`${size.toString(8).padStart(11, '0')} `, 124);
  block.write('        ', 148);
  block.write(type, 156);
  const sum = block.reduce((a, b) => a + b);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}
const content = (text: string) => Buffer.concat([Buffer.from(text), Buffer.alloc(512 - text.length)]);
const end = Buffer.alloc(1024);

describe('tarEntries', () => {
  it('gives names and contents of plain files and leaves out folders', () => {
    const tar = [header('d/', 0, '5'), header('d/a', 5), content('hello'), header('b', 0), end];
    const entries = tarEntries(Buffer.concat(tar)).map(({ name, bytes }) => [
      name,
      Buffer.from(bytes).toString(),
    ]);
    expect(entries).toEqual([
      ['d/a', 'hello'],
      ['b', ''],
    ]);
  });

  it('refuses an archive that is cut off or damaged', () => {
    const cut = Buffer.concat([header('a', 5000), content('hello')]);
    expect(() => tarEntries(cut)).toThrow(InputError);
    expect(() => tarEntries(cut)).toThrow(/cut off: a should have 5000 bytes at byte 512/);
    const damaged = header('a', 0);
    damaged[3] = 7;
    expect(() => tarEntries(Buffer.concat([damaged, end]))).toThrow(/no valid header at byte 0/);
  });
});
