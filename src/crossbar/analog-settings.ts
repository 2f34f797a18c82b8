import { checkWhole } from '../check-number';
import { InputError } from '../errors';
import type { AdcSettings } from './adc';
import type { StepGranularity } from './adc-steps';
import { type ConverterModel, checkConverter } from './converter-model';
import { checkDevice, type DeviceModel } from './device-model';
import { checkWires, type WireModel } from './ir-drop';
import { adcKinds } from './layer-adcs';
import type { LayerJob } from './layer-job';

/** The circuit that a layer runs on. With nothing set it is ideal and gives what the reference engine gives (see `analogEngine`). */
export interface CircuitSettings {
  /** Memory cell. Default: ideal, its value is its digit. */
  readonly device?: DeviceModel;
  /** What the ADCs of the job get wrong. Default: nothing. Not with `adc: 'lossless'`. */
  readonly converter?: ConverterModel;
  /**
   * Neighbouring converted columns of an array that share one ADC, at least 1. Default 1; ISAAC has one for the 128 columns
   * of an array (Shafiee et al., ISCA 2016).
   */
  readonly columnsPerAdc?: number;
  /** Resistance of the wires. Default: none. */
  readonly wires?: WireModel;
  /** What the input DACs apply for each pulse size, first that of 0, which is 0: dacLevels[p] = p is ideal, the default. */
  readonly dacLevels?: readonly number[];
  /** Names the layer in the random streams. Default `layer`. */
  readonly layer?: string;
  /** Root of all random streams, whole. Default 1. */
  readonly seed?: number;
}

export interface AnalogSettings extends CircuitSettings {
  /** Number of the job's first vector in the whole input, so that parts draw the noise that the whole would. Default 0. */
  readonly firstVector?: number;
  /** What keeps a record of its own of column sums and codes; default: no record. */
  readonly record?: StepGranularity;
  /** True: without WebAssembly (the same bits, slower). Default false. */
  readonly portable?: boolean;
}

/** Throws an InputError that names the setting out of range. */
export function checkCircuit(job: LayerJob, settings: CircuitSettings): void {
  const { device, converter, wires, columnsPerAdc = 1, seed = 1 } = settings;
  checkDevice(device);
  if (converter !== undefined) {
    if (job.adc === 'lossless')
      throw new InputError('converter: it needs an ADC of some bits, not "lossless"');
    for (const adc of adcKinds(job).kinds) checkConverter(converter, adc as AdcSettings);
  }
  if (wires !== undefined) checkWires(wires);
  checkWhole('columnsPerAdc', columnsPerAdc, 1);
  checkWhole('seed', seed);
}
