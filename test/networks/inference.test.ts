import { describe, expect, it } from 'vitest';
import { createInference, runNode } from '../../src/networks/inference';
import { initialParameters } from '../../src/networks/initial-parameters';
import { tensorFlowShape, toPyTorch, toTensorFlow } from '../../src/networks/weight-layout';
import { dispose, liveTensors, read, upload } from '../../src/tensor/engine';
import { normals } from '../tensor/values';
import { MICRO, microParameters } from './micro-network';

describe('weight layouts', () => {
  it('turn OIHW into HWIO and [out, in] into [in, out], and back', () => {
    const data = Float32Array.from({ length: 2 * 3 * 2 * 2 }, (_, i) => i);
    const shape = [2, 3, 2, 2];
    expect(tensorFlowShape(shape)).toEqual([2, 2, 3, 2]);
    const moved = toTensorFlow(data, shape);
    for (let o = 0; o < 2; o++)
      for (let i = 0; i < 3; i++)
        for (let y = 0; y < 2; y++)
          for (let x = 0; x < 2; x++)
            expect(moved[((y * 2 + x) * 3 + i) * 2 + o]).toBe(data[((o * 3 + i) * 2 + y) * 2 + x]);
    expect(toPyTorch(moved, shape)).toEqual(data);
    expect([...toTensorFlow(Float32Array.of(1, 2, 3, 4, 5, 6), [2, 3])]).toEqual([1, 4, 2, 5, 3, 6]);
    expect([...toTensorFlow(Float32Array.of(1, 2), [2])]).toEqual([1, 2]);
  });
});

describe('createInference', () => {
  const options = { mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25] };

  it('classifies a batch as it classifies its pictures one by one', () => {
    const { nodes, ...rest } = MICRO;
    // The micro network without its batch norm.
    const description = {
      ...rest,
      nodes: nodes
        .filter(({ op }) => op !== 'batchnorm')
        .map((node) => (node.op === 'globalpool' ? { ...node, input: 'conv' } : node)),
    };
    const parameters = initialParameters(description, 1);
    const before = liveTensors();
    const inference = createInference(description, parameters, options);
    const pixels = Uint8Array.from(normals(3 * 48, 'pixels'), (value) => 128 + 40 * value);
    const size = { height: 4, width: 4, channels: 3 };
    const all = inference.logits({ pixels, count: 3, ...size });
    const between = liveTensors();
    for (let i = 0; i < 3; i++) {
      const one = inference.logits({ pixels: pixels.slice(48 * i, 48 * i + 48), count: 1, ...size });
      one.forEach((logit, c) => {
        expect(logit).toBeCloseTo(all[2 * i + c], 5);
      });
    }
    expect(liveTensors()).toBe(between);
    inference.dispose();
    // The axes and shapes that stay for the life of the process.
    expect(liveTensors() - before).toBeLessThanOrEqual(4);
  });

  it('asks for batch norm to be folded', () => {
    const inference = createInference(MICRO, microParameters(), options);
    expect(() => inference.logits({ pixels: new Uint8Array(48), count: 1, ...MICRO.input })).toThrow(
      /bn: fold batch norm/,
    );
    inference.dispose();
  });
});

describe('runNode', () => {
  it('gives every node a tensor of its own, also those that pass their input on', () => {
    const x = upload(Float32Array.of(1, 2, 3, 4), [1, 2, 2, 1]);
    for (const node of [
      { op: 'dropout', name: 'drop', input: 'x', rate: 0.5 },
      { op: 'avgpool', name: 'pool', input: 'x', grid: 2 },
    ] as const) {
      const y = runNode(node, () => x, new Map());
      expect(y).not.toBe(x);
      dispose(y);
      expect([...read(x)]).toEqual([1, 2, 3, 4]);
    }
    dispose(x);
  });
});
