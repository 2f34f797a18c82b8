import { evenTileRows } from '../bitplanes/even-tile-rows';
import { mapPlanes, type PerPlane } from '../bitplanes/per-plane';
import type { EncodingName } from '../bitplanes/plane-encoding';
import { checkWhole } from '../check-number';
import { InputError } from '../errors';
import { type LayerProjection, projectLayer } from '../projections/project-layer';
import type { ProjectionMethod } from '../projections/projection-method';
import { refitScales, tuneScales } from '../projections/tune-scales';
import type { WeightPull, WeightSteering } from '../training/weight-steering';
import { layerWeights, type TrainedLayer, writeCodes } from './trained-layers';

/** The codes a layer is drawn to, or was projected on. */
export interface LayerCodes {
  /** [rows * columns] */
  readonly codes: Int8Array;
  /** Crossbar weight = code * scale, [columns]. */
  readonly scales: Float32Array;
}

export interface NetworkAdmmSettings {
  readonly tileRows: number;
  /** Default `sign-split`. */
  readonly encoding?: EncodingName;
  readonly weightBits: number;
  /** k_b at the end, by layer. */
  readonly bitLimit: Readonly<Record<string, PerPlane>>;
  /** k_v: nonzeros allowed in a (row tile, output channel); absent: no limit. */
  readonly valueLimit?: number;
  /** k_b of every layer at the first projection; it falls to `bitLimit` on a cubic curve (Zhu and Gupta 2017). Default: `bitLimit`. */
  readonly firstBitLimit?: number;
  /** Steps between two projections. */
  readonly interval: number;
  /** Penalty at the first and the last projection; geometric in between. */
  readonly rho: readonly [first: number, last: number];
  /** Adapt each layer's penalty so that relative primal and dual residuals stay within a factor of ten (Wohlberg 2017). */
  readonly balance: boolean;
  readonly method: ProjectionMethod;
}

export const networkAdmmDefaults = {
  interval: 100,
  rho: [1e-3, 3e-2],
  balance: true,
  method: 'lagrangian',
} as const;

/** ADMM's variables ride along with a training that minimises loss(W) + rho / 2 ||W - Z + U||^2. */
export interface NetworkAdmm extends WeightSteering {
  /** Z of every layer, by name. */
  codes(): ReadonlyMap<string, LayerCodes>;
}

interface LayerState {
  readonly layer: TrainedLayer;
  codes: Int8Array;
  scales: Float32Array;
  /** Of the last projection, for the next to start from. */
  multipliers: Float64Array | undefined;
  /** Penalty in units of the schedule's. */
  factor: number;
  primal: number;
  dual: number;
}

/** Residuals more than this factor apart move the penalty; by how much (Boyd et al. 2011, section 3.4.1). */
const IMBALANCE = 10;
const ADAPTATION = 1.5;

/**
 * Network ADMM (training): every `interval` steps Z = Proj(W + U) at re-fitted scales, U += W - Z, and the pull of the
 * steps that follow is rho (W - Z + U). Projections start from the last one's multipliers and codes.
 * @throws InputError for settings out of range
 */
export function createNetworkAdmm(
  layers: readonly TrainedLayer[],
  length: number,
  settings: NetworkAdmmSettings,
): NetworkAdmm {
  validate(settings);
  const states: LayerState[] = layers.map((layer) => ({
    layer,
    codes: new Int8Array(layer.rows * layer.columns),
    scales: new Float32Array(layer.columns),
    multipliers: undefined,
    factor: 1,
    primal: 0,
    dual: 0,
  }));
  const dual = new Float32Array(length);
  const target = new Float32Array(length);
  let projections = 0;
  let rho = settings.rho[0];
  let pull: WeightPull | undefined;

  /** Sets the pull from Z, U and the penalties; weights that no crossbar holds are not pulled. */
  const renewPull = () => {
    const strength = new Float32Array(length);
    const force = new Float32Array(length);
    for (const { layer, factor } of states) {
      const end = layer.offset + layer.rows * layer.columns;
      strength.fill(rho * factor, layer.offset, end);
      for (let i = layer.offset; i < end; i++) force[i] = rho * factor * (target[i] - dual[i]);
    }
    pull = { strength, force };
  };

  const project = (share: number, weights: Float32Array) => {
    const penalty = penaltyAt(settings.rho, share);
    // U is the multiplier in units of the penalty.
    if (projections > 0) for (let i = 0; i < length; i++) dual[i] *= rho / penalty;
    rho = penalty;
    const sum = weights.map((weight, i) => weight + dual[i]);
    for (const state of states) {
      const { layer } = state;
      const end = layer.offset + layer.rows * layer.columns;
      const before = target.slice(layer.offset, end);
      const limit = mapPlanes(settings.bitLimit[layer.name], (last) =>
        gradualLimit(last, settings.firstBitLimit, share),
      );
      projectState(state, layerWeights(layer, sum), settings, limit, projections === 0);
      writeCodes(layer, state, target);
      if (projections > 0) moveDual(state, weights, target, before, dual, settings.balance);
    }
    projections++;
    renewPull();
  };

  return {
    beforeStep(step, steps, weights) {
      if (step % settings.interval !== 0) return;
      const last = Math.floor((steps - 1) / settings.interval);
      // The only projection is the last.
      project(last === 0 ? 1 : step / settings.interval / last, weights());
    },
    pull: () => pull,
    report() {
      const mean = (of: (state: LayerState) => number) =>
        states.reduce((total, state) => total + of(state), 0) / states.length;
      return {
        primalResidual: mean(({ primal }) => primal),
        dualResidual: mean(({ dual: value }) => value),
        penaltyFactor: mean(({ factor }) => factor),
      };
    },
    codes: () => new Map(states.map(({ layer, codes, scales }) => [layer.name, { codes, scales }])),
    state() {
      const tensors = new Map<string, Float32Array | Float64Array | Int8Array>([
        ['dual', dual],
        ['progress', Float64Array.of(projections, rho)],
      ]);
      for (const { layer, codes, scales, multipliers, factor, primal, dual: residual } of states) {
        tensors.set(`${layer.name}.codes`, codes);
        tensors.set(`${layer.name}.scales`, scales);
        tensors.set(`${layer.name}.multipliers`, multipliers ?? new Float64Array(0));
        tensors.set(`${layer.name}.numbers`, Float64Array.of(factor, primal, residual));
      }
      return tensors;
    },
    restore(tensors) {
      const get = <T>(name: string, length?: number): T => {
        const data = tensors.get(name)?.data;
        if (!data || (length !== undefined && data.length !== length))
          throw new InputError(`training state: tensor '${name}' is missing or of another length`);
        return data as T;
      };
      dual.set(get<Float32Array>('dual', length));
      [projections, rho] = get<Float64Array>('progress', 2);
      for (const state of states) {
        const { name, rows, columns } = state.layer;
        state.codes = get(`${name}.codes`, rows * columns);
        state.scales = get(`${name}.scales`, columns);
        const multipliers = get<Float64Array>(`${name}.multipliers`);
        state.multipliers = multipliers.length > 0 ? multipliers : undefined;
        [state.factor, state.primal, state.dual] = get<Float64Array>(`${name}.numbers`, 3);
        writeCodes(state.layer, state, target);
      }
      if (projections > 0) renewPull();
    },
  };
}

/** k_b at `share` (0..1) of the way: from the first to the last limit on 1 - (1 - share)^3; never below the last. */
export function gradualLimit(last: number, first: number | undefined, share: number): number {
  return last + Math.round(Math.max(0, (first ?? last) - last) * (1 - share) ** 3);
}

function penaltyAt([first, last]: readonly [number, number], share: number): number {
  return first * (last / first) ** share;
}

/** Z = Proj(targets). The first projection chooses scales; later ones start from the last and re-fit them. */
function projectState(
  state: LayerState,
  targets: Float32Array,
  { tileRows: crossbarRows, encoding, weightBits, valueLimit, method }: NetworkAdmmSettings,
  bitLimit: PerPlane,
  first: boolean,
): void {
  const { rows, columns } = state.layer;
  const tileRows = evenTileRows(rows, crossbarRows);
  const shape = { rows, columns, tileRows, encoding, weightBits, bitLimit, valueLimit, method };
  let result: LayerProjection;
  if (first) {
    const tuned = tuneScales({ ...shape, weights: targets });
    state.scales = tuned.scales;
    result = tuned;
  } else {
    const { codes, scales, multipliers } = state;
    result = projectLayer({ ...shape, targets, scales, state: { codes, multipliers } });
    // Scales follow the weights as these grow or shrink.
    state.scales = refitScales({
      weights: targets,
      codes: result.codes,
      rows,
      columns,
      fallback: scales,
    }).scales;
  }
  state.codes = result.codes;
  state.multipliers = result.state.multipliers;
}

/** U += W - Z, residuals, and with `balance` the layer's penalty (U is in units of it). */
function moveDual(
  state: LayerState,
  weights: Float32Array,
  target: Float32Array,
  before: Float32Array,
  dual: Float32Array,
  balance: boolean,
): void {
  const { offset, rows, columns } = state.layer;
  const sums = { distance: 0, move: 0, weights: 0, targets: 0, duals: 0 };
  for (let i = 0; i < rows * columns; i++) {
    const at = offset + i;
    const gap = weights[at] - target[at];
    dual[at] += gap;
    sums.distance += gap * gap;
    sums.move += (target[at] - before[i]) ** 2;
    sums.weights += weights[at] ** 2;
    sums.targets += target[at] ** 2;
    sums.duals += dual[at] ** 2;
  }
  const ratio = (a: number, b: number) => Math.sqrt(a / Math.max(b, Number.MIN_VALUE));
  state.primal = ratio(sums.distance, Math.max(sums.weights, sums.targets));
  state.dual = ratio(sums.move, sums.duals);
  if (!balance) return;
  const change =
    state.primal > IMBALANCE * state.dual
      ? ADAPTATION
      : state.dual > IMBALANCE * state.primal
        ? 1 / ADAPTATION
        : 1;
  state.factor *= change;
  for (let at = offset; at < offset + rows * columns; at++) dual[at] /= change;
}

function validate(settings: NetworkAdmmSettings): void {
  const { interval, rho } = settings;
  checkWhole('interval', interval, 1);
  if (!(rho[0] > 0 && rho[1] > 0 && rho[0] < Infinity && rho[1] < Infinity))
    throw new InputError(`rho ${rho.join(' to ')}: both must be finite numbers above 0`);
}
