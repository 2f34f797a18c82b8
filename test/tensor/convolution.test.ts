import { describe, expect, it } from 'vitest';
import * as convolutions from '../../src/tensor/convolution-kernels';
import { DType, dispose, liveTensors, scope, upload } from '../../src/tensor/engine';
import * as k from '../../src/tensor/kernels';
import { outputSide, plainConv2d, plainConv2dGradients } from './plain-convolution';
import { normals, relativeDifference, sizeOf, taken } from './values';

type Sides = [number, number, number, number];

const CASES = [1, 3, 5, 7].flatMap((kernel) =>
  [1, 2].flatMap((stride) =>
    [
      [8, 8],
      [9, 9],
      [8, 9],
      [9, 8],
      [7, 12],
    ].flatMap(([height, width]) =>
      [0, (kernel - 1) / 2]
        .filter((padding, i) => i === 0 || padding > 0)
        .map((padding) => ({ kernel, stride, padding, height, width })),
    ),
  ),
);

describe('conv2d', () => {
  it.each(CASES)(
    'equals plain loops, with both gradients: kernel $kernel, stride $stride, padding $padding, picture $height x $width',
    ({ kernel, stride, padding, height, width }) => {
      const before = liveTensors();
      const shape = { stride, padding };
      const xShape: Sides = [2, height, width, 3];
      const wShape: Sides = [kernel, kernel, 3, 4];
      const x = normals(sizeOf(xShape), 'x');
      const w = normals(sizeOf(wShape), 'w');
      const outShape = [2, outputSide(height, kernel, shape), outputSide(width, kernel, shape), 4];
      const g = normals(sizeOf(outShape), 'g');
      const expected = plainConv2d(x, xShape, w, wShape, shape);
      const { dx, dw } = plainConv2dGradients(x, xShape, w, wShape, g, shape);
      scope(() => {
        const tx = upload(x, xShape);
        const tw = upload(w, wShape);
        const tg = upload(g, outShape);
        const y = convolutions.conv2d(tx, tw, shape);
        expect(y.shape).toEqual(outShape);
        expect(relativeDifference(k.floats(y), expected)).toBeLessThan(1e-5);
        expect(
          relativeDifference(k.floats(convolutions.conv2dInputGrad(xShape, tw, tg, shape)), dx),
        ).toBeLessThan(1e-5);
        expect(
          relativeDifference(k.floats(convolutions.conv2dFilterGrad(tx, wShape, tg, shape)), dw),
        ).toBeLessThan(1e-5);
        return undefined;
      });
      // Only small constants that are kept for the life of the process may have come.
      expect(liveTensors() - before).toBeLessThanOrEqual(6);
    },
  );

  it('says so where the gradient of a padding has no form in the engine', () => {
    scope(() => {
      const w = upload(new Float32Array(9), [3, 3, 1, 1]);
      const g = upload(new Float32Array(144), [1, 12, 12, 1]);
      expect(() => convolutions.conv2dInputGrad([1, 8, 8, 1], w, g, { stride: 1, padding: 3 })).toThrow(
        /3x3 convolution.*padding 3/,
      );
      return undefined;
    });
  });

  it('has the same filter gradient in bfloat16, where whole numbers make both exact, on small pictures and large', () => {
    for (const [side, kernel] of [
      [2, 3],
      [4, 3],
      [8, 5],
      [9, 3],
    ]) {
      const small = (count: number) => Float32Array.from({ length: count }, (_, i) => ((i * 7919) % 5) - 2);
      const shape = { stride: 1, padding: (kernel - 1) / 2 };
      const xShape = [2, side, side, 3];
      const gShape = [2, side, side, 4];
      const [x, g] = [xShape, gShape].map((s) => upload(small(s.reduce((a, b) => a * b)), s));
      const wShape = [kernel, kernel, 3, 4];
      scope(() => {
        const exact = k.floats(convolutions.conv2dFilterGrad(x, wShape, g, shape));
        const halves = [x, g].map((t) => k.cast(t, DType.bfloat16));
        const half = convolutions.conv2dFilterGrad(halves[0], wShape, halves[1], shape);
        expect(half.shape).toEqual(wShape);
        // Sums above 256 are rounded to bfloat16's eight bits.
        expect(relativeDifference(k.floats(k.cast(half, DType.float32)), exact)).toBeLessThan(2 ** -8);
        return undefined;
      });
      dispose(x, g);
    }
  });

  it('in bfloat16 is within its eight bits of the float32 result', () => {
    const x = upload(normals(2 * 8 * 8 * 16, 'x'), [2, 8, 8, 16]);
    const w = upload(normals(9 * 16 * 8, 'w'), [3, 3, 16, 8]);
    const shape = { stride: 2, padding: 1 };
    const [exact, half] = scope(() => [
      convolutions.conv2d(x, w, shape),
      k.cast(convolutions.conv2d(k.cast(x, DType.bfloat16), k.cast(w, DType.bfloat16), shape), DType.float32),
    ]);
    const reference = taken(exact);
    const difference = relativeDifference(taken(half), reference);
    expect(difference).toBeLessThan(0.02);
    expect(difference).toBeGreaterThan(0);
    taken(x);
    taken(w);
  });
});
