import { InputError } from '../errors';
import type { IntegerLayer } from './integer-network';

type Matrix = Int8Array | Uint8Array | Uint16Array | Float32Array;

/**
 * Rows of a row-major matrix [rows, columns] in the order in which they stand on crossbars: row i of the result is row order[i].
 * @throws InputError unless the order holds every row once
 */
export function permuteRows<Values extends Matrix>(
  matrix: Values,
  columns: number,
  order: Int32Array | undefined,
): Values {
  if (!order) return matrix;
  checkOrder(matrix.length / columns, order);
  const result = matrix.slice() as Values;
  order.forEach((row, i) => {
    result.set(matrix.subarray(row * columns, (row + 1) * columns), i * columns);
  });
  return result;
}

/** Whether every number from 0 on stands in `order` once. */
export function isPermutation(order: Int32Array): boolean {
  const seen = new Uint8Array(order.length);
  for (const row of order) if (row >= 0 && row < seen.length) seen[row] = 1;
  return seen.every((once) => once === 1);
}

function checkOrder(rows: number, order: Int32Array): void {
  if (order.length !== rows || !isPermutation(order))
    throw new InputError(`row order: ${order.length} rows for ${rows}; every row from 0 once is needed`);
}

/** The way back: row order[i] of the result is row i of the matrix. */
export function restoreRows<Values extends Matrix>(
  matrix: Values,
  columns: number,
  order: Int32Array | undefined,
): Values {
  if (!order) return matrix;
  checkOrder(matrix.length / columns, order);
  const places = new Int32Array(order.length);
  order.forEach((row, place) => {
    places[row] = place;
  });
  return permuteRows(matrix, columns, places);
}

/** A layer's codes [rows, columns] with the rows as they stand on crossbars: row tile t is rows tH..tH+H-1 of these (see `evenTileRows`). */
export function crossbarCodes({ codes, columns, rowOrder }: IntegerLayer): Int8Array {
  return permuteRows(codes, columns, rowOrder);
}
