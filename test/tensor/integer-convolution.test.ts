import { describe, expect, it } from 'vitest';
import type { ConvShape } from '../../src/tensor/convolution-kernels';
import { DType, dispose, liveTensors, read, scope, upload } from '../../src/tensor/engine';
import { codeKernel, convolveCodes, multipliesCodes } from '../../src/tensor/integer-convolution';
import { plainConv2d } from './plain-convolution';
import { sizeOf, wholeNumbers } from './values';

type Sides = [number, number, number, number];

/** Whole numbers up to 2^53 in plain loops are exact. */
const expected = (x: Float32Array, xShape: Sides, w: Float32Array, wShape: Sides, shape: ConvShape) =>
  Array.from(plainConv2d(x, xShape, w, wShape, shape));

describe.skipIf(!multipliesCodes())('convolution of codes', () => {
  it.each([
    [3, 1, 1, 8, 16, 32],
    [3, 2, 1, 8, 5, 7],
    [3, 2, 1, 9, 3, 4],
    [7, 2, 3, 14, 3, 8],
    [1, 2, 0, 8, 64, 32],
    [1, 1, 0, 4, 3, 1],
    [5, 1, 2, 6, 3, 10],
  ])(
    'is exact, for unsigned and signed inputs: kernel %i, stride %i, padding %i, side %i, %i to %i',
    (...c) => {
      const [side, stride, padding, height, from, to] = c;
      const wShape: Sides = [side, side, from, to];
      const w = wholeNumbers(sizeOf(wShape), -128, 127, 'w');
      const kernel = codeKernel(Int8Array.from(w), wShape);
      // A kernel kept by the engine serves batches and pictures of any size.
      for (const signed of [false, true])
        for (const [count, scale] of [
          [3, 1],
          [1, 3],
          [4, 1],
        ]) {
          const xShape: Sides = [count, scale * height, height, from];
          const x = wholeNumbers(sizeOf(xShape), signed ? -128 : 0, signed ? 127 : 255, `x ${signed}`);
          const sums = scope(() => convolveCodes(upload(x, xShape), kernel, signed, { stride, padding }));
          expect(sums.dtype).toBe(DType.int32);
          expect(Array.from(read(sums))).toEqual(expected(x, xShape, w, wShape, { stride, padding }));
          dispose(sums);
        }
      dispose(kernel.codes);
    },
  );

  it('is exact up to 2^24, and beyond to the eighth digit alone', () => {
    const wShape: Sides = [1, 1, 1024, 2];
    const w = Float32Array.from({ length: 2048 }, (_, i) => (i % 2 ? 127 : 64));
    const kernel = codeKernel(Int8Array.from(w), wShape);
    for (let missing = 0; missing < 40; missing++) {
      const x = new Float32Array(1024).fill(255);
      x[0] -= missing;
      scope(() => {
        const input = upload(x, [1, 1, 1, 1024]);
        const [small, large] = read(convolveCodes(input, kernel, false, { stride: 1, padding: 0 }));
        expect(small).toBe((1024 * 255 - missing) * 64);
        expect(small).toBeLessThan(2 ** 24);
        expect(large).toBe(Math.fround((1024 * 255 - missing) * 127));
        return undefined;
      });
    }
    dispose(kernel.codes);
  });

  it('takes bytes as they are, keeps kernels of the same shape apart and leaves no tensor', () => {
    const xShape: Sides = [1, 2, 2, 4];
    const x = wholeNumbers(16, 0, 255, 'bytes');
    const shape = { stride: 1, padding: 1 };
    const once = () => {
      for (const name of ['one', 'two', 'one']) {
        const wShape: Sides = [3, 3, 4, 2];
        const w = wholeNumbers(sizeOf(wShape), -127, 127, name);
        const kernel = codeKernel(Int8Array.from(w), wShape);
        const sums = scope(() => convolveCodes(upload(Uint8Array.from(x), xShape), kernel, false, shape));
        expect(Array.from(read(sums))).toEqual(expected(x, xShape, w, wShape, shape));
        dispose(sums, kernel.codes);
      }
    };
    once();
    const before = liveTensors();
    once();
    expect(liveTensors()).toBe(before);
  });
});
