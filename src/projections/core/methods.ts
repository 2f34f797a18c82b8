import type { Int } from './portable';

/** Methods of projection by number. */
export const TRUNCATION: Int = 0;
export const GREEDY: Int = 1;
export const LAGRANGIAN: Int = 2;
