import { describe, expect, it } from 'vitest';
import * as d from '../../src/tensor/differentiable';
import { DType, dispose, liveTensors, scope, type Tensor, upload } from '../../src/tensor/engine';
import * as k from '../../src/tensor/kernels';
import { createTape, type Tape } from '../../src/tensor/tape';
import { normals, sizeOf } from './values';

type Operation = (tape: Tape, ...inputs: Tensor[]) => Tensor;

interface Case {
  readonly name: string;
  readonly shapes: readonly (readonly number[])[];
  readonly run: Operation;
  /** Finite differences step; small where the operation has kinks or curvature. */
  readonly step?: number;
}

const CASES: readonly Case[] = [
  {
    name: 'conv2d of stride 2',
    shapes: [
      [2, 6, 6, 2],
      [3, 3, 2, 3],
    ],
    run: (tape, x, w) => d.conv2d(tape, x, w, { stride: 2, padding: 1 }),
  },
  { name: 'relu', shapes: [[3, 7]], run: d.relu, step: 1e-3 },
  { name: 'add', shapes: [[2, 3], [2, 3]], run: d.add }, // biome-ignore format: short
  { name: 'add of a tensor to itself', shapes: [[2, 3]], run: (tape, x) => d.add(tape, x, x) },
  {
    name: 'a tensor read by two operations',
    shapes: [[2, 3]],
    run: (tape, x) => d.add(tape, d.relu(tape, x), x),
    step: 1e-3,
  },
  { name: 'reshape', shapes: [[2, 6]], run: (tape, x) => d.reshape(tape, x, [3, 4]) },
  { name: 'transpose', shapes: [[2, 3, 4, 5]], run: (tape, x) => d.transpose(tape, x, [0, 3, 1, 2]) },
  { name: 'maxPool', shapes: [[2, 4, 4, 2]], run: (tape, x) => d.maxPool(tape, x, 2, 2, 0), step: 1e-3 },
  {
    name: 'overlapping maxPool with padding',
    shapes: [[1, 5, 5, 2]],
    run: (tape, x) => d.maxPool(tape, d.relu(tape, x), 3, 2, 1),
    step: 1e-3,
  },
  { name: 'subsamplePad', shapes: [[2, 5, 6, 2]], run: (tape, x) => d.subsamplePad(tape, x, 2, [1, 2]) },
  { name: 'globalMean', shapes: [[2, 3, 5, 4]], run: d.globalMean },
  { name: 'gridMean', shapes: [[2, 4, 6, 3]], run: (tape, x) => d.gridMean(tape, x, 2) },
  {
    name: 'gridMean of the whole picture',
    shapes: [[2, 3, 5, 2]],
    run: (tape, x) => d.gridMean(tape, x, 1),
  },
  {
    name: 'gridMean that has nothing to do',
    shapes: [[2, 2, 2, 3]],
    run: (tape, x) => d.relu(tape, d.gridMean(tape, x, 2)),
    step: 1e-3,
  },
  { name: 'dense', shapes: [[3, 4], [4, 2]], run: (tape, x, w) => d.dense(tape, x, w) }, // biome-ignore format: short
  { name: 'dense with bias', shapes: [[3, 4], [4, 2], [2]], run: d.dense }, // biome-ignore format: short
  { name: 'biasAdd', shapes: [[2, 3, 3, 2], [2]], run: d.biasAdd }, // biome-ignore format: short
  {
    name: 'batchNorm',
    shapes: [[4, 3, 3, 2], [2], [2]],
    run: (tape, x, scale, offset) =>
      d.batchNorm(
        tape,
        x,
        scale,
        offset,
        [
          k.constant('test zeros', () => upload(new Float32Array(2), [2])),
          k.constant('test ones', () => upload(new Float32Array(2).fill(1), [2])),
        ],
        1e-5,
        0.1,
        dispose,
      ),
    step: 1e-2,
  },
  {
    name: 'frozenBatchNorm',
    shapes: [[4, 3, 3, 2], [2], [2]],
    run: (tape, x, scale, offset) => {
      const statistics = [
        k.constant('test means', () => upload(Float32Array.of(0.3, -0.2), [2])),
        k.constant('test variances', () => upload(Float32Array.of(0.5, 2), [2])),
      ] as const;
      return d.frozenBatchNorm(tape, x, scale, offset, statistics, 1e-5);
    },
  },
  {
    name: 'mask',
    shapes: [[2, 3]],
    run: (tape, x) => d.mask(tape, x, upload(Float32Array.of(0, 2, 1, 0, 1, 3), [2, 3])),
  },
];

/** sum(weights * run(inputs)), and on demand its gradients by the tape. */
function evaluate({ run, shapes }: Case, inputs: readonly Float32Array[], gradients: boolean) {
  return scope(() => {
    const tape = createTape();
    const tensors = inputs.map((data, i) => upload(data, shapes[i]));
    const output = run(tape, ...tensors);
    const weights = normals(sizeOf(output.shape), 'projection');
    const values = k.floats(output);
    const loss = values.reduce((sum, value, i) => sum + value * weights[i], 0);
    const before = gradients ? tape.backward(output, upload(weights, output.shape), tensors) : [];
    return Float32Array.of(loss, ...before.flatMap((tensor) => [...k.floats(tensor)]));
  });
}

const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, i) => sum + value * b[i], 0);

describe('differentiable operations', () => {
  it.each(CASES)('$name: the tape gives the slope that finite differences give', (operation) => {
    const step = operation.step ?? 0.1;
    const inputs = operation.shapes.map((shape, i) => normals(sizeOf(shape), `input ${i}`));
    const gradients = evaluate(operation, inputs, true).subarray(1);
    let at = 0;
    for (const [which, input] of inputs.entries()) {
      const gradient = gradients.subarray(at, at + input.length);
      at += input.length;
      for (let trial = 0; trial < 3; trial++) {
        const direction = normals(input.length, `direction ${trial}`);
        const moved = (by: number) =>
          evaluate(
            operation,
            inputs.map((data, i) => (i === which ? data.map((v, j) => v + by * direction[j]) : data)),
            false,
          )[0];
        const slope = (moved(step) - moved(-step)) / (2 * step);
        const size = Math.sqrt(dot(gradient, gradient) * dot(direction, direction));
        expect(Math.abs(slope - dot(gradient, direction)) / size).toBeLessThan(3e-3);
      }
    }
  });

  it.each(CASES)('$name: the tape frees all it made', (operation) => {
    const inputs = operation.shapes.map((shape, i) => normals(sizeOf(shape), `input ${i}`));
    const once = () => {
      const tape = createTape();
      const tensors = inputs.map((data, i) => upload(data, operation.shapes[i]));
      const output = operation.run(tape, ...tensors);
      const seed = upload(new Float32Array(sizeOf(output.shape)), output.shape);
      dispose(...tape.backward(output, seed, tensors), ...tensors);
    };
    once();
    const before = liveTensors();
    once();
    expect(liveTensors()).toBe(before);
  });

  it('rounds to the codes that crossbars take, and lets gradients through where nothing is clipped', () => {
    for (const dtype of [DType.float32, DType.bfloat16])
      scope(() => {
        const tape = createTape();
        const x = k.cast(upload(Float32Array.of(-0.5, 0.1, 0.4, 0.625, 3.5, 9), [6]), dtype);
        const y = d.fakeQuant(tape, x, 0, 15 * 0.25, 4);
        expect(y.dtype).toBe(dtype);
        expect([...k.floats(k.cast(y, DType.float32))].map((value) => value / 0.25)).toEqual([
          0, 0, 2, 3, 14, 15,
        ]);
        const [gradient] = tape.backward(y, k.cast(upload(new Float32Array(6).fill(2), [6]), dtype), [x]);
        expect([...k.floats(k.cast(gradient, DType.float32))]).toEqual([0, 2, 2, 2, 2, 0]);
        return undefined;
      });
    // Two's complement: as many levels below 0 as above, and one more.
    scope(() => {
      const y = k.fakeQuant(upload(Float32Array.of(-9, -1.1, 0.2, 9), [4]), -8 * 0.5, 7 * 0.5, 4);
      expect([...k.floats(y)].map((value) => value / 0.5)).toEqual([-8, -2, 0, 7]);
      return undefined;
    });
  });

  it('casts back the gradient of a cast', () => {
    scope(() => {
      const tape = createTape();
      const x = upload(Float32Array.of(1, 2), [2]);
      const y = d.cast(tape, d.cast(tape, x, DType.bfloat16), DType.float32);
      const [gradient] = tape.backward(y, upload(Float32Array.of(3, 4), [2]), [x]);
      expect([...k.floats(gradient)]).toEqual([3, 4]);
      return undefined;
    });
  });

  it('gives no gradient to what the output does not depend on, and frees what nobody watches', () => {
    const before = liveTensors();
    const tape = createTape();
    const [x, y] = [upload(Float32Array.of(1), [1]), upload(Float32Array.of(2), [1])];
    d.relu(tape, y);
    const output = d.relu(tape, x);
    const gradients = tape.backward(output, upload(Float32Array.of(1), [1]), [y]);
    expect(gradients).toEqual([undefined]);
    dispose(x, y);
    expect(liveTensors()).toBe(before);
  });
});
