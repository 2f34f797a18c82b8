import { type BitMask, supportOf } from '../projections/bit-mask';
import type { ProjectionMethod } from '../projections/project-column';
import { projectLayer } from '../projections/project-layer';
import { projectOnMask } from '../projections/project-on-mask';
import { tuneScales } from '../projections/tune-scales';
import { attribute, DType, dispose, keep, runMany, scope, type Tensor, upload } from '../tensor/engine';
import * as k from '../tensor/kernels';
import { descend } from './hessian-descent';
import type { SecondMoments } from './second-moments';

export interface LayerAdmmProblem {
  /** Real weights to stand in for, [rows, columns]. */
  readonly weights: Float32Array;
  readonly columns: number;
  readonly moments: SecondMoments;
  readonly tileRows: number;
  readonly weightBits: number;
  /** k_b: ones allowed in a bit column. */
  readonly bitLimit: number;
  /** k_v: nonzeros allowed in a (row tile, output channel); absent: no limit. */
  readonly valueLimit?: number;
  readonly iterations: number;
  /** Projection between the iterations, and with it the set that the codes come from; default `lagrangian`. */
  readonly projection?: ProjectionMethod;
  /** States that projection `exact` may hold at once. */
  readonly searchLimit?: number;
  /** Codes may use no other bits than these: `projectOnMask` in place of `projection`. */
  readonly allowed?: BitMask;
  /** Scale of each output channel that must stay; default: tuned together with the codes. */
  readonly scales?: Float32Array;
}

export interface LayerAdmmResult {
  readonly codes: Int8Array;
  readonly scales: Float32Array;
  /** Output error relative to the output's variance, (v - w)' H (v - w) / w' H w, over all columns. */
  readonly relativeError: number;
  /** Relative distance of the two ADMM variables after each iteration. */
  readonly residuals: readonly number[];
  /** Certified gap of every column in the last projection, [tiles][columns]; none under `allowed` bits. */
  readonly gaps?: Float64Array;
}

/** Ridge added to the Hessian, relative to its mean diagonal (method.md section 5). */
const DAMPING = 0.01;

/**
 * Post-training pruning of one layer: min tr((V - W)' H (V - W)) over codes V within the budgets, by ADMM between the
 * unconstrained least-squares problem (one eigendecomposition serves every penalty) and the projection, then moves in
 * the Hessian's own metric and a closed-form scale for each output channel. W is the weight matrix that best
 * reproduces the reference outputs from the compressed network's inputs, so errors made above are made good here.
 */
export function layerAdmm(problem: LayerAdmmProblem): LayerAdmmResult {
  const { columns, moments, tileRows, weightBits, bitLimit } = problem;
  const { rows } = moments;
  const ridge = ridgeOf(moments);
  const hessian = moments.hessian.map((value, at) => (at % (rows + 1) === 0 ? value + ridge : value));
  const diagonal = Float64Array.from({ length: rows }, (_, i) => hessian[i * rows + i]);
  const wanted = refittedWeights(problem, hessian, ridge);
  const valueLimit =
    problem.projection === 'value-only' ? Math.min(problem.valueLimit ?? rows, bitLimit) : problem.valueLimit;
  const budget = { rows, columns, tileRows, weightBits, bitLimit, valueLimit };
  const searchMethod = problem.projection === 'truncation' ? 'truncation' : 'greedy';
  const tuning = {
    ...budget,
    weights: wanted,
    curvature: diagonal,
    searchMethod,
    method: searchMethod,
  } as const;
  let scales = problem.scales ?? tuneScales(tuning).scales;
  const start = inUnitsOf(wanted, scales);
  const { codes, residuals, gaps } = alternate(problem, hessian, diagonal, start);
  // Truncation's set is a choice of rows: the finish keeps the choice and tunes what they hold.
  const allowed =
    problem.allowed ?? (problem.projection === 'truncation' ? supportOf(codes, weightBits) : undefined);
  const finish = (rounds: number) =>
    descend(
      {
        ...budget,
        hessian,
        targets: inUnitsOf(wanted, scales),
        rounds,
        valueLimit: valueLimit ?? rows,
        allowed,
      },
      codes,
    );
  finish(4);
  for (let round = 0; round < 2 && !problem.scales; round++) {
    scales = refitScales(hessian, wanted, codes, rows, columns, scales);
    finish(3);
  }
  if (!problem.scales) scales = refitScales(hessian, wanted, codes, rows, columns, scales);
  return {
    codes,
    scales,
    relativeError: relativeError(hessian, wanted, codes, scales, rows),
    residuals,
    gaps,
  };
}

/** What is added to the Hessian's diagonal, so that inputs that never vary have a curvature too. */
function ridgeOf({ hessian, rows }: SecondMoments): number {
  let trace = 0;
  for (let i = 0; i < rows; i++) trace += hessian[i * rows + i];
  // A layer whose inputs never vary has no say in its output: any positive ridge makes the problem plain projection.
  return trace > 0 ? (DAMPING * trace) / rows : 1;
}

/** (H + ridge)^-1 (cross W0 + ridge W0): least squares from compressed inputs to reference outputs, drawn to W0. */
function refittedWeights(
  { weights, columns, moments }: LayerAdmmProblem,
  hessian: Float32Array,
  ridge: number,
): Float32Array {
  const { rows, cross } = moments;
  return scope(() => {
    const w = upload(weights, [rows, columns]);
    const right = k.add(k.matMul(upload(cross, [rows, rows]), w), k.multiply(w, k.scalar(ridge)));
    const double = [upload(hessian, [rows, rows]), right].map((t) => k.cast(t, DType.float64));
    const [solution] = runMany(
      'MatrixSolve',
      [attribute.type('T', DType.float64), attribute.bool('adjoint', false)],
      double,
      1,
    );
    return k.floats(k.cast(solution, DType.float32));
  });
}

function inUnitsOf(weights: Float32Array, scales: Float32Array): Float32Array {
  return weights.map((weight, i) => weight / scales[i % scales.length]);
}

/**
 * The ADMM iterations, in coordinates in which the Hessian has a unit diagonal; the projection sees its diagonal as
 * curvature. The penalty rises while many codewords still change.
 */
function alternate(
  problem: LayerAdmmProblem,
  hessian: Float32Array,
  diagonal: Float64Array,
  start: Float32Array,
) {
  const { iterations, columns } = problem;
  const rows = diagonal.length;
  const root = Float32Array.from(diagonal, Math.sqrt);
  const normalised = hessian.map((value, at) => value / (root[Math.floor(at / rows)] * root[at % rows]));
  const solver = createRidgeSolver(normalised, rows, columns);
  const right = solver.product(start.map((value, i) => value * root[Math.floor(i / columns)]));
  const project = projectionOf(problem, diagonal);
  let rho = 0.1;
  let state = project(start);
  const dual = new Float32Array(rows * columns);
  const residuals: number[] = [];
  for (let iteration = 0; iteration < iterations; iteration++) {
    const codes = state.codes;
    const penalised = right.map(
      (value, i) => value - dual[i] + rho * codes[i] * root[Math.floor(i / columns)],
    );
    const free = solver.solve(penalised, rho);
    const targets = free.map((value, i) => (value + dual[i] / rho) / root[Math.floor(i / columns)]);
    state = project(targets, state);
    const next = state.codes;
    let distance = 0;
    let size = 0;
    let changed = 0;
    for (let i = 0; i < next.length; i++) {
      const gap = free[i] - next[i] * root[Math.floor(i / columns)];
      dual[i] += rho * gap;
      distance += gap * gap;
      size += free[i] * free[i];
      if (next[i] !== codes[i]) changed++;
    }
    residuals.push(Math.sqrt(distance / Math.max(size, Number.MIN_VALUE)));
    const share = changed / codes.length;
    if (share === 0 && iteration > 0) break;
    if (iteration % 3 === 2) rho *= share > 0.1 ? 1.3 : share > 0.005 ? 1.2 : 1.1;
  }
  solver.dispose();
  return { codes: state.codes, residuals, gaps: state.gaps };
}

/** What the iterations hand from one projection to the next. */
interface Projected {
  readonly codes: Int8Array;
  readonly gaps?: Float64Array;
  readonly multipliers?: Float64Array;
}

/** The problem's projection of targets in units of the scale. */
function projectionOf(problem: LayerAdmmProblem, curvature: Float64Array) {
  const { columns, tileRows, weightBits, bitLimit, valueLimit, allowed, projection, searchLimit } = problem;
  const rows = curvature.length;
  const scales = new Float32Array(columns).fill(1);
  const budget = { rows, columns, tileRows, weightBits, bitLimit, valueLimit, scales, curvature };
  return (targets: Float32Array, state?: Projected): Projected => {
    if (allowed) return { codes: projectOnMask({ ...budget, targets, allowed }) };
    const method = projection ?? 'lagrangian';
    const { codes, gaps, state: next } = projectLayer({ ...budget, targets, method, state, searchLimit });
    return { codes, gaps, multipliers: next.multipliers };
  };
}

/** Solves (H + rho I) X = R for many rho with one eigendecomposition. All matrices are [rows, columns] but H. */
function createRidgeSolver(matrix: Float32Array, rows: number, columns: number) {
  const [values, vectors] = scope(() => {
    const double = k.cast(upload(matrix, [rows, rows]), DType.float64);
    const list = [attribute.type('T', DType.float64), attribute.bool('compute_v', true)];
    const [e, v] = runMany('SelfAdjointEigV2', list, [double], 2);
    return [k.cast(e, DType.float32), k.cast(v, DType.float32)] as Tensor[];
  });
  const eigenvalues = k.floats(values);
  dispose(values);
  keep(vectors);
  return {
    product: (x: Float32Array) =>
      scope(() => k.floats(k.matMul(upload(matrix, [rows, rows]), upload(x, [rows, columns])))),
    solve: (x: Float32Array, rho: number) =>
      scope(() => {
        const gains = eigenvalues.map((value) => 1 / (Math.max(value, 0) + rho));
        const turned = k.matMul(vectors, upload(x, [rows, columns]), true);
        return k.floats(k.matMul(vectors, k.multiply(turned, upload(gains, [rows, 1]))));
      }),
    dispose: () => dispose(vectors),
  };
}

/** s = (w' H v) / (v' H v) for each column; a column of zeros keeps its scale. */
function refitScales(
  hessian: Float32Array,
  weights: Float32Array,
  codes: Int8Array,
  rows: number,
  columns: number,
  before: Float32Array,
): Float32Array {
  const [cross, own] = quadratics(hessian, weights, Float32Array.from(codes), rows, columns);
  return before.map((scale, n) => (own[n] > 0 && cross[n] > 0 ? cross[n] / own[n] : scale));
}

/** Column by column, a' H b and b' H b. */
function quadratics(hessian: Float32Array, a: Float32Array, b: Float32Array, rows: number, columns: number) {
  return scope(() => {
    const right = upload(b, [rows, columns]);
    const hb = k.matMul(upload(hessian, [rows, rows]), right);
    return [
      k.sum(k.multiply(upload(a, [rows, columns]), hb), [0]),
      k.sum(k.multiply(right, hb), [0]),
    ] as readonly Tensor[];
  }).map((tensor) => {
    const data = k.floats(tensor);
    dispose(tensor);
    return data;
  });
}

/** (v - w)' H (v - w) over w' H w with v = codes * scales, over all columns. */
export function relativeError(
  hessian: Float32Array,
  weights: Float32Array,
  codes: Int8Array,
  scales: Float32Array,
  rows: number,
): number {
  const columns = scales.length;
  const error = weights.map((weight, i) => codes[i] * scales[i % columns] - weight);
  const total = (x: Float32Array) =>
    quadratics(hessian, x, x, rows, columns)[1].reduce((sum, value) => sum + value, 0);
  return total(error) / Math.max(total(weights), Number.MIN_VALUE);
}
