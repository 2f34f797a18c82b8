import { describe, expect, it } from 'vitest';
import * as convolutions from '../../src/tensor/convolution-kernels';
import {
  DType,
  dispose,
  engineVersion,
  keep,
  liveTensors,
  read,
  scope,
  upload,
} from '../../src/tensor/engine';
import * as k from '../../src/tensor/kernels';

const ones = () => upload(new Float32Array(4).fill(1), [4]);

describe('native', () => {
  it('copies arrays in and out, in their own types', () => {
    const source = Float32Array.of(1.5, -2);
    const tensor = upload(source, [2]);
    source[0] = 9;
    expect(read(tensor)).toEqual(Float32Array.of(1.5, -2));
    const integers = upload(Int32Array.of(2 ** 30, -7), [2]);
    const bytes = upload(Uint8Array.of(255, 0), [2, 1]);
    expect(read(integers)).toEqual(Int32Array.of(2 ** 30, -7));
    expect([...scope(() => k.floats(k.cast(bytes, DType.float32)))]).toEqual([255, 0]);
    expect([tensor, integers, bytes].map(({ dtype }) => dtype)).toEqual([
      DType.float32,
      DType.int32,
      DType.uint8,
    ]);
    dispose(tensor, integers, bytes);
  });

  it('names the version of TensorFlow', () => {
    expect(engineVersion().name).toBe('TensorFlow');
    expect(engineVersion().version).toMatch(/^2\.\d+/);
  });
});

describe('scope', () => {
  it('frees what was made in it but what it returns', () => {
    const before = liveTensors();
    const sum = scope(() => k.add(ones(), ones()));
    expect(liveTensors()).toBe(before + 1);
    expect([...k.floats(sum)]).toEqual([2, 2, 2, 2]);
    dispose(sum);
    const pair = scope(() => [ones(), ones(), ones()].slice(1));
    expect(liveTensors()).toBe(before + 2);
    dispose(...pair);
    expect(liveTensors()).toBe(before);
  });

  it('hands what it returns to the scope around it', () => {
    const before = liveTensors();
    scope(() => {
      scope(() => k.add(ones(), ones()));
      expect(liveTensors()).toBe(before + 1);
      return undefined;
    });
    expect(liveTensors()).toBe(before);
  });

  it('leaves alone a tensor that it returns but did not make', () => {
    const before = liveTensors();
    const outside = ones();
    expect(scope(() => outside)).toBe(outside);
    scope(() => {
      expect(scope(() => outside)).toBe(outside);
      return undefined;
    });
    expect([...k.floats(outside)]).toEqual([1, 1, 1, 1]);
    dispose(outside);
    expect(liveTensors()).toBe(before);
  });

  it('frees everything when its body throws, and counts a tensor once that was freed by hand', () => {
    const before = liveTensors();
    expect(() =>
      scope(() => {
        const early = ones();
        ones();
        dispose(early);
        throw new Error('stop');
      }),
    ).toThrow('stop');
    expect(liveTensors()).toBe(before);
    scope(() => {
      const outer = ones();
      scope(() => {
        dispose(outer);
        return undefined;
      });
      return undefined;
    });
    expect(liveTensors()).toBe(before);
  });

  it('lets go of a tensor that is kept', () => {
    const before = liveTensors();
    const kept: ReturnType<typeof ones>[] = [];
    scope(() => {
      scope(() => {
        kept.push(keep(ones()));
        return undefined;
      });
      return undefined;
    });
    expect(liveTensors()).toBe(before + 1);
    dispose(...kept);
    expect(liveTensors()).toBe(before);
  });
});

describe('constant', () => {
  it('is made once, outlives every scope, and leaves nothing else behind', () => {
    const before = liveTensors();
    const make = () => scope(() => [convolutions.channelSelection(3, [1, 2], DType.bfloat16)])[0];
    const first = make();
    expect(make()).toBe(first);
    expect(convolutions.channelSelection(3, [1, 2], DType.bfloat16)).toBe(first);
    convolutions.channelSelection(5, [1, 2], DType.bfloat16);
    expect(liveTensors()).toBe(before + 2);
  });
});
