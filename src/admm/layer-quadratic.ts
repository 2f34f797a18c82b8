import { shareArray } from '../tensor/parallel';
import { createRidgeSolver } from './ridge-solver';
import type { SecondMoments } from './second-moments';

/** Ridge added to the Hessian, relative to its mean diagonal (method.md section 5). */
export const DAMPING = 0.01;

/** Wanted weights, and H times them; both [rows, columns]. */
export interface Aim {
  readonly wanted: Float32Array;
  readonly right: Float32Array;
}

/** The layer's error as a function of its weights v: (v - wanted)' H (v - wanted). */
export interface Quadratic extends Aim {
  readonly rows: number;
  readonly columns: number;
  /** With the ridge, [rows, rows]. */
  readonly hessian: Float32Array;
  /** What other covariances between inputs and targets ask for. */
  towards(cross: Float32Array): Aim;
  dispose(): void;
}

export interface LeastSquaresProblem {
  /** Of the float network, [rows, columns]: what the fit is drawn to where the samples do not tell. */
  readonly weights: Float32Array;
  readonly moments: SecondMoments;
  /** Added to the Hessian's diagonal, relative to its mean; default 0.01. */
  readonly ridge?: number;
}

/** Least squares from compressed inputs to wanted outputs, drawn to the float weights: (H + ridge)^-1 (cross + ridge W0). */
export function leastSquares({ weights, moments, ridge: share = DAMPING }: LeastSquaresProblem): Quadratic {
  const { rows, columns, hessian: covariance } = moments;
  const ridge = ridgeOf(moments, share);
  // The moves run on threads, again and again: shared once, it needs no copy for each.
  const hessian = shareArray(covariance.slice());
  for (let i = 0; i < rows; i++) hessian[i * (rows + 1)] += ridge;
  const solver = createRidgeSolver(hessian, rows);
  const towards = (cross: Float32Array) => {
    const right = cross.map((value, at) => value + ridge * weights[at]);
    return { right, wanted: solver.solve(right, columns) };
  };
  try {
    solver.factorise(0);
    return { rows, columns, hessian, towards, ...towards(moments.cross), dispose: solver.dispose };
  } catch (error) {
    solver.dispose();
    throw error;
  }
}

/** What is added to the Hessian's diagonal, so that inputs that never vary have a curvature too. */
function ridgeOf({ hessian, rows }: SecondMoments, share: number): number {
  let trace = 0;
  for (let i = 0; i < rows; i++) trace += hessian[i * (rows + 1)];
  // A layer whose inputs never vary has no say in its output: any positive ridge makes the problem plain projection.
  return trace > 0 ? (share * trace) / rows : 1;
}
