import { describe, expect, it } from 'vitest';
import * as norms from '../../src/tensor/batch-norm-kernels';
import * as convolutions from '../../src/tensor/convolution-kernels';
import { DType, dispose, scope, type Tensor, upload } from '../../src/tensor/engine';
import * as k from '../../src/tensor/kernels';
import { normals, normalTensor, relativeDifference } from './values';

/** What `body` makes, read out; everything else it made is freed. */
const value = (body: () => Tensor): Float32Array => scope(() => k.floats(body()));

const column = (x: ArrayLike<number>, channels: number, c: number) =>
  Array.from(x).filter((_, i) => i % channels === c);

const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;

describe('kernels', () => {
  it('batch norm gives the batch its own mean and variance, and moves the running ones as PyTorch does', () => {
    const x = normals(4 * 3 * 5 * 2, 'batch').map((v, i) => 3 * v + (i % 2) * 5);
    const [scale, offset, oldMean, oldVariance] = [
      [1.5, -2],
      [0.1, 7],
      [10, 20],
      [4, 9],
    ];
    scope(() => {
      const t = (values: number[]) => upload(Float32Array.from(values), [2]);
      const result = norms.batchNorm(
        upload(x, [4, 3, 5, 2]),
        t(scale),
        t(offset),
        [t(oldMean), t(oldVariance)],
        1e-5,
        0.1,
      );
      for (let c = 0; c < 2; c++) {
        const values = column(x, 2, c);
        const m = mean(values);
        const variance = mean(values.map((v) => (v - m) ** 2));
        const expected = values.map((v) => ((v - m) / Math.sqrt(variance + 1e-5)) * scale[c] + offset[c]);
        expect(relativeDifference(column(k.floats(result.y), 2, c), expected)).toBeLessThan(1e-5);
        const unbiased = (variance * values.length) / (values.length - 1);
        expect(k.floats(result.runningMean)[c]).toBeCloseTo(0.9 * oldMean[c] + 0.1 * m, 4);
        expect(k.floats(result.runningVariance)[c]).toBeCloseTo(0.9 * oldVariance[c] + 0.1 * unbiased, 4);
      }
      return undefined;
    });
  });

  it('max pooling takes the largest of each window', () => {
    const x = normals(2 * 6 * 4 * 3, 'pool');
    const y = value(() => k.maxPool(upload(x, [2, 6, 4, 3]), 2, 2));
    const at = (n: number, h: number, w: number, c: number) => x[((n * 6 + h) * 4 + w) * 3 + c];
    let i = 0;
    for (let n = 0; n < 2; n++)
      for (let h = 0; h < 3; h++)
        for (let w = 0; w < 2; w++)
          for (let c = 0; c < 3; c++) {
            const window = [0, 1].flatMap((a) => [0, 1].map((b) => at(n, 2 * h + a, 2 * w + b, c)));
            expect(y[i++]).toBe(Math.max(...window));
          }
  });

  it('means, sums and maxima run over the axes given', () => {
    const x = normals(2 * 3 * 4, 'reduce');
    const t = () => upload(x, [2, 3, 4]);
    const sum = [0, 1].flatMap((n) =>
      [0, 1, 2, 3].map((c) => x[n * 12 + c] + x[n * 12 + 4 + c] + x[n * 12 + 8 + c]),
    );
    expect(
      relativeDifference(
        value(() => k.sum(t(), [1])),
        sum,
      ),
    ).toBeLessThan(1e-6);
    const largest = [0, 1].map((n) => Math.max(...x.subarray(n * 12, n * 12 + 12)));
    expect([...value(() => k.max(t(), [1, 2]))]).toEqual(largest);
    const means = value(() => k.globalMean(upload(x, [1, 2, 3, 4])));
    for (let c = 0; c < 4; c++) expect(means[c]).toBeCloseTo(mean(column(x, 4, c)), 6);
  });

  it('softmax cross entropy gives each row its loss and gradient', () => {
    const logits = normals(6, 'logits');
    const targets = Float32Array.of(1, 0, 0, 0.1, 0.6, 0.3);
    const { loss, gradient } = k.softmaxCrossEntropy(upload(logits, [2, 3]), upload(targets, [2, 3]));
    for (let row = 0; row < 2; row++) {
      const own = Array.from(logits.subarray(3 * row, 3 * row + 3));
      const total = own.reduce((sum, v) => sum + Math.exp(v), 0);
      const expected = own.reduce(
        (sum, v, c) => sum - targets[3 * row + c] * Math.log(Math.exp(v) / total),
        0,
      );
      expect(k.floats(loss)[row]).toBeCloseTo(expected, 5);
      own.forEach((v, c) => {
        const slope = Math.exp(v) / total - targets[3 * row + c];
        expect(k.floats(gradient)[3 * row + c]).toBeCloseTo(slope, 5);
      });
    }
    dispose(loss, gradient);
  });

  it('matrix products take either side transposed', () => {
    const a = normals(6, 'a');
    const b = normals(12, 'b');
    const product = new Float64Array(8);
    for (let i = 0; i < 2; i++)
      for (let j = 0; j < 4; j++)
        for (let m = 0; m < 3; m++) product[i * 4 + j] += a[i * 3 + m] * b[m * 4 + j];
    const transposed = (t: Tensor) => k.transpose(t, [1, 0]);
    const [ta, tb] = [() => upload(a, [2, 3]), () => upload(b, [3, 4])];
    for (const y of [
      value(() => k.matMul(ta(), tb())),
      value(() => k.matMul(transposed(ta()), tb(), true)),
      value(() => k.matMul(ta(), transposed(tb()), false, true)),
    ])
      expect(relativeDifference(y, product)).toBeLessThan(1e-6);
  });

  it('rounds ties to even and clips', () => {
    const x = Float32Array.of(-2.5, -1.5, -0.5, 0.5, 1.5, 2.4, 9);
    expect([...value(() => k.round(upload(x, [7])))]).toEqual([-2, -2, -0, 0, 2, 2, 9]);
    const clipped = value(() => k.clip(upload(x, [7]), k.scalar(-1), k.scalar(2)));
    expect([...clipped]).toEqual([-1, -1, -0.5, 0.5, 1.5, 2, 2]);
  });

  it('splits a vector and puts it together again, also into one piece', () => {
    const x = normals(10, 'vector');
    for (const sizes of [[3, 5, 2], [10], [0, 10]])
      expect(value(() => k.concat(k.split(upload(x, [10]), sizes)))).toEqual(x);
  });

  it('pads, slices, spreads and selects channels', () => {
    const x = Float32Array.of(1, 2, 3, 4);
    expect([...value(() => k.pad(upload(x, [1, 1, 2, 2]), 0, 1, [1, 0]))]).toEqual([
      0, 0, 0, 0, 1, 2, 0, 3, 4, 0, 0, 0,
    ]);
    expect([...value(() => k.stridedSlice(upload(x, [4]), [0], [4], [2]))]).toEqual([1, 3]);
    expect([...value(() => k.spread(upload(x, [2, 2]), 1, 2))]).toEqual([1, 2, 1, 2, 3, 4, 3, 4]);
    expect([...k.floats(convolutions.channelSelection(2, [1, 1], DType.float32))]).toEqual([
      0, 1, 0, 0, 0, 0, 1, 0,
    ]);
  });

  it('keeps a reshaped tensor alive when the one it came from is freed', () => {
    const x = normalTensor([2, 3], 'shared');
    const before = k.floats(x);
    const view = k.reshape(x, [6]);
    dispose(x);
    expect(k.floats(view)).toEqual(before);
    dispose(view);
  });
});
