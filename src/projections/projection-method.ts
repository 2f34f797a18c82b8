import { checkWhole } from '../check-number';
import { InputError } from '../errors';
import type { LimitOptions } from './limits';

/**
 * - `truncation`: the rows that matter most, rounded, as many a polarity as a plane allows; the rest zero.
 * - `value-only` (TinyADC-like): at most min(k_b) nonzero weights in the whole column, rounded.
 * - `greedy`: MSB-first, then polished by single-row and exchange moves.
 * - `lagrangian`: the best of those and of repaired relaxations, with a certified bound.
 * - `exact`: optimal, unless its search outgrows `searchLimit`; the gap says.
 */
export type ProjectionMethod = 'truncation' | 'value-only' | 'greedy' | 'lagrangian' | 'exact';

export const projectionMethods: readonly ProjectionMethod[] = [
  'truncation',
  'value-only',
  'greedy',
  'lagrangian',
  'exact',
];

export interface SolverOptions extends LimitOptions {
  readonly method: ProjectionMethod;
  /** States the search of `exact` may hold at once; default 32,000 (other encodings than sign-split: 4,000). */
  readonly searchLimit?: number;
}

/** The method's search limit; throws an InputError for an unknown method too. */
export function checkedSearchLimit({ method, searchLimit = 32_000 }: SolverOptions): number {
  if (!projectionMethods.includes(method)) {
    throw new InputError(`method: "${method}" is unknown; one of ${projectionMethods.join(', ')} is needed`);
  }
  return checkWhole('searchLimit', searchLimit, 1);
}
