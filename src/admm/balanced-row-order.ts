import { dealRows, rowEnergies } from '../projections/deal-rows';
import type { LimitOptions } from '../projections/limits';
import { tuneScales } from '../projections/tune-scales';
import { permuteRows } from '../quantization/row-order';

export interface RowOrderProblem extends LimitOptions {
  /** [rows, columns] */
  readonly weights: Float32Array;
  readonly rows: number;
  readonly columns: number;
  readonly tileRows: number;
}

/**
 * An order of the rows in which every tile holds its share of the large weights: rows are dealt to tiles by their
 * energy. Inputs can drive any word line, so the order costs no hardware; budgets that would stand unused in a tile of
 * small weights serve large ones elsewhere. Undefined where one tile holds all rows, or where greedy projection at tuned
 * scales does not come out better than in the natural order.
 */
export function balancedRowOrder(problem: RowOrderProblem): Int32Array | undefined {
  const { weights, rows, columns, tileRows } = problem;
  if (rows <= tileRows) return undefined;
  const order = dealRows(rowEnergies(weights, columns), tileRows, false);
  const errorOf = (matrix: Float32Array) =>
    tuneScales({ ...problem, weights: matrix, method: 'greedy', candidates: 3 }).objective;
  return errorOf(permuteRows(weights, columns, order)) < errorOf(weights) ? order : undefined;
}
