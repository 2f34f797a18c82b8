import { adcCodes } from './adc';
import type { AnalogSettings } from './analog-settings';
import type { Converter } from './build-converter';
import { largestAdc } from './layer-adcs';
import type { LayerJob } from './layer-job';
import { mergeHistograms, type SumHistogram, sumCounter } from './sum-histogram';

/** What a run saw, one entry for the layer, for each array or for each converted column [array][channel][readout]. */
export interface AnalogRecord {
  /** Column sums as they reach the converters, rounded to whole ones, noise included. */
  readonly sums: readonly SumHistogram[];
  /** Codes that the converters gave; empty when conversion is lossless. */
  readonly codes: readonly SumHistogram[];
}

/** Counts while a run goes on. */
export interface Recorder {
  sums(tile: number, column: number, sums: Float64Array): void;
  codes(tile: number, column: number, values: Float64Array, converter: Converter): void;
  finish(): AnalogRecord;
}

/** @param granularity whether all arrays share an entry, or each array or converted column has its own */
export function createRecorder(job: LayerJob, granularity: NonNullable<AnalogSettings['record']>): Recorder {
  const arrays = job.tiles.length - 1;
  const width = job.columns * job.readouts.length;
  const size = { layer: 1, array: arrays, column: arrays * width }[granularity];
  const at = (tile: number, column: number) =>
    ({ layer: 0, array: tile, column: tile * width + column })[granularity];
  const counters = () => Array.from({ length: size }, sumCounter);
  const sums = counters();
  const codes = job.adc === 'lossless' ? [] : counters();
  return {
    sums(tile, column, seen) {
      sums[at(tile, column)].add(seen);
    },
    codes(tile, column, values, { adc }) {
      const step = adc.step ?? 1;
      codes[at(tile, column)].add(values.map((value) => value / step));
    },
    finish: () => ({
      sums: sums.map((counter) => counter.histogram()),
      codes: codes.map((counter) => spanned(counter.histogram(), job)),
    }),
  };
}

/** Over all codes that the ADC has, also those that never came up. */
function spanned(seen: SumHistogram, { adc }: LayerJob): SumHistogram {
  if (adc === 'lossless') return seen;
  const { lowest, highest } = adcCodes(largestAdc(adc));
  return mergeHistograms([{ lowest, counts: new Float64Array(highest - lowest + 1) }, seen]);
}
