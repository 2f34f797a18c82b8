import { describe, expect, it } from 'vitest';
import * as d from '../../src/tensor/differentiable';
import { DType, liveTensors, scope, type Tensor, upload } from '../../src/tensor/engine';
import * as k from '../../src/tensor/kernels';
import {
  convByPatches,
  convolvesByPatches,
  filterGradientByPatches,
  filterGradientOfPatches,
  inputGradientByPatches,
  patchesOf,
} from '../../src/tensor/patches';
import { createTape } from '../../src/tensor/tape';
import { outputSide, plainConv2d, plainConv2dGradients } from './plain-convolution';
import { normals, normalTensor, relativeDifference, sizeOf } from './values';

type Sides = [number, number, number, number];

const half = (shape: readonly number[]) => ({ shape, dtype: DType.bfloat16 });

describe('convolution by patches', () => {
  it.each([
    [3, 4, 4],
    [3, 2, 5],
    [5, 4, 3],
  ])('equals plain loops, with both gradients: kernel %i, picture %i x %i', (kernel, height, width) => {
    const shape = { stride: 1, padding: (kernel - 1) / 2 };
    const xShape: Sides = [3, height, width, 5];
    const wShape: Sides = [kernel, kernel, 5, 4];
    const gShape: Sides = [3, height, width, 4];
    const [x, w, g] = [xShape, wShape, gShape].map((s, i) => normals(sizeOf(s), `tensor ${i}`));
    const { dx, dw } = plainConv2dGradients(x, xShape, w, wShape, g, shape);
    scope(() => {
      const [tw, tg] = [upload(w, wShape), upload(g, gShape)];
      const patches = patchesOf(upload(x, xShape), kernel, shape);
      const y = convByPatches(patches, tw, xShape);
      expect(y.shape).toEqual(gShape);
      expect(relativeDifference(k.floats(y), plainConv2d(x, xShape, w, wShape, shape))).toBeLessThan(1e-5);
      expect(relativeDifference(k.floats(inputGradientByPatches(tw, tg)), dx)).toBeLessThan(1e-5);
      expect(relativeDifference(k.floats(filterGradientOfPatches(patches, tg, wShape)), dw)).toBeLessThan(
        1e-5,
      );
      return undefined;
    });
  });

  it.each([
    [3, 2, 1, 8, 8],
    [3, 2, 1, 7, 4],
    [7, 2, 3, 9, 12],
    [3, 1, 0, 5, 6],
  ])(
    'gives filter gradients of any stride and padding: kernel %i, stride %i, padding %i, %i x %i',
    (...c) => {
      const [kernel, stride, padding, height, width] = c;
      const shape = { stride, padding };
      const xShape: Sides = [2, height, width, 3];
      const wShape: Sides = [kernel, kernel, 3, 4];
      const gShape: Sides = [2, outputSide(height, kernel, shape), outputSide(width, kernel, shape), 4];
      const [x, w, g] = [xShape, wShape, gShape].map((s, i) => normals(sizeOf(s), `strided ${i}`));
      scope(() => {
        const patches = patchesOf(upload(x, xShape), kernel, shape);
        const got = k.floats(filterGradientOfPatches(patches, upload(g, gShape), wShape));
        expect(relativeDifference(got, plainConv2dGradients(x, xShape, w, wShape, g, shape).dw)).toBeLessThan(
          1e-5,
        );
        return undefined;
      });
    },
  );

  it.each([
    [4, 1],
    [8, 1],
    [8, 2],
  ])(
    'trains in bfloat16 as float32 does, to eight bits, and leaves no tensor: side %i, stride %i',
    (...c) => {
      const [side, stride] = c;
      const shape = { stride, padding: 1 };
      const shapes = [
        [2, side, side, 8],
        [3, 3, 8, 8],
        [2, side / stride, side / stride, 8],
      ];
      const numbers = (dtype: DType): Float32Array[] => {
        const result: Float32Array[] = [];
        const note = (t: Tensor) => result.push(k.floats(typed(t, DType.float32)));
        scope(() => {
          const [x, w, seed] = shapes.map((s, i) => typed(normalTensor(s, `half ${i}`), dtype));
          const tape = createTape();
          const y = d.conv2d(tape, x, w, shape);
          note(y);
          for (const gradient of tape.backward(y, seed, [x, w])) note(gradient);
          return undefined;
        });
        return result;
      };
      const exact = numbers(DType.float32);
      numbers(DType.bfloat16);
      const before = liveTensors();
      const near = numbers(DType.bfloat16);
      expect(liveTensors()).toBe(before);
      near.forEach((values, i) => {
        expect(relativeDifference(values, exact[i])).toBeLessThan(0.02);
      });
    },
  );

  it('is chosen for small pictures in bfloat16 alone, ungrouped, and not for single pixels', () => {
    const shape = { stride: 1, padding: 1 };
    expect(convolvesByPatches(half([1, 4, 4, 16]), half([3, 3, 16, 8]), shape)).toBe(true);
    for (const plain of [
      convolvesByPatches(half([1, 5, 4, 16]), half([3, 3, 16, 8]), shape),
      convolvesByPatches(half([1, 4, 4, 16]), half([3, 3, 8, 8]), shape),
      convolvesByPatches(half([1, 4, 4, 16]), half([3, 3, 16, 8]), { stride: 2, padding: 1 }),
      convolvesByPatches(half([1, 4, 4, 16]), half([1, 1, 16, 8]), { stride: 1, padding: 0 }),
      convolvesByPatches({ shape: [1, 4, 4, 16], dtype: DType.float32 }, half([3, 3, 16, 8]), shape),
    ])
      expect(plain).toBe(false);
    expect(filterGradientByPatches(half([1, 16, 16, 4]), half([1, 8, 8, 6]), [3, 3, 4, 6])).toBe(true);
    for (const plain of [
      filterGradientByPatches(half([1, 16, 16, 4]), half([1, 9, 9, 6]), [3, 3, 4, 6]),
      filterGradientByPatches(half([1, 16, 16, 4]), half([1, 8, 8, 6]), [1, 1, 4, 6]),
      filterGradientByPatches(half([1, 16, 16, 4]), half([1, 8, 8, 6]), [3, 3, 2, 6]),
      filterGradientByPatches(
        { shape: [1, 8, 8, 4], dtype: DType.float32 },
        half([1, 8, 8, 6]),
        [3, 3, 4, 6],
      ),
    ])
      expect(plain).toBe(false);
  });
});

const typed = (x: Tensor, dtype: DType) => (x.dtype === dtype ? x : k.cast(x, dtype));
