import { InputError } from '../errors';
import type { NetworkDescription, Parameters } from '../networks/description';
import { createInference, type InferenceOptions, type Pictures } from '../networks/inference';
import type { OnProgress } from '../progress';
import type { Tensor } from '../tensor/engine';
import { isNonNegative, quantizedTensors } from './crossbar-layers';
import {
  addMagnitudes,
  emptyHistogram,
  largestMagnitude,
  type MagnitudeHistogram,
} from './magnitude-histogram';

/** Of pictures computed at once: 512 of 32 x 32, 10 of 224 x 224. */
const BATCH_PIXELS = 2 ** 19;

/**
 * One scale for each tensor that crossbars take as input: the one with the least mean squared error between the values
 * and their codes on the calibration pictures. Codes are 0..2^bits-1, or two's complement where values can be negative.
 * The picture itself has scale 1: its codes are its pixels. The pictures go through the network in batches, twice: first
 * for the largest magnitudes, then for the histograms between 0 and these.
 * @throws InputError naming the first node whose values are not finite
 */
export function activationScales(
  description: NetworkDescription,
  parameters: Parameters,
  options: InferenceOptions,
  pictures: Pictures,
  bits: number,
  onProgress?: OnProgress,
): Map<string, number> {
  const wanted = quantizedTensors(description);
  const histograms = new Map<string, MagnitudeHistogram>();
  const largest = new Map<string, number>();
  let done = 0;
  let oddLogit: number | undefined;
  const visit = (see: (name: string, values: Tensor) => void) => {
    const inference = createInference(description, parameters, {
      ...options,
      afterNode: (node, output) => {
        if (wanted.has(node.name)) see(node.name, output);
        return output;
      },
    });
    try {
      for (const batch of batchesOf(pictures)) {
        const odd = inference.logits(batch).find((logit) => !Number.isFinite(logit));
        oddLogit ??= odd;
        done += batch.count;
        onProgress?.({ done, total: 2 * pictures.count, note: 'input scales' });
      }
    } finally {
      inference.dispose();
    }
  };
  visit((name, values) => {
    const magnitude = largestMagnitude(values);
    largest.set(name, Math.max(magnitude, largest.get(name) ?? 0));
  });
  for (const [name, value] of largest) {
    requireFinite(description, name, value);
    histograms.set(name, emptyHistogram(value));
  }
  requireFinite(description, 'logits', oddLogit ?? 0);
  visit((name, values) => addMagnitudes(histograms.get(name)!, values));

  const scales = new Map<string, number>([['input', 1]]);
  for (const [name, histogram] of histograms) {
    const top = isNonNegative(description, name) ? 2 ** bits - 1 : 2 ** (bits - 1) - 1;
    scales.set(name, leastErrorScale(histogram, top));
  }
  return scales;
}

function requireFinite(description: NetworkDescription, name: string, value: number): void {
  if (!Number.isFinite(value))
    throw new InputError(
      `network ${description.name}: ${name}: activations are not finite (${value}); smaller weights are needed`,
    );
}

function* batchesOf({ pixels, count, ...shape }: Pictures): Generator<Pictures> {
  const { height, width, channels } = shape;
  const most = Math.max(1, Math.floor(BATCH_PIXELS / (height * width)));
  const size = height * width * channels;
  for (let first = 0; first < count; first += most) {
    const own = Math.min(most, count - first);
    yield { ...shape, count: own, pixels: pixels.subarray(first * size, (first + own) * size) };
  }
}

/** The scale with the least squared error when the counted magnitudes are rounded to 0..top times the scale and clipped there. */
export function leastErrorScale({ largest, bins }: MagnitudeHistogram, top: number): number {
  if (largest === 0) return 1;
  let best = largest / top;
  let least = Number.POSITIVE_INFINITY;
  for (let share = 0.3; share <= 1.001; share += 0.02) {
    const error = squaredError(bins, largest, (share * largest) / top, top);
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
