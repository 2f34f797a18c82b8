import type { NetworkDescription, Parameters } from '../networks/description';
import { createInference, type InferenceOptions, type Pictures } from '../networks/inference';
import * as k from '../tensor/kernels';
import { isNonNegative, quantizedTensors } from './crossbar-layers';

/** Bins of the histogram of magnitudes from which a scale is chosen. */
const BINS = 2048;

/**
 * One scale for each tensor that crossbars take as input: the one with the least mean squared error between the values
 * and their codes on the calibration pictures. Codes are 0..2^bits-1, or two's complement where values can be negative.
 * The picture itself has scale 1: its codes are its pixels.
 */
export function activationScales(
  description: NetworkDescription,
  parameters: Parameters,
  options: InferenceOptions,
  pictures: Pictures,
  bits: number,
): Map<string, number> {
  const wanted = quantizedTensors(description);
  const scales = new Map<string, number>([['input', 1]]);
  const inference = createInference(description, parameters, {
    ...options,
    afterNode: (node, output) => {
      if (wanted.has(node.name)) {
        const top = isNonNegative(description, node.name) ? 2 ** bits - 1 : 2 ** (bits - 1) - 1;
        scales.set(node.name, leastErrorScale(k.floats(output), top));
      }
      return output;
    },
  });
  try {
    inference.logits(pictures);
  } finally {
    inference.dispose();
  }
  return scales;
}

/** The scale with the least squared error when |values| are rounded to 0..top times the scale and clipped there. */
export function leastErrorScale(values: Float32Array, top: number): number {
  let largest = 0;
  for (const value of values) largest = Math.max(largest, Math.abs(value));
  if (largest === 0) return 1;
  const histogram = new Float64Array(BINS);
  for (const value of values) histogram[Math.min(BINS - 1, Math.floor((Math.abs(value) / largest) * BINS))]++;
  let best = largest / top;
  let least = Number.POSITIVE_INFINITY;
  for (let share = 0.3; share <= 1.001; share += 0.02) {
    const error = squaredError(histogram, largest, (share * largest) / top, top);
    if (error < least) {
      least = error;
      best = (share * largest) / top;
    }
  }
  return best;
}

/** Rounding error (uniform within a step) below the clip, clipping error above it. */
function squaredError(histogram: Float64Array, largest: number, scale: number, top: number): number {
  const clip = scale * top;
  let error = 0;
  for (let i = 1; i < histogram.length; i++) {
    const value = ((i + 0.5) * largest) / histogram.length;
    error += histogram[i] * (value > clip ? (value - clip) ** 2 : (scale * scale) / 12);
  }
  return error;
}
