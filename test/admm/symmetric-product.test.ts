import { describe, expect, it } from 'vitest';
import { createMomentAccumulator } from '../../src/admm/second-moments';
import { blockRows, symmetricMatrix, symmetricProduct } from '../../src/admm/symmetric-product';
import { dispose, liveTensors, scope, upload } from '../../src/tensor/engine';
import * as k from '../../src/tensor/kernels';
import { normals, relativeDifference } from '../tensor/values';

/** More than one block row, the last of them narrow. */
const SIZE = 1100;
const COUNT = 20;

describe('symmetricProduct', () => {
  it('has block rows that cover every column once', () => {
    for (const size of [1, 511, 512, 513, SIZE]) {
      const blocks = blockRows(size);
      expect(blocks[0][0]).toBe(0);
      expect(blocks[blocks.length - 1][1]).toBe(size);
      for (const [i, [from, to]] of blocks.entries()) {
        expect(to).toBeGreaterThan(from);
        if (i > 0) expect(from).toBe(blocks[i - 1][1]);
      }
    }
  });

  it.each([7, 512, SIZE])("is X'X of %d columns, the same below the diagonal as above", (size) => {
    const values = normals(COUNT * size, `x ${size}`);
    const x = upload(values, [COUNT, size]);
    const products = scope(() => symmetricProduct(x, x));
    const blocks = products.map(k.floats);
    const whole = scope(() => k.floats(k.matMul(x, x, true)));
    dispose(x, ...products);
    const matrix = symmetricMatrix(blocks, size);
    expect(relativeDifference(matrix, whole)).toBeLessThan(1e-6);
    const mirrored = matrix.map((_, at) => matrix[(at % size) * size + Math.floor(at / size)]);
    expect(mirrored.every((value, at) => value === matrix[at])).toBe(true);
  });

  it('gives moments of wide layers their covariance, of so many samples that they are merged', () => {
    const [count, size] = [2100, 600];
    // The later ones lie elsewhere.
    const inputs = normals(count * size, 'inputs').map(
      (value, at) => value + (at < 2048 * size ? at % 3 : 5),
    );
    const measured = () => {
      const sums = createMomentAccumulator(size, 1);
      sums.add({ inputs, targets: new Float32Array(count), count });
      return sums.finish();
    };
    const { hessian } = measured();
    // Places of slices stay for the next time.
    const before = liveTensors();
    expect(measured().hessian).toEqual(hessian);
    expect(liveTensors()).toBe(before);
    const mean = (of: readonly number[]) => of.reduce((sum, value) => sum + value, 0) / count;
    const column = (c: number) => Array.from({ length: count }, (_, s) => inputs[s * size + c]);
    for (const [i, j] of [
      [0, 0],
      [3, 560],
      [560, 3],
      [599, 599],
      [511, 512],
    ]) {
      const [a, b] = [column(i), column(j)];
      const [middle, other] = [mean(a), mean(b)];
      const covariance = mean(a.map((value, s) => (value - middle) * (b[s] - other)));
      expect(hessian[i * size + j]).toBeCloseTo(covariance, 4);
    }
  });
});
