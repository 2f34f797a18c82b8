import { describe, expect, it } from 'vitest';
import type { NetworkDescription } from '../../src/networks/description';
import { createInference, type ForwardHooks } from '../../src/networks/inference';
import { initialParameters } from '../../src/networks/initial-parameters';
import type * as convolutions from '../../src/tensor/convolution-kernels';
import * as d from '../../src/tensor/differentiable';
import { DType, dispose, liveTensors, scope, upload } from '../../src/tensor/engine';
import * as k from '../../src/tensor/kernels';
import { createTape } from '../../src/tensor/tape';
import {
  type WinogradSide,
  winogradConv,
  winogradGradients,
  winogradKernel,
  winogradSide,
} from '../../src/tensor/winograd';
import { plainConv2d, plainConv2dGradients } from './plain-convolution';
import { normals, normalTensor, relativeDifference, sizeOf } from './values';

type Sides = [number, number, number, number];

const SHAPE = { stride: 1, padding: 1 };

const CASES = [
  { side: 2, height: 2, width: 2 },
  { side: 2, height: 6, width: 4 },
  { side: 2, height: 8, width: 8 },
  { side: 4, height: 4, width: 4 },
  { side: 4, height: 8, width: 4 },
  { side: 4, height: 8, width: 12 },
] as const;

describe('Winograd convolution', () => {
  it.each(CASES)(
    'equals plain loops, with both gradients: squares of $side, picture $height x $width',
    ({ side, height, width }) => {
      const xShape: Sides = [3, height, width, 5];
      const wShape: Sides = [3, 3, 5, 4];
      const gShape: Sides = [3, height, width, 4];
      const [x, w, g] = [xShape, wShape, gShape].map((shape, i) => normals(sizeOf(shape), `tensor ${i}`));
      const expected = plainConv2d(x, xShape, w, wShape, SHAPE);
      const { dx, dw } = plainConv2dGradients(x, xShape, w, wShape, g, SHAPE);
      scope(() => {
        const kernel = upload(w, wShape);
        const { y, transformed } = winogradConv(
          upload(x, xShape),
          winogradKernel(kernel, side as WinogradSide),
          side as WinogradSide,
        );
        expect(y.shape).toEqual(gShape);
        expect(relativeDifference(k.floats(y), expected)).toBeLessThan(1e-5);
        const [forX, forW] = winogradGradients(kernel, transformed, upload(g, gShape), side, true);
        expect(relativeDifference(k.floats(forX!), dx)).toBeLessThan(1e-5);
        expect(relativeDifference(k.floats(forW), dw)).toBeLessThan(1e-5);
        expect(winogradGradients(kernel, transformed, upload(g, gShape), side, false)[0]).toBeUndefined();
        return undefined;
      });
    },
  );

  it('computes wide layers on small pictures while training in float32, and leaves no tensor behind', () => {
    const xShape: Sides = [2, 4, 4, 128];
    const wShape: Sides = [3, 3, 128, 128];
    const pass = () => {
      const [x, w, seed] = [xShape, wShape, xShape].map((shape, i) => normalTensor(shape, `wide ${i}`));
      const tape = createTape();
      const y = d.conv2d(tape, x, w, SHAPE);
      const output = k.floats(y);
      const gradients = tape.backward(y, seed, [x, w]);
      const results = [output, ...gradients.map(k.floats)];
      dispose(x, w, ...gradients);
      return results;
    };
    pass();
    const before = liveTensors();
    const results = pass();
    expect(liveTensors()).toBe(before);
    const [x, w, g] = [xShape, wShape, xShape].map((shape, i) => normals(sizeOf(shape), `wide ${i}`));
    const { dx, dw } = plainConv2dGradients(x, xShape, w, wShape, g, SHAPE);
    const expected = [plainConv2d(x, xShape, w, wShape, SHAPE), dx, dw];
    results.forEach((result, i) => {
      expect(relativeDifference(result, expected[i])).toBeLessThan(1e-5);
    });
  });

  it('computes inference, but not where hooks look on', () => {
    const conv = { op: 'conv', name: 'conv', input: 'input', inChannels: 3, outChannels: 128 } as const;
    const wide = { ...conv, name: 'wide', input: 'conv', inChannels: 128 } as const;
    const shape = { kernel: 3, stride: 1, padding: 1, groups: 1, bias: true } as const;
    const description: NetworkDescription = {
      name: 'wide',
      input: { height: 8, width: 8, channels: 3 },
      classes: 4,
      nodes: [
        { ...conv, ...shape },
        { ...wide, ...shape },
        { op: 'globalpool', name: 'pool', input: 'wide' },
        { op: 'dense', name: 'fc', input: 'pool', inFeatures: 128, outFeatures: 4, bias: true },
      ],
    };
    const parameters = initialParameters(description, 1);
    const pictures = {
      count: 3,
      height: 8,
      width: 8,
      channels: 3,
      pixels: new Uint8Array(3 * 192).map((_, i) => i),
    };
    const logits = (hooks: ForwardHooks) => {
      const options = { mean: [0.5, 0.5, 0.5], std: [0.2, 0.2, 0.2], ...hooks };
      const inference = createInference(description, parameters, options);
      const result = inference.logits(pictures);
      inference.dispose();
      return result;
    };
    const exact = logits({ afterNode: (_, output) => output });
    const near = logits({});
    expect(near).not.toEqual(exact);
    expect(relativeDifference(near, exact)).toBeLessThan(1e-4);
    const before = liveTensors();
    logits({});
    expect(liveTensors()).toBe(before);
  });

  it('is chosen for 3x3 convolutions of stride 1 alone, ungrouped, in float32, where squares divide the picture', () => {
    const sideOf = (
      x: Sides,
      w: Sides,
      shape: convolutions.ConvShape = SHAPE,
      dtype: DType = DType.float32,
    ) => winogradSide({ shape: x, dtype }, { shape: w, dtype }, shape);
    const wide: Sides = [3, 3, 128, 128];
    expect(sideOf([1, 8, 8, 128], wide)).toBe(4);
    expect(sideOf([1, 6, 8, 128], wide)).toBe(2);
    expect(sideOf([1, 2, 2, 128], wide)).toBe(2);
    for (const plain of [
      sideOf([1, 7, 8, 128], wide),
      sideOf([1, 16, 16, 128], wide),
      sideOf([1, 8, 8, 128], wide, { stride: 2, padding: 1 }),
      sideOf([1, 8, 8, 128], wide, { stride: 1, padding: 0 }),
      sideOf([1, 8, 8, 128], wide, SHAPE, DType.bfloat16),
      sideOf([1, 8, 8, 256], wide),
      sideOf([1, 8, 8, 64], [3, 3, 64, 128]),
      sideOf([1, 8, 8, 128], [1, 1, 128, 128]),
    ])
      expect(plain).toBeUndefined();
  });
});
