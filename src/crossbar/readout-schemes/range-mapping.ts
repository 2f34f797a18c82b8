import { checkWhole } from '../../check-number';
import { randomStream } from '../../tensor/random';
import { buildConverter } from '../build-converter';
import type { ConverterModel } from '../converter-model';
import { addOffset } from '../finish-outputs';
import type { LayerJob, LayerResult } from '../layer-job';
import { type BitColumn, bitColumns } from './bit-columns';
import { checkChoice, withDefaults } from './check-setting';
import { type DacSettings, dacCurve, dacDefaults } from './dac-curve';
import { columnSums, type PulsePlanes, pulsePlanes } from './pulse-planes';
import {
  choosePlacement,
  dacCode,
  fitGains,
  fullScale,
  nominalGains,
  type RangeMap,
  type TransferCurves,
} from './range-map';
import { signalHistograms } from './signal-histograms';

/**
 * DAC and ADC nonlinearity with automated quantisation range mapping (Huang et al., ISCAS 2022; known to us by its title).
 * Our reading: the transfer curves are measured once for the design, and each layer's input and output ranges are then
 * placed on them where the codes that the layer really uses are most linear.
 */
export interface RangeMappingSettings {
  /** Resolution of the ADC, 1..12 (2..12 where sums are signed). Default 5: assumed. */
  readonly adcBits?: number;
  /**
   * The ADC's errors: one curve for all columns, as measured for the design. Default: a ramp that sags by one LSB in the
   * middle, with code widths that spread by 0.1 LSB: assumed.
   */
  readonly converter?: ConverterModel;
  /** The input DACs; one curve for all rows. What 1-bit pulses drive has two levels only, which are always on a line. */
  readonly dac?: DacSettings;
  /** Whole number; the ADC's curve and the noise are drawn from it. Default 1. */
  readonly seed?: number;
}

export const rangeMappingDefaults = {
  adcBits: 5,
  converter: { type: 'ramp', curvature: 1, dnlSigma: 0.1 },
  dac: dacDefaults,
  seed: 1,
} as const satisfies Required<RangeMappingSettings>;

/**
 * How ranges are placed and read, from nothing known of the curves to all:
 * - `unmapped`: full scale on full scale, read as if the curves were straight;
 * - `rescaled`: full scale on full scale, with digital gains that fit the curves;
 * - `linear`: placed for the signals as if the curves were straight, with digital gains that fit the curves;
 * - `mapped`: placed for the signals on the curves.
 */
export type RangeMapping = 'unmapped' | 'rescaled' | 'linear' | 'mapped';

export const rangeMappings: readonly RangeMapping[] = ['unmapped', 'rescaled', 'linear', 'mapped'];

export interface RangeMappingResult extends LayerResult<Float64Array> {
  readonly map: RangeMap;
  /** Root mean square of (converted - exact) column sum, cell levels. */
  readonly rmsError: number;
  /** Its mean. */
  readonly meanError: number;
  /** Conversions that gave each code, from the lowest code up. [codes] */
  readonly codeHistogram: Float64Array;
}

/** Chooses a layer's ranges from the signals of a calibration job. */
export function rangeMapOf(
  calibration: LayerJob,
  settings: RangeMappingSettings = {},
  mapping: RangeMapping = 'mapped',
): RangeMap {
  const signals = signalHistograms(calibration);
  const curves = transferCurves(calibration, settings);
  switch (checkChoice('mapping', mapping, rangeMappings)) {
    case 'unmapped':
      return nominalGains(fullScale(signals, curves), signals, curves);
    case 'rescaled':
      return fitGains(fullScale(signals, curves), signals, curves);
    case 'linear':
      return fitGains(choosePlacement(signals, straightened(curves)), signals, curves);
    default:
      return fitGains(choosePlacement(signals, curves), signals, curves);
  }
}

/**
 * Runs a layer through nonlinear DACs and ADCs in the ranges of `map` (default: those chosen from the job itself). The
 * converters of the settings take the place of the job's.
 */
export function rangeMapping(
  job: LayerJob,
  settings: RangeMappingSettings = {},
  map: RangeMap = rangeMapOf(job, settings),
): RangeMappingResult {
  const { adc, dac, dacNoise } = transferCurves(job, settings);
  const { vectors, columns, tiles, slices } = job;
  const planes = pulsePlanes(job);
  const seed = settings.seed ?? rangeMappingDefaults.seed;
  const driven = drivenPulses(job, planes, { dac, dacNoise }, map, seed);
  const noise = randomStream(seed, 'range-mapped conversions');
  const outputs = new Float64Array(vectors * columns);
  const exact = new Int32Array(planes.width);
  const sums = new Float64Array(planes.width);
  const codeHistogram = new Float64Array(adc.highest - adc.lowest + 1);
  const total = { conversions: 0, saturated: 0, error: 0, square: 0 };
  for (let tile = 0; tile + 1 < tiles.length; tile++) {
    for (const bitColumn of bitColumns(job, tile)) {
      const { column, readout, sign } = bitColumn;
      columnSums(bitColumn, planes, exact);
      drivenSums(bitColumn, driven, planes.width, sums);
      total.conversions += planes.width;
      let [saturated, error, square] = [0, 0, 0];
      for (let plane = 0, at = 0; plane < slices.planes; plane++) {
        const weight = sign * readout.weight * slices.weights[plane];
        for (let vector = 0; vector < vectors; vector++, at++) {
          const input = map.adcZero + sums[at] * map.codesPerUnit;
          const code = adc.code(input, noise);
          codeHistogram[code - adc.lowest]++;
          if (adc.clips(input)) saturated++;
          const converted = (code - map.zeroCode) * map.unitsPerCode;
          error += converted - exact[at];
          square += (converted - exact[at]) ** 2;
          outputs[vector * columns + column] += weight * converted;
        }
      }
      total.saturated += saturated;
      total.error += error;
      total.square += square;
    }
  }
  if (job.encoding.offset !== 0) addOffset(job, outputs, job.inputs);
  const { conversions, saturated } = total;
  const count = Math.max(1, conversions);
  return {
    outputs,
    saturated,
    conversions,
    map,
    rmsError: Math.sqrt(total.square / count),
    meanError: total.error / count,
    codeHistogram,
  };
}

function transferCurves(job: LayerJob, settings: RangeMappingSettings): TransferCurves {
  const { adcBits, converter, dac, seed } = withDefaults<RangeMappingSettings>(
    rangeMappingDefaults,
    settings,
  );
  const signed = job.signedSums;
  checkWhole('adcBits', adcBits, signed ? 2 : 1, 12);
  const adc = { bits: adcBits, signed };
  return {
    dac: dacCurve(dac),
    dacNoise: dac.noise ?? dacDefaults.noise,
    adc: buildConverter(adc, converter, randomStream(seed, 'range-mapped ADC')),
  };
}

function straightened({ dac, dacNoise, adc }: TransferCurves): TransferCurves {
  const highest = dac.length - 1;
  return {
    dac: Float64Array.from(dac, (_, code) => (code * dac[highest]) / highest),
    dacNoise,
    adc: buildConverter(adc.adc, { type: 'sar' }, randomStream(0, 'no errors')),
  };
}

/** The pulses as the DACs drive them, in units of an ideal pulse of 1. [rows][width] */
function drivenPulses(
  job: LayerJob,
  { width, pulses }: PulsePlanes,
  { dac, dacNoise }: Pick<TransferCurves, 'dac' | 'dacNoise'>,
  { dacFull, dacGain }: RangeMap,
  seed: number,
): Float32Array {
  const { maxPulse } = job.slices;
  const levels = Float64Array.from({ length: maxPulse + 1 }, (_, pulse) => {
    return dac[dacCode(pulse, maxPulse, dacFull)] / dacGain;
  });
  const noise = randomStream(seed, 'range-mapped pulses');
  const driven = new Float32Array(job.rows * width);
  for (let i = 0; i < driven.length; i++) {
    if (pulses[i] === 0) continue;
    const level = levels[Math.abs(pulses[i])] + (dacNoise === 0 ? 0 : (dacNoise / dacGain) * noise.normal());
    driven[i] = Math.sign(pulses[i]) * level;
  }
  return driven;
}

function drivenSums({ rows, charges }: BitColumn, driven: Float32Array, width: number, sums: Float64Array) {
  sums.fill(0);
  for (let i = 0; i < rows.length; i++) {
    const base = rows[i] * width;
    for (let at = 0; at < width; at++) sums[at] += charges[i] * driven[base + at];
  }
}
