import { isNativeEngine, read, scope, type Tensor } from '../tensor/engine';
import * as k from '../tensor/kernels';

/** Bins of a histogram: a power of two, so that TensorFlow's bins are those of `countMagnitudes` to the last number. */
const BINS = 2048;

/** Counts of magnitudes in equal bins from 0 to the largest. */
export interface MagnitudeHistogram {
  readonly largest: number;
  readonly bins: Float64Array;
}

/** @param largest above 0 wherever a number other than 0 is to be counted */
export function emptyHistogram(largest: number): MagnitudeHistogram {
  return { largest, bins: new Float64Array(BINS) };
}

/** Largest magnitude of the elements of a float32 tensor. */
export function largestMagnitude(x: Tensor): number {
  return scope(() => k.floats(k.max(k.abs(x), [...x.shape.keys()]))[0]);
}

/** Counts the elements of a float32 tensor, in the engine where it can. */
export function addMagnitudes(histogram: MagnitudeHistogram, x: Tensor): void {
  const { largest, bins } = histogram;
  if (!isNativeEngine()) countMagnitudes(histogram, k.floats(x));
  else if (largest > 0) {
    scope(() => {
      const counts = read(k.histogram(k.abs(x), largest, BINS));
      for (let i = 0; i < BINS; i++) bins[i] += counts[i];
      return undefined;
    });
  }
}

/** Counts numbers: what `addMagnitudes` does, in plain TypeScript. */
export function countMagnitudes({ largest, bins }: MagnitudeHistogram, values: Float32Array): void {
  if (largest === 0) return;
  const last = bins.length - 1;
  for (let i = 0; i < values.length; i++)
    bins[Math.min(last, ((Math.abs(values[i]) / largest) * bins.length) | 0)]++;
}
