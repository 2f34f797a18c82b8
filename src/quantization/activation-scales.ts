import { InputError } from '../errors';
import type { NetworkDescription, Parameters } from '../networks/description';
import { createInference, type InferenceOptions, type Pictures } from '../networks/inference';
import { isNonNegative } from '../networks/non-negative';
import type { OnProgress } from '../progress';
import type { Tensor } from '../tensor/engine';
import { quantizedTensors } from './crossbar-layers';
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

/** Clips tried, in units of the largest magnitude: from LOWEST to 1 in steps; below it DEEPER ones, each by RATIO. */
const LOWEST = 0.3;
const STEP = 0.02;
const DEEPER = 60;
const RATIO = 0.95;

/** The scale with the least squared error when the counted magnitudes are rounded to 0..top times the scale and clipped there. */
export function leastErrorScale(histogram: MagnitudeHistogram, top: number): number {
  const { largest } = histogram;
  if (largest === 0) return 1;
  const scaleOf = (share: number) => (share * largest) / top;
  const above: number[] = [];
  for (let share = LOWEST; share <= 1.001; share += STEP) above.push(share);
  const best = leastOf(above, (share) => squaredError(histogram, scaleOf(share), top, uniform));
  if (best !== LOWEST) return scaleOf(best);
  // Few codes, or few magnitudes far above the others, want a lower clip; steps so wide are not filled evenly.
  const below = Array.from({ length: DEEPER + 1 }, (_, i) => LOWEST * RATIO ** i);
  return scaleOf(leastOf(below, (share) => squaredError(histogram, scaleOf(share), top, rounding)));
}

/** The first of those whose error is the least. */
function leastOf(shares: readonly number[], errorOf: (share: number) => number): number {
  const errors = shares.map(errorOf);
  return shares[errors.indexOf(Math.min(...errors))];
}

/** Squared rounding error of a magnitude that is not clipped. */
type RoundingError = (value: number, scale: number) => number;

const uniform: RoundingError = (_, scale) => (scale * scale) / 12;
const rounding: RoundingError = (value, scale) => (value - scale * Math.round(value / scale)) ** 2;

/** Rounding error below the clip, clipping error above it. */
function squaredError(
  { bins, largest }: MagnitudeHistogram,
  scale: number,
  top: number,
  roundingError: RoundingError,
): number {
  const clip = scale * top;
  let error = 0;
  for (let i = 1; i < bins.length; i++) {
    const value = ((i + 0.5) * largest) / bins.length;
    error += bins[i] * (value > clip ? (value - clip) ** 2 : roundingError(value, scale));
  }
  return error;
}
