import { type LeastSquaresProblem, leastSquares, type Quadratic } from './layer-quadratic';
import { createRidgeSolver, type RidgeSolver } from './ridge-solver';
import type { SecondMoments } from './second-moments';

/** What layer ADMM solves with. */
export interface LayerSystem extends Quadratic {
  /** Of the Hessian, [rows]. */
  readonly diagonal: Float64Array;
  /** Roots of the diagonal, [rows]. */
  readonly root: Float32Array;
  /** Of the Hessian in coordinates in which its diagonal is one; each penalty is a ridge. */
  readonly solver: RidgeSolver;
}

/** The systems of a layer; decompositions take most of the time in large layers and hold a few times rows^2 numbers. */
export function layerSystem(problem: LeastSquaresProblem): LayerSystem {
  const quadratic = leastSquares(problem);
  const { rows, hessian } = quadratic;
  const diagonal = Float64Array.from({ length: rows }, (_, i) => hessian[i * (rows + 1)]);
  const root = Float32Array.from(diagonal, Math.sqrt);
  const normalised = hessian.slice();
  for (let i = 0; i < rows; i++) for (let j = 0; j < rows; j++) normalised[i * rows + j] /= root[i] * root[j];
  const solver = createRidgeSolver(normalised, rows, true);
  const dispose = () => {
    solver.dispose();
    quadratic.dispose();
  };
  return { ...quadratic, diagonal, root, solver, dispose };
}

/** Moments in an order of the rows, and the systems of the layer that has them, made when first asked for. */
export interface PlacedInputs {
  readonly moments: SecondMoments;
  system(problem: LeastSquaresProblem): LayerSystem;
  dispose(): void;
}

export function placedInputs(moments: SecondMoments): PlacedInputs {
  let made: LayerSystem | undefined;
  return {
    moments,
    system(problem) {
      made ??= layerSystem(problem);
      return made;
    },
    dispose() {
      made?.dispose();
      made = undefined;
    },
  };
}

/** Gives the placed inputs of a layer that is pruned again and again on the same inputs: each once placed. */
export type SharedInputs = (group: number, balanced: boolean, place: () => PlacedInputs) => PlacedInputs;

/** Inputs that all prunings of a layer in `body` share. */
export function withSharedInputs<T>(body: (shared: SharedInputs) => T): T {
  const kept = new Map<string, PlacedInputs>();
  try {
    return body((group, balanced, place) => {
      const key = `${group} ${balanced}`;
      const own = kept.get(key) ?? place();
      kept.set(key, own);
      return own;
    });
  } finally {
    for (const own of kept.values()) own.dispose();
  }
}
