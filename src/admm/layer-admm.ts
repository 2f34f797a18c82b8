import { checkWhole } from '../check-number';
import { InputError } from '../errors';
import { supportOf } from '../projections/bit-mask';
import { projectLayer } from '../projections/project-layer';
import { projectOnMask } from '../projections/project-on-mask';
import { tuneScales } from '../projections/tune-scales';
import { scope, upload } from '../tensor/engine';
import * as k from '../tensor/kernels';
import { type Best, createBest, type Projected } from './best-codes';
import { descend } from './hessian-descent';
import type { LeastSquaresProblem, Quadratic } from './layer-quadratic';
import { type LayerSystem, layerSystem } from './layer-system';
import type { CodeSearch } from './project-weights';
import type { RidgeSolver } from './ridge-solver';
import type { SecondMoments } from './second-moments';
import type { StageTimer } from './stage-timer';

export interface LayerAdmmProblem extends CodeSearch, LeastSquaresProblem {
  /** For errors. */
  readonly name?: string;
  /** ADMM iterations at most. */
  readonly iterations: number;
  /** Cross moments with targets that suit the codes found so far better; asked for after each finish but the last. */
  readonly retarget?: (codes: Int8Array, scales: Float32Array) => Pick<SecondMoments, 'cross'>;
  readonly timer?: StageTimer;
  /** Gives the systems of these moments, which stay the giver's; default: they are made and disposed of here. */
  readonly system?: (problem: LeastSquaresProblem) => LayerSystem;
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

/** Penalty at the start, for a Hessian of unit diagonal (method.md section 5). */
const FIRST_RHO = 0.1;

/**
 * Share of the iterations, the last ones, that project by the Lagrangian method. Before, while codes still change by the
 * tens of percent, greedy projection leads to the same end in a fifth of the time.
 */
const LAGRANGIAN_SHARE = 0.2;

/** Projections by the Lagrangian before ADMM may end. */
const LATE_AT_LEAST = 3;

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
  const { system: given } = problem;
  const system = time('solving', () => (given ?? layerSystem)(problem));
  try {
    requireDetermined(problem, system);
    return minimise(problem, system, time);
  } finally {
    if (!given) system.dispose();
  }
}

function minimise(problem: LayerAdmmProblem, system: LayerSystem, time: Time): LayerAdmmResult {
  const { moments, projection = 'lagrangian' } = problem;
  const { rows, hessian, wanted, diagonal } = system;
  const budget = budgetOf(problem);
  const searchMethod = projection === 'truncation' ? 'truncation' : 'greedy';
  const tune = () =>
    tuneScales({ ...budget, weights: wanted, curvature: diagonal, searchMethod, method: searchMethod });
  const scales = problem.scales ?? time('projecting', () => tune().scales);
  const best = createBest(system, scales, problem);
  const { iterations, gaps } = alternate(problem, system, scales, best, time);
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
    const aim = time('solving', () => system.towards(cross));
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

function check({ name = 'layer', weights, moments, iterations }: LayerAdmmProblem): void {
  const { rows, columns, count, hessian, cross } = moments;
  if (!(rows > 0 && columns > 0)) throw new InputError(`${name}: ${rows} x ${columns} weights: it is empty`);
  if (!(count > 0)) throw new InputError(`${name}: no calibration samples`);
  checkWhole(`${name}: iterations`, iterations, 1);
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

/** Without a ridge the samples alone must tell every weight. */
function requireDetermined({ name = 'layer', ridge }: LayerAdmmProblem, { wanted }: Quadratic): void {
  if (!wanted.every(Number.isFinite))
    throw new InputError(
      `${name}: its calibration inputs leave weights open at ridge ${ridge}; more is needed`,
    );
}

type Time = StageTimer['time'];

function inUnitsOf(weights: Float32Array, scales: Float32Array): Float32Array {
  const columns = scales.length;
  const result = new Float32Array(weights.length);
  for (let at = 0; at < weights.length; at += columns)
    for (let n = 0; n < columns; n++) result[at + n] = weights[at + n] / scales[n];
  return result;
}

/**
 * The ADMM iterations, in coordinates in which the Hessian has a unit diagonal; the projection sees its diagonal as
 * curvature. The penalty rises while many codewords still change; where nothing moves at first it was too high.
 */
function alternate(
  problem: LayerAdmmProblem,
  { rows, columns, wanted, right, diagonal, root, solver }: LayerSystem,
  scales: Float32Array,
  best: Best,
  time: Time,
): { iterations: AdmmIteration[]; gaps?: Float64Array } {
  const projection = projectionOf(problem, diagonal);
  const project = (late: boolean, targets: Float32Array, state?: Projected) =>
    time('projecting', () => projection(late, targets, state));
  const pull = inUnitsOf(right, scales);
  for (let i = 0; i < rows; i++) for (let n = 0; n < columns; n++) pull[i * columns + n] /= root[i];
  const first = project(true, inUnitsOf(wanted, scales));
  time('solving', () => best.offer(first));
  const setting = { columns, root, pull, solver, first, project, best, time };
  let run: Run = { records: [], last: first };
  for (let restart = 0, rho = FIRST_RHO; restart <= RESTARTS; restart++, rho /= 5) {
    run = iterate(setting, rho, problem.iterations);
    if (run.records[0].changed > 0) break;
  }
  return { iterations: run.records, gaps: run.last.gaps };
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
  limit: number,
): Run {
  let most = limit;
  const dual = new Float32Array(pull.length);
  const work = new Float32Array(pull.length);
  const records: AdmmIteration[] = [];
  let rho = firstRho;
  let state = first;
  let lateFrom = Math.ceil(most * (1 - LAGRANGIAN_SHARE));
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
    const late = records.length >= lateFrom;
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
    // Multipliers take a few projections to settle, where codes do not move either.
    if (share === 0 && (records.length === 1 || records.length >= lateFrom + LATE_AT_LEAST)) break;
    // Where the greedy projection settles early the Lagrangian's turn comes, for as long as it would have had.
    if (share === 0 && !late) {
      most -= lateFrom - records.length;
      lateFrom = records.length;
    }
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
