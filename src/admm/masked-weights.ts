import { evenTileRows } from '../bitplanes/even-tile-rows';
import type { PerPlane } from '../bitplanes/per-plane';
import { InputError } from '../errors';
import type { TensorData } from '../networks/stored-tensor';
import { type BitMask, fillMask } from '../projections/bit-mask';
import { nearestWithMask } from '../projections/nearest-with-mask';
import type { ProjectionMethod } from '../projections/project-column';
import { projectLayer } from '../projections/project-layer';
import { permuteRows, restoreRows } from '../quantization/row-order';
import type { WeightSteering } from '../training/weight-steering';
import { createMaskedRounding, type MaskedLayer, type MaskedRounding } from './masked-rounding';
import type { LayerCodes } from './network-admm';
import { layerWeights, type TrainedLayer } from './trained-layers';

export interface MaskLimits {
  readonly tileRows: number;
  readonly weightBits: number;
  /** k_b by layer. */
  readonly bitLimit: Readonly<Record<string, PerPlane>>;
  /** k_v: nonzeros allowed in a (row tile, output channel); absent: no limit. */
  readonly valueLimit?: number;
  /**
   * Times that the bits are chosen anew from the real weights behind them, evenly over the first half of the training
   * (default 0): between two choices they stay. Of a shorter first half every step chooses once.
   */
  readonly refreshes?: number;
  /** Chooses them. */
  readonly method?: ProjectionMethod;
}

/** Straight-through training under frozen bits: the forward pass always uses codes that keep every limit. */
export interface MaskedWeights extends WeightSteering {
  /** Codes and scales of every layer for given weights, by name. */
  codes(weights: Float32Array): ReadonlyMap<string, LayerCodes>;
}

/** The arrays by their names in a training's state. */
const PARTS = { bits: 'mask', sign: 'sign', scales: 'scales' } as const;

/**
 * Masked retraining: which bits each weight may use is frozen (the bits of `start`, and the unused places of every bit
 * column given to the next best rows of `weights`); in every forward pass each weight is the nearest value that its bits
 * can make, and gradients go straight through to the real weight behind it. A frozen mask trains smoothly where a moving
 * one does not.
 * @param start feasible codes and scales of every layer, by name
 * @param weights the vector that training starts from: who gets the unused places
 */
export function createMaskedWeights(
  layers: readonly TrainedLayer[],
  start: ReadonlyMap<string, LayerCodes>,
  weights: Float32Array,
  { tileRows, weightBits, bitLimit, valueLimit, refreshes = 0, method = 'lagrangian' }: MaskLimits,
): MaskedWeights {
  if (!Number.isInteger(refreshes) || refreshes < 0)
    throw new InputError(`refreshes ${refreshes} is not a whole number from 0`);
  const shapeOf = ({ name, rows, columns }: TrainedLayer) => ({
    rows,
    columns,
    tileRows: evenTileRows(rows, tileRows),
    weightBits,
    bitLimit: bitLimit[name],
    valueLimit,
  });
  const masked: MaskedLayer[] = layers.map((layer) => {
    const { codes, scales } = start.get(layer.name)!;
    const targets = layerWeights(layer, weights);
    const filled = fillMask({ ...shapeOf(layer), codes, targets, scales });
    return { layer, ...inVectorOrder(layer, filled), scales };
  });
  // Prepared for the bits in force.
  let rounding: MaskedRounding | undefined;
  const forget = () => {
    rounding?.dispose();
    rounding = undefined;
  };
  const chooseAgain = (vector: Float32Array) => {
    for (const { layer, mask, sign, scales } of masked) {
      const shape = { ...shapeOf(layer), targets: layerWeights(layer, vector), scales };
      const chosen = fillMask({ ...shape, codes: projectLayer({ ...shape, method }).codes });
      const filled = inVectorOrder(layer, chosen);
      mask.set(filled.mask);
      sign.set(filled.sign);
    }
    forget();
  };
  const codesOf = ({ layer, mask, sign, scales }: MaskedLayer, vector: Float32Array) => {
    const targets = layerWeights({ ...layer, rowOrder: undefined }, vector);
    const { columns } = layer;
    targets.forEach((weight, at) => {
      targets[at] = weight / scales[at % columns];
    });
    return { codes: permuteRows(nearestWithMask({ targets, mask, sign }), columns, layer.rowOrder), scales };
  };
  return {
    beforeStep(step, steps, read) {
      if (isRefresh(step, steps, refreshes)) chooseAgain(read());
    },
    forwardWeights(vector) {
      rounding ??= createMaskedRounding(masked, vector.shape[0]);
      return rounding.round(vector);
    },
    dispose: forget,
    codes: (vector) => new Map(masked.map((each) => [each.layer.name, codesOf(each, vector)])),
    state() {
      const tensors = new Map<string, TensorData>();
      for (const { layer, ...parts } of masked)
        for (const [name, part] of Object.entries(PARTS)) tensors.set(`${layer.name}.${name}`, parts[part]);
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
      forget();
    },
  };
}

/** Whether one of so many refreshes, spread evenly over steps 1..steps/2, comes before this step. */
function isRefresh(step: number, steps: number, refreshes: number): boolean {
  const half = Math.floor(steps / 2);
  if (step < 1 || step > half) return false;
  return Math.floor((step * refreshes) / half) > Math.floor(((step - 1) * refreshes) / half);
}

/** A mask whose rows stand as on the crossbars, in the order of the weight vector. */
function inVectorOrder({ columns, rowOrder }: TrainedLayer, { mask, sign }: BitMask): BitMask {
  return { mask: restoreRows(mask, columns, rowOrder), sign: restoreRows(sign, columns, rowOrder) };
}
