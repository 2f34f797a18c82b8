import type { EncodingName } from '../bitplanes/plane-encoding';
import { InputError } from '../errors';
import { type BitMask, supportOf } from '../projections/bit-mask';
import type { ProjectionMethod } from '../projections/project-column';
import { projectLayer } from '../projections/project-layer';
import { projectOnMask } from '../projections/project-on-mask';
import { tuneScales } from '../projections/tune-scales';
import { scope, upload } from '../tensor/engine';
import * as k from '../tensor/kernels';
import { descend } from './hessian-descent';
import { createRidgeSolver, type RidgeSolver } from './ridge-solver';
import type { SecondMoments } from './second-moments';
import type { StageTimer } from './stage-timer';

export interface LayerAdmmProblem {
  /** For errors. */
  readonly name?: string;
  /** Weights of the float network, [rows, columns]: what the fit is drawn to where the samples do not tell. */
  readonly weights: Float32Array;
  readonly moments: SecondMoments;
  readonly tileRows: number;
  readonly weightBits: number;
  /** Default `sign-split`. */
  readonly encoding?: EncodingName;
  /** Default 1. */
  readonly cellBits?: number;
  /** ISAAC's flip, offset encoding only; default false. */
  readonly flip?: boolean;
  /** k_b: ones (digit sum of multi-bit cells) allowed in a bit column, or one number a plane, lowest first. */
  readonly bitLimit: number | readonly number[];
  /** k_v: nonzeros allowed in a (row tile, output channel); absent: no limit. */
  readonly valueLimit?: number;
  /** ADMM iterations at most. */
  readonly iterations: number;
  /** Projection between the iterations, and with it the set that the codes come from; default `lagrangian`. */
  readonly projection?: ProjectionMethod;
  /** States that projection `exact` may hold at once. */
  readonly searchLimit?: number;
  /** Codes may use no other bits than these (sign-split, one limit for all planes): `projectOnMask` in place of `projection`. */
  readonly allowed?: BitMask;
  /** Scale of each output channel that must stay; default: tuned together with the codes. */
  readonly scales?: Float32Array;
  /** Added to the Hessian's diagonal, relative to its mean; default 0.01. */
  readonly ridge?: number;
  /** Cross moments with targets that suit the codes found so far better; asked for after each finish but the last. */
  readonly retarget?: (codes: Int8Array, scales: Float32Array) => Pick<SecondMoments, 'cross'>;
  readonly timer?: StageTimer;
}

/** What one ADMM iteration did. */
export interface AdmmIteration {
  /** Penalty it ran with, for a Hessian of unit diagonal. */
  readonly rho: number;
  /** ||B - D|| / ||B||: distance of the least-squares weights from the codes. */
  readonly primal: number;
  /** rho ||D - previous D|| / ||B||. */
  readonly dual: number;
  /** Share of the codes that changed. */
  readonly changed: number;
  /** (v - w)' H (v - w) / w' H w of these codes with their best scales, over all columns. */
  readonly error: number;
}

export interface LayerAdmmResult {
  readonly codes: Int8Array;
  /** With `flip`: 1 where a (row tile, output channel) is stored complemented, [tiles][columns]. */
  readonly flips?: Uint8Array;
  readonly scales: Float32Array;
  /** Squared error of the outputs over their variance, the bias being free. */
  readonly relativeError: number;
  readonly iterations: readonly AdmmIteration[];
  /** Certified gap of every column in the last projection, [tiles][columns]; none under `allowed` bits. */
  readonly gaps?: Float64Array;
}

/** Ridge added to the Hessian, relative to its mean diagonal (method.md section 5). */
const DAMPING = 0.01;

/** Penalty at the start, for a Hessian of unit diagonal (method.md section 5). */
const FIRST_RHO = 0.1;

/**
 * Share of the iterations, the last ones, that project by the Lagrangian method. Before, while codes still change by the
 * tens of percent, greedy projection leads to the same end in a fifth of the time.
 */
const LAGRANGIAN_SHARE = 0.2;

/** Times the targets are adapted to the codes. */
const RETARGETS = 3;

/** Fresh starts with a fifth of the penalty where nothing moves at first. */
const RESTARTS = 3;

/**
 * Post-training pruning of one layer: min tr((V - W)' H (V - W)) over codes V within the budgets, by ADMM between the
 * unconstrained least-squares problem and the projection, then moves in the Hessian's own metric and a closed-form
 * scale for each output channel. W is the weight matrix that best gives the wanted outputs from the compressed
 * network's inputs, so errors made above are made good here. Each column takes its best iterate, the plain projection
 * being the first: the result is never worse than that. Inputs that never vary are covered by the ridge: their weights
 * are projected as they are. A column of zeros gets codes of zero and scale 1.
 * @throws InputError for moments of no samples or of other sizes than the weights, and for numbers that are not finite
 */
export function layerAdmm(problem: LayerAdmmProblem): LayerAdmmResult {
  check(problem);
  const time = problem.timer?.time ?? ((_, body) => body());
  const quadratic = time('solving', () => leastSquares(problem));
  try {
    return minimise(problem, quadratic, time);
  } finally {
    quadratic.dispose();
  }
}

function minimise(problem: LayerAdmmProblem, quadratic: Quadratic, time: Time): LayerAdmmResult {
  const { moments, projection = 'lagrangian' } = problem;
  const { rows, hessian, wanted } = quadratic;
  const diagonal = Float64Array.from({ length: rows }, (_, i) => hessian[i * (rows + 1)]);
  const budget = budgetOf(problem);
  const searchMethod = projection === 'truncation' ? 'truncation' : 'greedy';
  const tune = () =>
    tuneScales({ ...budget, weights: wanted, curvature: diagonal, searchMethod, method: searchMethod });
  const scales = problem.scales ?? time('projecting', () => tune().scales);
  const best = createBest(quadratic, scales, problem);
  const { iterations, gaps } = alternate(problem, quadratic, diagonal, scales, best, time);
  const { codes, flips } = best;
  // Truncation's set is a choice of rows: the finish keeps the choice and tunes what they hold.
  const allowed =
    problem.allowed ?? (projection === 'truncation' ? supportOf(codes, problem.weightBits) : undefined);
  const finish = (aim: Float32Array, rounds: readonly number[]) => {
    for (const most of rounds) {
      const targets = inUnitsOf(aim, best.scales);
      const limits = { ...budget, valueLimit: budget.valueLimit ?? rows, flips, allowed };
      time('moving', () => descend({ ...limits, hessian, targets, rounds: most }, codes));
      time('solving', () => best.refit());
    }
  };
  finish(wanted, [4, 3, 3]);
  for (let i = 0; problem.retarget && i < RETARGETS; i++) {
    const { cross } = problem.retarget(codes, best.scales);
    const aim = time('solving', () => quadratic.towards(cross));
    best.aim(aim);
    finish(aim.wanted, [3, 3]);
  }
  return {
    codes,
    flips,
    scales: best.scales,
    relativeError: relativeError(moments, codes, best.scales),
    iterations,
    gaps,
  };
}

/** Shape and limits of the layer, as projections and moves take them. */
function budgetOf(problem: LayerAdmmProblem) {
  const { moments, tileRows, weightBits, encoding, cellBits, flip, bitLimit, projection } = problem;
  const { rows, columns } = moments;
  // TinyADC's set: with no more nonzeros than ones allowed every bit column is kept.
  const valueLimit =
    projection === 'value-only'
      ? Math.min(problem.valueLimit ?? rows, ...[bitLimit].flat())
      : problem.valueLimit;
  return { rows, columns, tileRows, weightBits, encoding, cellBits, flip, bitLimit, valueLimit };
}

function check({ name = 'layer', weights, moments }: LayerAdmmProblem): void {
  const { rows, columns, count, hessian, cross } = moments;
  if (!(rows > 0 && columns > 0)) throw new InputError(`${name}: ${rows} x ${columns} weights: it is empty`);
  if (!(count > 0)) throw new InputError(`${name}: no calibration samples`);
  for (const [field, values, size] of [
    ['weights', weights, rows * columns],
    ['hessian', hessian, rows * rows],
    ['cross', cross, rows * columns],
  ] as const) {
    if (values.length !== size)
      throw new InputError(
        `${name}: ${field} holds ${values.length} numbers, not the ${size} of ${rows} x ${columns} weights`,
      );
    const bad = values.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) throw new InputError(`${name}: ${field} ${bad} is ${values[bad]}, not a finite number`);
  }
}

type Time = StageTimer['time'];

/** Wanted weights, and H times them; both [rows, columns]. */
interface Aim {
  readonly wanted: Float32Array;
  readonly right: Float32Array;
}

/** The layer's error as a function of its weights v: (v - wanted)' H (v - wanted). */
interface Quadratic extends Aim {
  readonly rows: number;
  readonly columns: number;
  /** With the ridge, [rows, rows]. */
  readonly hessian: Float32Array;
  /** What other covariances between inputs and targets ask for. */
  towards(cross: Float32Array): Aim;
  dispose(): void;
}

/** Least squares from compressed inputs to wanted outputs, drawn to the float weights: (H + ridge)^-1 (cross + ridge W0). */
function leastSquares({ weights, moments, ridge: share = DAMPING }: LayerAdmmProblem): Quadratic {
  const { rows, columns, hessian: covariance } = moments;
  const ridge = ridgeOf(moments, share);
  const hessian = covariance.slice();
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

function inUnitsOf(weights: Float32Array, scales: Float32Array): Float32Array {
  const columns = scales.length;
  const result = new Float32Array(weights.length);
  for (let at = 0; at < weights.length; at += columns)
    for (let n = 0; n < columns; n++) result[at + n] = weights[at + n] / scales[n];
  return result;
}

/** For each column the best codes met so far, with the scale that suits them best. */
interface Best {
  readonly codes: Int8Array;
  readonly flips?: Uint8Array;
  readonly scales: Float32Array;
  /** Takes the columns in which the codes are better; returns their error relative to the wanted outputs. */
  offer(projected: Projected): number;
  /** Turns to other wanted weights. */
  aim(target: Aim): void;
  /** Fits the scales anew after `codes` were changed. */
  refit(): void;
}

function createBest(
  { rows, columns, hessian, wanted, ...target }: Quadratic,
  start: Float32Array,
  { flip, tileRows, scales: fixed }: LayerAdmmProblem,
): Best {
  let { right } = target;
  const best = new Int8Array(rows * columns);
  const tiles = Math.ceil(rows / tileRows);
  const flips = flip ? new Uint8Array(tiles * columns) : undefined;
  const scales = start.slice();
  /** w' H w - error: what a column's codes explain. */
  const explained = new Float64Array(columns).fill(-1);
  let total = 0;
  for (let at = 0; at < right.length; at++) total += wanted[at] * right[at];

  /** Column by column w' H v and v' H v. */
  function products(codes: Int8Array): { cross: Float64Array; own: Float64Array } {
    const values = Float32Array.from(codes);
    const curved = scope(() =>
      k.floats(k.matMul(upload(hessian, [rows, rows]), upload(values, [rows, columns]))),
    );
    const cross = new Float64Array(columns);
    const own = new Float64Array(columns);
    for (let at = 0; at < codes.length; at += columns)
      for (let n = 0; n < columns; n++) {
        const code = codes[at + n];
        if (code === 0) continue;
        cross[n] += right[at + n] * code;
        own[n] += curved[at + n] * code;
      }
    return { cross, own };
  }

  /** What a column explains with its best scale, or with the one that must stay. */
  const gainOf = (cross: number, own: number, scale: number) => {
    if (fixed) return 2 * scale * cross - scale * scale * own;
    return cross > 0 && own > 0 ? cross ** 2 / own : 0;
  };
  if (fixed) explained.fill(-Infinity);

  return {
    codes: best,
    flips,
    scales,
    offer({ codes, flips: own }) {
      const sums = products(codes);
      let sum = 0;
      for (let n = 0; n < columns; n++) {
        const gain = gainOf(sums.cross[n], sums.own[n], scales[n]);
        sum += gain;
        if (gain <= explained[n]) continue;
        explained[n] = gain;
        if (!fixed && gain > 0) scales[n] = sums.cross[n] / sums.own[n];
        for (let at = n; at < codes.length; at += columns) best[at] = codes[at];
        if (flips && own) for (let at = n; at < flips.length; at += columns) flips[at] = own[at];
      }
      return Math.max(0, 1 - sum / Math.max(total, Number.MIN_VALUE));
    },
    aim(other) {
      right = other.right;
    },
    refit() {
      if (fixed) return;
      const { cross, own } = products(best);
      for (let n = 0; n < columns; n++) if (cross[n] > 0 && own[n] > 0) scales[n] = cross[n] / own[n];
    },
  };
}

/**
 * The ADMM iterations, in coordinates in which the Hessian has a unit diagonal; the projection sees its diagonal as
 * curvature. The penalty rises while many codewords still change; where nothing moves at first it was too high.
 */
function alternate(
  problem: LayerAdmmProblem,
  quadratic: Quadratic,
  diagonal: Float64Array,
  scales: Float32Array,
  best: Best,
  time: Time,
): { iterations: AdmmIteration[]; gaps?: Float64Array } {
  const { rows, columns, hessian, wanted, right } = quadratic;
  const projection = projectionOf(problem, diagonal);
  const project = (late: boolean, targets: Float32Array, state?: Projected) =>
    time('projecting', () => projection(late, targets, state));
  const root = Float32Array.from(diagonal, Math.sqrt);
  const normalised = hessian.slice();
  for (let i = 0; i < rows; i++) for (let j = 0; j < rows; j++) normalised[i * rows + j] /= root[i] * root[j];
  const solver = createRidgeSolver(normalised, rows);
  const pull = inUnitsOf(right, scales);
  for (let i = 0; i < rows; i++) for (let n = 0; n < columns; n++) pull[i * columns + n] /= root[i];
  const first = project(true, inUnitsOf(wanted, scales));
  time('solving', () => best.offer(first));
  const setting = { columns, root, pull, solver, first, project, best, time };
  let run: Run = { records: [], last: first };
  try {
    for (let restart = 0, rho = FIRST_RHO; restart <= RESTARTS; restart++, rho /= 5) {
      run = iterate(setting, rho, problem.iterations);
      if (run.records[0].changed > 0) break;
    }
  } finally {
    solver.dispose();
  }
  return { iterations: run.records, gaps: run.last.gaps };
}

/** What the iterations hand from one projection to the next. */
interface Projected {
  readonly codes: Int8Array;
  readonly flips?: Uint8Array;
  readonly gaps?: Float64Array;
  readonly multipliers?: Float64Array;
}

/** The problem's projection of targets in units of the scale, cheaper where it is not `late`. */
function projectionOf(problem: LayerAdmmProblem, curvature: Float64Array) {
  const { allowed, projection = 'lagrangian', searchLimit } = problem;
  const budget = budgetOf(problem);
  const scales = new Float32Array(budget.columns).fill(1);
  const early = projection === 'lagrangian' || projection === 'exact' ? 'greedy' : projection;
  return (late: boolean, targets: Float32Array, state?: Projected): Projected => {
    const task = { ...budget, scales, curvature, targets };
    if (allowed) return { codes: projectOnMask({ ...task, allowed }) };
    const result = projectLayer({ ...task, method: late ? projection : early, state, searchLimit });
    const { codes, flips, gaps } = result;
    return { codes, flips, gaps, multipliers: result.state.multipliers };
  };
}

interface Setting {
  readonly columns: number;
  /** Roots of the Hessian's diagonal, [rows]. */
  readonly root: Float32Array;
  /** Right-hand side without dual and penalty, [rows, columns]. */
  readonly pull: Float32Array;
  readonly solver: RidgeSolver;
  readonly first: Projected;
  readonly project: (late: boolean, targets: Float32Array, state?: Projected) => Projected;
  readonly best: Best;
  readonly time: Time;
}

/** What each iteration did, and the last projection. */
interface Run {
  readonly records: AdmmIteration[];
  readonly last: Projected;
}

/** Runs ADMM from the plain projection until nothing moves any more; stops at once if nothing moves at first. */
function iterate(
  { columns, root, pull, solver, first, project, best, time }: Setting,
  firstRho: number,
  most: number,
): Run {
  const dual = new Float32Array(pull.length);
  const work = new Float32Array(pull.length);
  const records: AdmmIteration[] = [];
  let rho = firstRho;
  let state = first;
  while (records.length < most) {
    const before = state.codes;
    for (let at = 0; at < pull.length; at++)
      work[at] = pull[at] - dual[at] + rho * before[at] * root[Math.floor(at / columns)];
    const free = time('solving', () => {
      solver.factorise(rho);
      return solver.solve(work, columns);
    });
    for (let at = 0; at < pull.length; at++)
      work[at] = (free[at] + dual[at] / rho) / root[Math.floor(at / columns)];
    const late = records.length >= most * (1 - LAGRANGIAN_SHARE);
    state = project(late, work, state);
    const { codes } = state;
    let size = 0;
    let distance = 0;
    let step = 0;
    let changed = 0;
    for (let at = 0; at < pull.length; at++) {
      const unit = root[Math.floor(at / columns)];
      const gap = free[at] - codes[at] * unit;
      dual[at] += rho * gap;
      distance += gap * gap;
      size += free[at] * free[at];
      if (codes[at] === before[at]) continue;
      step += ((codes[at] - before[at]) * unit) ** 2;
      changed++;
    }
    const share = changed / codes.length;
    const norm = Math.sqrt(Math.max(size, Number.MIN_VALUE));
    records.push({
      rho,
      primal: Math.sqrt(distance) / norm,
      dual: (rho * Math.sqrt(step)) / norm,
      changed: share,
      error: time('solving', () => best.offer(state)),
    });
    if (share === 0) break;
    if (records.length % 3 === 0) rho *= share > 0.1 ? 1.3 : share > 0.005 ? 1.2 : 1.1;
  }
  return { records, last: state };
}

/** E|t - x'v|^2 / E|t|^2 with t and x about their means, over all columns. */
export function relativeError(
  { rows, columns, hessian, cross, targetVariance }: SecondMoments,
  codes: Int8Array,
  scales: Float32Array,
): number {
  const values = Float32Array.from(codes, (code, at) => code * scales[at % columns]);
  const curved = scope(() =>
    k.floats(k.matMul(upload(hessian, [rows, rows]), upload(values, [rows, columns]))),
  );
  const total = targetVariance.reduce((sum, value) => sum + value, 0);
  let error = total;
  for (let at = 0; at < values.length; at++) error += values[at] * (curved[at] - 2 * cross[at]);
  return Math.max(0, error) / Math.max(total, Number.MIN_VALUE);
}
