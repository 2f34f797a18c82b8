import type { LayerJob } from '../layer-job';
import { bitColumns } from './bit-columns';
import { columnSums, pulsePlanes } from './pulse-planes';

/** What a layer's converters met on some inputs. Counts are weighted by what the signal counts for in the outputs. */
export interface SignalHistograms {
  /** Pulses of each size, 0..maxPulse, each counted with the square of its plane's weight. [maxPulse + 1] */
  readonly pulses: Float64Array;
  /** Smallest column sum that was met, at most 0. */
  readonly lowestSum: number;
  /** Column sums from the lowest up, each counted with the square of its weight plane's times its pulse plane's weight. */
  readonly sums: Float64Array;
  /** The largest size of a sum that the layer's codes allow. */
  readonly bound: number;
}

/** Weighted by the square of the significance, because that is how a conversion's error enters the output's. */
export function signalHistograms(job: LayerJob): SignalHistograms {
  const { slices, tiles, vectors, rows } = job;
  const planes = pulsePlanes(job);
  const pulses = new Float64Array(slices.maxPulse + 1);
  const significance = Float64Array.from({ length: planes.width }, (_, at) => {
    return slices.weights[Math.floor(at / vectors)] ** 2;
  });
  for (let row = 0; row < rows; row++) {
    for (let at = 0; at < planes.width; at++) {
      pulses[Math.abs(planes.pulses[row * planes.width + at])] += significance[at];
    }
  }
  const inTiles = Array.from({ length: tiles.length - 1 }, (_, tile) => bitColumns(job, tile));
  const sums = new Int32Array(planes.width);
  let bound = 1;
  for (const { charges } of inTiles.flat()) {
    bound = Math.max(bound, columnBound(charges, slices.form === 'sign-magnitude') * slices.maxPulse);
  }
  // met[bound + sum]
  const met = new Float64Array(2 * bound + 1);
  let [lowestSum, highestSum] = [0, 0];
  for (const bitColumn of inTiles.flat()) {
    const weight = bitColumn.readout.weight ** 2;
    columnSums(bitColumn, planes, sums);
    for (let at = 0; at < planes.width; at++) {
      const sum = sums[at];
      met[bound + sum] += weight * significance[at];
      if (sum < lowestSum) lowestSum = sum;
      else if (sum > highestSum) highestSum = sum;
    }
  }
  return { pulses, lowestSum, sums: met.slice(bound + lowestSum, bound + highestSum + 1), bound };
}

function columnBound(charges: Int32Array, eitherSign: boolean): number {
  let [added, taken] = [0, 0];
  for (const charge of charges) {
    if (charge > 0) added += charge;
    else taken -= charge;
  }
  return eitherSign ? added + taken : Math.max(added, taken);
}
