import type { Tensor } from '../tensor/engine';
import * as k from '../tensor/kernels';

/** Columns of a block row; a product's upper half of block rows costs little more than half of it. */
const WIDTH = 512;

/** Begin and end of the block rows of a symmetric matrix. */
export function blockRows(size: number): (readonly [from: number, to: number])[] {
  return Array.from({ length: Math.ceil(size / WIDTH) }, (_, i) => [
    i * WIDTH,
    Math.min(size, (i + 1) * WIDTH),
  ]);
}

/** X' Y of X and Y [count, size], where that is symmetric, as block rows: block row [from, to) holds columns from `from` on. */
export function symmetricProduct(x: Tensor, y: Tensor): Tensor[] {
  const [count, size] = x.shape;
  const columns = (a: Tensor, from: number, to: number) =>
    to - from === size ? a : k.stridedSlice(a, [0, from], [count, to], [1, 1]);
  return blockRows(size).map(([from, to]) => k.matMul(columns(x, from, to), columns(y, from, size), true));
}

/** The whole matrix [size, size] of its block rows; zeros where there are none. */
export function symmetricMatrix(blocks: readonly Float32Array[], size: number): Float32Array {
  const matrix = new Float32Array(size * size);
  const rows = blockRows(size);
  blocks.forEach((block, i) => {
    const [from, to] = rows[i];
    const width = size - from;
    for (let row = from; row < to; row++)
      for (let column = row; column < size; column++) {
        const value = block[(row - from) * width + column - from];
        matrix[row * size + column] = value;
        matrix[column * size + row] = value;
      }
  });
  return matrix;
}
