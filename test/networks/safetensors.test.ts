import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../src/errors';
import { fileError } from '../../src/networks/file-errors';
import { readSafetensors, readSafetensorsMetadata } from '../../src/networks/read-safetensors';
import { writeSafetensors } from '../../src/networks/write-safetensors';
import { scratchFolder } from './scratch-folder';

const scratch = scratchFolder();

/** A file of `header` (an object, or the bytes of the JSON as they are) and `data`. */
function written(name: string, header: object | string, data: Uint8Array): string {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  writeFileSync(scratch(name), Buffer.concat([length, json, data]));
  return scratch(name);
}

const entry = (dtype: string, shape: number[], start: number, end: number) => ({
  dtype,
  shape,
  data_offsets: [start, end],
});

describe('readSafetensors', () => {
  it('reads every element type, widening F16 and BF16 to float32', () => {
    const bytes = Buffer.alloc(44);
    bytes.writeBigInt64LE(-5n, 0);
    bytes.writeDoubleLE(0.1, 8);
    bytes.writeFloatLE(1.5, 16);
    bytes.writeInt32LE(-70000, 20);
    [0x3c00, 0xc000, 0x0001, 0x7bff, 0x7c00].forEach((half, i) => {
      bytes.writeUInt16LE(half, 24 + 2 * i);
    });
    [0x3f80, 0xc040].forEach((half, i) => {
      bytes.writeUInt16LE(half, 34 + 2 * i);
    });
    bytes.writeInt16LE(-300, 38);
    bytes.writeInt8(-127, 40);
    bytes.writeUInt8(255, 41);
    bytes.writeUInt8(1, 42);
    const path = written(
      'types',
      {
        i64: entry('I64', [1], 0, 8),
        f64: entry('F64', [1], 8, 16),
        f32: entry('F32', [], 16, 20),
        i32: entry('I32', [1], 20, 24),
        f16: entry('F16', [5], 24, 34),
        bf16: entry('BF16', [1, 2], 34, 38),
        i16: entry('I16', [1], 38, 40),
        i8: entry('I8', [1], 40, 41),
        u8: entry('U8', [1], 41, 42),
        bool: entry('BOOL', [2], 42, 44),
        none: entry('F32', [0, 3], 44, 44),
      },
      bytes,
    );
    const { tensors } = readSafetensors(path);
    const numbers = (name: string) => Array.from(tensors.get(name)!.data as ArrayLike<number | bigint>);
    expect(numbers('i64')).toEqual([-5n]);
    expect(numbers('f64')).toEqual([0.1]);
    expect(tensors.get('f32')).toMatchObject({ dtype: 'F32', shape: [] });
    expect(numbers('f32')).toEqual([1.5]);
    expect(numbers('i32')).toEqual([-70000]);
    expect(numbers('f16')).toEqual([1, -2, 2 ** -24, 65504, Number.POSITIVE_INFINITY]);
    expect(tensors.get('bf16')).toMatchObject({ dtype: 'BF16', shape: [1, 2] });
    expect(numbers('bf16')).toEqual([1, -3]);
    expect(numbers('i16')).toEqual([-300]);
    expect(numbers('i8')).toEqual([-127]);
    expect(numbers('u8')).toEqual([255]);
    expect(numbers('bool')).toEqual([1, 0]);
    expect(numbers('none')).toEqual([]);
  });

  const four = new Uint8Array(4);
  const cases: [title: string, header: object | string, data: Uint8Array, message: RegExp][] = [
    ['a header that is no JSON', '{"a": ', four, /no valid JSON/],
    ['a header that is no object', '[1]', four, /must be a JSON object/],
    [
      'an unknown element type',
      { a: entry('F7', [1], 0, 4) },
      four,
      /tensor 'a': dtype is "F7".*allowed are/,
    ],
    ['a negative side', { a: entry('F32', [-1], 0, 4) }, four, /tensor 'a': shape/],
    [
      'offsets that are no pair',
      { a: { dtype: 'F32', shape: [1], data_offsets: [0] } },
      four,
      /data_offsets must/,
    ],
    ['offsets that do not fit the shape', { a: entry('F32', [2], 0, 4) }, four, /span 4 bytes.*takes 8/],
    ['a tensor past the end', { a: entry('F32', [2], 0, 8) }, four, /truncated: tensor 'a'/],
    [
      'overlapping tensors',
      { a: entry('U8', [3], 0, 3), b: entry('U8', [2], 2, 4) },
      four,
      /tensor 'b'.*overlap those of 'a'/,
    ],
    [
      'a hole',
      { a: entry('U8', [1], 0, 1), b: entry('U8', [2], 2, 4) },
      four,
      /tensor 'b'.*leave a hole after 'a'/,
    ],
    [
      'bytes after the last tensor',
      { a: entry('U8', [1], 0, 1) },
      four,
      /3 bytes follow the last tensor 'a'/,
    ],
    [
      'metadata that are no strings',
      { __metadata__: { a: 1 }, b: entry('F32', [1], 0, 4) },
      four,
      /__metadata__/,
    ],
  ];
  it.each(cases)('refuses %s, naming file and field', (title, header, data, message) => {
    const path = written(title, header, data);
    expect(() => readSafetensors(path)).toThrow(InputError);
    expect(() => readSafetensors(path)).toThrow(message);
    expect(() => readSafetensors(path)).toThrow(title);
  });

  it('refuses a missing file, a folder, an empty file and an absurd header length', () => {
    expect(() => readSafetensors(scratch('nowhere'))).toThrow(/cannot read .*nowhere: no such file/);
    expect(() => readSafetensors(dirname(scratch('x')))).toThrow(/is a folder/);
    writeFileSync(scratch('empty'), '');
    expect(() => readSafetensors(scratch('empty'))).toThrow(/no safetensors file: it has 0 bytes/);
    writeFileSync(scratch('text'), 'this is no weight file at all');
    expect(() => readSafetensors(scratch('text'))).toThrow(/claims a header of/);
  });

  it('gives either the tensors or an InputError for a file cut short or with a byte changed', () => {
    const path = scratch('whole');
    writeSafetensors(path, new Map([['a', { shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) }]]), {
      k: 'v',
    });
    const whole = readFileSync(path);
    const damaged = scratch('damaged');
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(255), fc.boolean(), (at, value, cut) => {
        const bytes = Buffer.from(whole);
        bytes[at] = value;
        writeFileSync(damaged, cut ? bytes.subarray(0, at) : bytes);
        try {
          readSafetensors(damaged);
          expect(cut).toBe(false);
        } catch (error) {
          expect(error).toBeInstanceOf(InputError);
        }
      }),
    );
  });
});

describe('writeSafetensors', () => {
  it('writes what readSafetensors reads back, for any mixture of types and shapes', () => {
    const array = fc.oneof(
      fc.float32Array({ maxLength: 9 }),
      fc.int8Array({ maxLength: 9 }),
      fc.uint8Array({ maxLength: 9 }),
      fc.int16Array({ maxLength: 9 }),
      fc.int32Array({ maxLength: 9 }),
      fc.bigInt64Array({ maxLength: 9 }),
    );
    const names = fc.string({ minLength: 1 }).filter((name) => !name.startsWith('__'));
    const path = scratch('mixture');
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.tuple(names, array), { selector: ([name]) => name, maxLength: 6 }),
        (items) => {
          const tensors = new Map(items.map(([name, data]) => [name, { shape: [1, data.length], data }]));
          writeSafetensors(path, tensors, { note: 'μ' });
          const read = readSafetensors(path);
          expect(read.metadata).toEqual({ note: 'μ' });
          expect(
            new Map([...read.tensors].map(([name, { shape, data }]) => [name, { shape, data }])),
          ).toEqual(tensors);
        },
      ),
    );
  });

  it('aligns the data to 8 bytes and every tensor to its own element size', () => {
    const path = scratch('aligned');
    writeSafetensors(
      path,
      new Map([
        ['codes', { shape: [3], data: new Int8Array(3) }],
        ['scales', { shape: [2], data: new Float32Array(2) }],
        ['count', { shape: [1], data: new BigInt64Array(1) }],
      ]),
    );
    const bytes = readFileSync(path);
    const length = Number(bytes.readBigUInt64LE());
    expect(length % 8).toBe(0);
    const header = JSON.parse(bytes.toString('utf8', 8, 8 + length));
    expect(header.count.data_offsets[0] % 8).toBe(0);
    expect(header.scales.data_offsets[0] % 4).toBe(0);
    expect(header.codes.data_offsets).toEqual([16, 19]);
  });

  it('gives the metadata without reading the tensors', () => {
    writeSafetensors(scratch('meta'), new Map([['a', { shape: [1], data: new Int8Array(1) }]]), {
      network: 'tiny',
    });
    expect(readSafetensorsMetadata(scratch('meta'))).toEqual({ network: 'tiny' });
  });

  it('leaves nothing behind where it cannot write, and what was there before', () => {
    const tensors = new Map([['a', { shape: [1], data: new Int8Array(1) }]]);
    expect(() => writeSafetensors(scratch('no-folder/file'), tensors)).toThrow(
      /cannot write .*no such file or folder/,
    );
    mkdirSync(scratch('folder'));
    expect(() => writeSafetensors(scratch('folder'), tensors)).toThrow(InputError);
    expect(existsSync(scratch('no-folder'))).toBe(false);
    expect(readdirSync(dirname(scratch('x'))).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  it('says when the disk is full or the folder may not be written', () => {
    const failed = (code: string) => fileError('out/x', 'write', Object.assign(new Error('?'), { code }));
    expect(failed('ENOSPC')).toEqual(new InputError('cannot write out/x: no space left on the disk'));
    expect(failed('EACCES')).toEqual(new InputError('cannot write out/x: permission denied'));
    expect(failed('EINVAL')).not.toBeInstanceOf(InputError);
  });
});
