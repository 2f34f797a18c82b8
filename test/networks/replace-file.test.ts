import { lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { requireWritable } from '../../src/commands/output-file';
import { InputError } from '../../src/errors';
import { replaceFile } from '../../src/networks/replace-file';
import { scratchFolder } from './scratch-folder';

const scratch = scratchFolder();
const bytes = (text: string) => [Buffer.from(text)];

describe('replaceFile', () => {
  it('writes to what a symbolic link points to, and the link stays', () => {
    writeFileSync(scratch('target'), 'old');
    symlinkSync(scratch('target'), scratch('link'));
    replaceFile(scratch('link'), bytes('new'));
    expect(lstatSync(scratch('link')).isSymbolicLink()).toBe(true);
    expect(readFileSync(scratch('target'), 'utf8')).toBe('new');
  });

  it('refuses a folder, a device, and links that lead nowhere or round in a circle, in one line', () => {
    mkdirSync(scratch('folder'));
    symlinkSync(scratch('nothing'), scratch('dangling'));
    symlinkSync(scratch('loop'), scratch('loop'));
    const paths = ['/dev/null', ...['folder', 'dangling', 'loop', 'x'.repeat(300)].map(scratch)];
    for (const path of paths)
      for (const write of [() => replaceFile(path, bytes('new')), () => requireWritable(path)]) {
        expect(write).toThrow(InputError);
        expect(write).toThrow(/^cannot write [^\n]*$/);
      }
    expect(lstatSync('/dev/null').isCharacterDevice()).toBe(true);
  });

  it('leaves what was there, and nothing beside it, where writing fails', () => {
    mkdirSync(scratch('own'));
    writeFileSync(scratch('own/kept'), 'old');
    const broken = function* () {
      yield Buffer.from('half');
      throw new Error('the source fails');
    };
    expect(() => replaceFile(scratch('own/kept'), broken())).toThrow('the source fails');
    expect(readFileSync(scratch('own/kept'), 'utf8')).toBe('old');
    expect(readdirSync(scratch('own'))).toEqual(['kept']);
  });
});

describe('requireWritable', () => {
  it('refuses an output that is one of the inputs, under whatever name', () => {
    writeFileSync(scratch('input'), '');
    symlinkSync(scratch('input'), scratch('alias'));
    for (const output of [scratch('input'), `${scratch('.')}/./input`, scratch('alias')])
      expect(() => requireWritable(output, [scratch('other'), scratch('input')])).toThrow(
        /^cannot write .*: it is an input/,
      );
    expect(() => requireWritable(scratch('fresh'), [scratch('input')])).not.toThrow();
  });
});
