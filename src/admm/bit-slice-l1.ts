import { checkWhole } from '../check-number';
import { InputError } from '../errors';
import { largestCode, maxAbsScales, quantizeWeights } from '../quantization/weight-codes';
import { upload } from '../tensor/engine';
import { floats } from '../tensor/kernels';
import type { WeightPull, WeightSteering } from '../training/weight-steering';
import type { LayerCodes } from './network-admm';
import { layerWeights, type TrainedLayer, writeCodes } from './trained-layers';

export interface BitSliceL1Settings {
  readonly weightBits: number;
  /** Bits of a slice (a multi-bit cell); 2 in the paper. */
  readonly sliceBits: number;
  /** Weight of the penalty, relative to the mean magnitude of the layer's weights as they are trained. */
  readonly penalty: number;
}

/**
 * The rival "bit-slice L1" (J. Zhang et al. 2019, Exploring Bit-Slice Sparsity in Deep Neural Networks for Efficient
 * ReRAM-Based Deployment): quantisation-aware training with an L1 penalty on the values of the code's slices, so that
 * few cells of a column are on. Nothing is guaranteed: how many ones a column keeps is seen afterwards. The subgradient
 * of slice k's value, passed straight through, is sign(w) wherever the slice is not empty.
 */
export function createBitSliceL1(
  layers: readonly TrainedLayer[],
  length: number,
  { weightBits, sliceBits, penalty }: BitSliceL1Settings,
): WeightSteering & { codes(weights: Float32Array): ReadonlyMap<string, LayerCodes> } {
  checkWhole('sliceBits', sliceBits, 1, 4);
  if (!(penalty >= 0 && penalty < Infinity))
    throw new InputError(`penalty ${penalty} is not a number from 0`);
  const filled = filledSlices(weightBits, sliceBits);
  const strength = new Float32Array(length);
  let pull: WeightPull | undefined;

  const codesOf = (layer: TrainedLayer, vector: Float32Array): LayerCodes => {
    const weights = layerWeights(layer, vector);
    const scales = maxAbsScales(weights, layer.rows, layer.columns, weightBits);
    return { codes: quantizeWeights(weights, scales, weightBits), scales };
  };

  return {
    beforeStep(_step, _steps, read) {
      const force = new Float32Array(length);
      const vector = read();
      for (const layer of layers) {
        const { codes } = codesOf(layer, vector);
        const trained = vector.subarray(layer.offset, layer.offset + codes.length);
        const size = penalty * meanMagnitude(trained);
        for (let i = 0; i < codes.length; i++)
          force[layer.offset + i] = -size * Math.sign(codes[i]) * filled[Math.abs(codes[i])];
      }
      pull = { strength, force };
    },
    pull: () => pull,
    forwardWeights(vector) {
      const weights = floats(vector);
      const result = weights.slice();
      for (const layer of layers) writeCodes(layer, codesOf(layer, weights), result);
      return upload(result, [length]);
    },
    codes: (vector) => new Map(layers.map((layer) => [layer.name, codesOf(layer, vector)])),
    state: () => new Map(),
    restore: () => undefined,
  };
}

/** How many slices of each magnitude are not empty. */
function filledSlices(weightBits: number, sliceBits: number): Uint8Array {
  return Uint8Array.from({ length: largestCode(weightBits) + 1 }, (_, magnitude) => {
    let count = 0;
    for (let rest = magnitude; rest > 0; rest >>= sliceBits) if (rest & (2 ** sliceBits - 1)) count++;
    return count;
  });
}

function meanMagnitude(weights: Float32Array): number {
  let sum = 0;
  for (const weight of weights) sum += Math.abs(weight);
  return sum / weights.length;
}
