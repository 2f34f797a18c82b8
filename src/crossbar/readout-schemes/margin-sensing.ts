import { type RandomStream, randomStream } from '../../tensor/random';
import { adcCodes } from '../adc';
import { type AnalogKernel, analogKernel, lanes } from '../analog-kernel';
import type { Converter } from '../build-converter';
import { addOffset } from '../finish-outputs';
import type { LayerJob, LayerResult } from '../layer-job';
import { programLayer } from '../program-layer';
import { pulseTerms } from '../pulse-terms';
import { type BitColumn, bitColumns } from './bit-columns';
import {
  type MarginSettings,
  marginConverter,
  marginDevice,
  marginSettings,
  referredErrors,
} from './margin-settings';
import { columnSums, type PulsePlanes, pulsePlanes } from './pulse-planes';

export interface MarginSensingResult extends LayerResult<Float64Array> {
  /** Conversions whose code was not that of an ideal ADC of the same bits on the exact sum. */
  readonly codeErrors: number;
  /** Conversions whose ideal code was this one, from the lowest code up. [codes] */
  readonly conversionsByCode: Float64Array;
  /** Of those, the ones whose code was another. [codes] */
  readonly errorsByCode: Float64Array;
}

/**
 * Runs a layer with cells that vary, off cells that leak, and a converter of its own offset on every physical column.
 * Cells and offsets are drawn once and stay; noise is drawn at each conversion. `saturated` counts exact sums outside the
 * range. The converter of the settings takes the place of the job's.
 */
export function marginSensing(job: LayerJob, settings: MarginSettings = {}): MarginSensingResult {
  const all = marginSettings(settings, job.signedSums);
  const adc = { bits: all.adcBits, signed: job.signedSums };
  const { lowest, highest } = adcCodes(adc);
  const model = marginConverter(all);
  const { noise: sigma } = referredErrors(all);
  const { vectors, columns, tiles } = job;
  const planes = pulsePlanes(job);
  const terms = [...pulseTerms(job.slices).coefficients];
  const circuit = { device: marginDevice(all), converter: model, seed: all.seed };
  // Its columns are the bit columns that hold charge, in the same order.
  const { arrays } = programLayer({ ...job, adc }, circuit);
  const kernels = new Map<number, AnalogKernel>();
  const outputs = new Float64Array(vectors * columns);
  const exact = new Int32Array(planes.width);
  const currents = new Float64Array(planes.width);
  const counts = {
    conversionsByCode: new Float64Array(highest - lowest + 1),
    errorsByCode: new Float64Array(highest - lowest + 1),
    saturated: 0,
  };
  for (let tile = 0; tile + 1 < tiles.length; tile++) {
    const rows = tiles[tile + 1] - tiles[tile];
    const kernel = kernels.get(rows) ?? analogKernel(rows, planes.width * terms.length);
    kernels.set(rows, kernel);
    setPatterns(kernel, planes, terms, tiles[tile], rows);
    const { values, converters } = arrays[tile];
    for (const [index, bitColumn] of bitColumns(job, tile).entries()) {
      const lane = index % lanes;
      if (lane === 0) {
        const count = Math.min(lanes, values.length / rows - index);
        kernel.setCells(
          values,
          Array.from({ length: count }, (_, i) => (index + i) * rows),
        );
        kernel.run(planes.width * terms.length, 'sums');
      }
      const { column, readout } = bitColumn;
      const place = `tile ${tile}, column ${column}, slot ${readout.plus}`;
      const converter = converters![index];
      const noise = sigma > 0 ? randomStream(all.seed, `noise of ${place}`) : undefined;
      columnSums(bitColumn, planes, exact);
      addTerms(kernel.sums, lane, terms, currents);
      convertColumn(job, bitColumn, { exact, currents, converter, noise, sigma }, counts, outputs);
    }
  }
  if (job.encoding.offset !== 0) addOffset(job, outputs, job.inputs);
  const { saturated, conversionsByCode, errorsByCode } = counts;
  const sum = (list: Float64Array) => list.reduce((total, count) => total + count, 0);
  return {
    outputs,
    saturated,
    conversions: sum(conversionsByCode),
    codeErrors: sum(errorsByCode),
    conversionsByCode,
    errorsByCode,
  };
}

/** Converts one column's currents and adds up what the codes count for. */
function convertColumn(
  { vectors, columns, slices }: LayerJob,
  { column, readout, sign }: BitColumn,
  sensed: {
    readonly exact: Int32Array;
    readonly currents: Float64Array;
    readonly converter: Converter;
    readonly noise: RandomStream | undefined;
    /** Of the noise. */
    readonly sigma: number;
  },
  counts: {
    readonly conversionsByCode: Float64Array;
    readonly errorsByCode: Float64Array;
    saturated: number;
  },
  outputs: Float64Array,
): void {
  const { exact, currents, converter, noise, sigma } = sensed;
  const { lowest, highest, levels } = converter;
  const { conversionsByCode, errorsByCode } = counts;
  let saturated = 0;
  for (let plane = 0, at = 0; plane < slices.planes; plane++) {
    const weight = sign * readout.weight * slices.weights[plane];
    for (let vector = 0; vector < vectors; vector++, at++) {
      let ideal = exact[at];
      if (ideal > highest || ideal < lowest) {
        saturated++;
        ideal = ideal > highest ? highest : lowest;
      }
      const current = currents[at];
      // From where an ideal converter would be.
      let above = Math.min(levels.length, Math.max(0, Math.floor(current + 0.5) - lowest));
      while (above < levels.length && current >= levels[above]) above++;
      while (above > 0 && current < levels[above - 1]) above--;
      // Where no level is within eight sigma, no noise is drawn: none would matter.
      const clear =
        noise === undefined ||
        ((above === 0 || current - levels[above - 1] > 8 * sigma) &&
          (above === levels.length || levels[above] - current > 8 * sigma));
      const code = clear ? lowest + above : converter.code(current, noise);
      conversionsByCode[ideal - lowest]++;
      if (code !== ideal) errorsByCode[ideal - lowest]++;
      outputs[vector * columns + column] += weight * code;
    }
  }
  counts.saturated += saturated;
}

/** Marks, for each term and (plane, vector), the rows of a tile whose pulse holds the term. */
function setPatterns(
  { patterns, groups }: AnalogKernel,
  { width, pulses }: PulsePlanes,
  terms: readonly number[],
  from: number,
  rows: number,
): void {
  patterns.fill(0);
  for (let row = 0; row < rows; row++) {
    const mark = 16 << (row & 7);
    const group = row >> 3;
    const base = (from + row) * width;
    terms.forEach((term, i) => {
      const [sign, bit] = [Math.sign(term), Math.abs(term)];
      for (let at = 0; at < width; at++) {
        const size = sign * pulses[base + at];
        if (size > 0 && (size & bit) !== 0) patterns[(i * width + at) * groups + group] |= mark;
      }
    });
  }
}

/** Puts the terms of one column's currents together again. */
function addTerms(sums: Float32Array, lane: number, terms: readonly number[], currents: Float64Array): void {
  const width = currents.length;
  currents.fill(0);
  terms.forEach((term, i) => {
    for (let at = 0; at < width; at++) currents[at] += term * sums[(i * width + at) * lanes + lane];
  });
}
