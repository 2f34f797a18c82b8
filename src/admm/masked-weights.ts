import { evenTileRows } from '../bitplanes/even-tile-rows';
import type { PerPlane } from '../bitplanes/per-plane';
import type { EncodingName } from '../bitplanes/plane-encoding';
import { checkWhole } from '../check-number';
import { InputError } from '../errors';
import type { TensorData } from '../networks/stored-tensor';
import { codebookOf } from '../projections/codebook';
import { fillDigits } from '../projections/fill-digits';
import { createNearestCodes, type DigitMasks, nearestWithDigits } from '../projections/nearest-codes';
import { type ProjectionState, projectLayer } from '../projections/project-layer';
import type { ProjectionMethod } from '../projections/projection-method';
import { refitScales } from '../projections/tune-scales';
import { permuteRows, restoreRows } from '../quantization/row-order';
import type { Tensor } from '../tensor/engine';
import type { WeightSteering } from '../training/weight-steering';
import { createMaskedRounding, type MaskedLayer, type MaskedRounding } from './masked-rounding';
import type { LayerCodes } from './network-admm';
import { isRefresh, refreshedSteps, validatePrunedGradient } from './refreshing';
import {
  choosesBits,
  drawAfter,
  type Pull,
  type Relaxation,
  relaxedLimit,
  relaxedSteps,
  validatePull,
  validateRelaxation,
} from './relaxation';
import { layerWeights, type TrainedLayer } from './trained-layers';

export interface MaskLimits {
  readonly tileRows: number;
  /** `sign-split` (default) or `csd`. */
  readonly encoding?: EncodingName;
  readonly weightBits: number;
  /** k_b by layer. */
  readonly bitLimit: Readonly<Record<string, PerPlane>>;
  /** k_v: nonzeros allowed in a (row tile, output channel); absent: no limit. */
  readonly valueLimit?: number;
  /**
   * Times that the bits are chosen anew from the real weights behind them, evenly over the first 85 % of the training
   * (default 0): between two choices they stay. Where there are fewer steps than that every one chooses once.
   */
  readonly refreshes?: number;
  /**
   * Until the last of them, how far each step draws the real weights to what their bits make (0 without bits): else
   * weights that no pass uses drift, and a choice may upset everything (Zhou et al. 2021, SR-STE). Absent: not at all.
   * With refreshes alone: a relaxation has its own.
   */
  readonly pull?: Pull;
  /** With refreshes: see Refreshing. Default 1. */
  readonly prunedGradient?: number;
  /** Real weights first, drawn to codes whose bits are chosen anew meanwhile; absent: the bits of `start` from the first step. */
  readonly relaxation?: Relaxation;
  /** Chooses them. */
  readonly method?: ProjectionMethod;
}

/** Straight-through training under frozen bits: from then on the forward pass always uses codes that keep every limit. */
export interface MaskedWeights extends WeightSteering {
  /** Codes and scales of every layer for given weights, by name. */
  codes(weights: Float32Array): ReadonlyMap<string, LayerCodes>;
}

/** The arrays by their names in a training's state. */
const PARTS = { digits: 'masks', scales: 'scales' } as const;

/**
 * Masked retraining: which bits each weight may use is frozen (the bits of `start`, and the unused places of every bit
 * column given to the next best rows of `weights`); in every forward pass each weight is the nearest value that its bits
 * can make, and gradients go straight through to the real weight behind it. A frozen mask trains smoothly where a moving
 * one does not.
 * With a relaxation training begins with the real weights, and bits are frozen when it ends.
 * @param start codes and scales of every layer, by name; feasible unless there is a relaxation, which takes the scales
 * @param weights the vector that training starts from: who gets the unused places
 */
export function createMaskedWeights(
  layers: readonly TrainedLayer[],
  start: ReadonlyMap<string, LayerCodes>,
  weights: Float32Array,
  limits: MaskLimits,
): MaskedWeights {
  const {
    tileRows,
    encoding,
    weightBits,
    bitLimit,
    valueLimit,
    refreshes = 0,
    pull,
    prunedGradient = 1,
    relaxation,
    method = 'lagrangian',
  } = limits;
  if (relaxation) validateRelaxation(relaxation);
  checkWhole('refreshes', refreshes, 0);
  if (pull) {
    validatePull(pull);
    if (relaxation || refreshes === 0)
      throw new InputError('pull: only with refreshes; a relaxation has its own');
  }
  validatePrunedGradient(prunedGradient);
  if (prunedGradient < 1 && refreshes === 0)
    throw new InputError('prunedGradient: only with refreshes, which may give such weights bits');
  if (relaxation && refreshes > 0)
    throw new InputError('refreshes: not with a relaxation, which chooses the bits until they are frozen');
  const shapeOf = ({ name, rows, columns }: TrainedLayer) => ({
    rows,
    columns,
    tileRows: evenTileRows(rows, tileRows),
    encoding,
    weightBits,
    bitLimit: bitLimit[name],
    valueLimit,
  });
  // Words alone: limits are the layers' own.
  const nearest = createNearestCodes(codebookOf({ encoding, weightBits, bitLimit: Infinity }));
  const masked: MaskedLayer[] = layers.map((layer) => {
    const { codes, scales } = start.get(layer.name)!;
    if (relaxation)
      return {
        layer,
        masks: new Uint16Array(codes.length),
        scales: scales.slice(),
      };
    const targets = layerWeights(layer, weights);
    const filled = fillDigits({ ...shapeOf(layer), codes, targets, scales, nearest });
    return { layer, masks: inVectorOrder(layer, filled), scales };
  });
  // Prepared for the bits in force.
  let rounding: MaskedRounding | undefined;
  const forget = () => {
    rounding?.dispose();
    rounding = undefined;
  };
  const round = (vector: Tensor) => {
    rounding ??= createMaskedRounding(masked, vector.shape[0], nearest, prunedGradient);
    return rounding.round(vector);
  };
  /** What the next choice of bits starts from. */
  const last = new Map<string, ProjectionState>();
  let relaxed = relaxation !== undefined;
  const chooseAgain = (vector: Float32Array, limitOf: (layer: TrainedLayer) => PerPlane) => {
    for (const { layer, masks, scales } of masked) {
      const targets = layerWeights(layer, vector);
      const shape = { ...shapeOf(layer), bitLimit: limitOf(layer), targets, scales };
      const { codes, state } = projectLayer({ ...shape, method, state: last.get(layer.name) });
      masks.set(inVectorOrder(layer, fillDigits({ ...shape, codes, nearest })));
      last.set(layer.name, state);
      if (!relaxation) continue;
      // Scales follow the weights as these grow or shrink.
      scales.set(refitScales({ ...layer, weights: targets, codes, fallback: scales }).scales);
    }
    forget();
  };
  const shareDrawn = (step: number, steps: number) => {
    if (relaxation) return drawAfter(relaxation.pull, step, relaxedSteps(relaxation, steps));
    return pull ? drawAfter(pull, step, refreshedSteps(steps)) : 0;
  };
  const codesOf = ({ layer, masks, scales }: MaskedLayer, vector: Float32Array) => {
    const targets = layerWeights({ ...layer, rowOrder: undefined }, vector);
    const { columns } = layer;
    targets.forEach((weight, at) => {
      targets[at] = weight / scales[at % columns];
    });
    return {
      codes: permuteRows(nearestWithDigits(targets, masks, nearest), columns, layer.rowOrder),
      scales,
    };
  };
  return {
    beforeStep(step, steps, read) {
      if (isRefresh(step, steps, refreshes)) chooseAgain(read(), ({ name }) => bitLimit[name]);
      if (!relaxation) return;
      relaxed = step < relaxedSteps(relaxation, steps);
      if (choosesBits(relaxation, step, steps))
        chooseAgain(read(), ({ name }) => relaxedLimit(relaxation, bitLimit[name], step, steps));
    },
    forwardWeights: (vector) => (relaxed ? vector : round(vector)),
    gradientShares: () => rounding?.gradientShares,
    testedWeights: round,
    draw(step, steps) {
      const share = shareDrawn(step, steps);
      return share > 0 ? { share, towards: round } : undefined;
    },
    dispose: forget,
    codes: (vector) => new Map(masked.map((each) => [each.layer.name, codesOf(each, vector)])),
    state() {
      const tensors = new Map<string, TensorData>();
      for (const { layer, ...parts } of masked)
        for (const [name, part] of Object.entries(PARTS)) tensors.set(`${layer.name}.${name}`, parts[part]);
      for (const [name, { codes, multipliers }] of last) {
        tensors.set(`${name}.codes`, codes);
        tensors.set(`${name}.multipliers`, multipliers);
      }
      return tensors;
    },
    restore(tensors) {
      for (const { layer, ...parts } of masked)
        for (const [name, part] of Object.entries(PARTS)) {
          const data = tensors.get(`${layer.name}.${name}`)?.data;
          if (data?.length !== parts[part].length)
            throw new InputError(
              `training state: tensor '${layer.name}.${name}' is missing or of another length`,
            );
          parts[part].set(data as never);
        }
      last.clear();
      for (const { layer } of masked) {
        const [codes, multipliers] = ['codes', 'multipliers'].map(
          (name) => tensors.get(`${layer.name}.${name}`)?.data,
        );
        if (codes)
          last.set(layer.name, { codes: codes as Int8Array, multipliers: multipliers as Float64Array });
      }
      forget();
    },
  };
}

/** Masks whose rows stand as on the crossbars, in the order of the vector. */
function inVectorOrder({ columns, rowOrder }: TrainedLayer, masks: DigitMasks): DigitMasks {
  return restoreRows(masks, columns, rowOrder);
}
