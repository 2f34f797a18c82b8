import { InputError } from '../errors';
import { type AdcSettings, adcStep } from './adc';
import type { Readout } from './readouts';

/** What shares one step: all of a layer, each array (row tile), or each converted column. */
export type StepGranularity = 'layer' | 'array' | 'column';

export const stepGranularities: readonly StepGranularity[] = ['layer', 'array', 'column'];

/** The steps of a layer's ADCs. */
export interface AdcSteps {
  readonly granularity: StepGranularity;
  /** One for the layer; one an array; or one a converted column, in the order [array][output channel][readout]. */
  readonly values: Float64Array;
}

/** What tells a layer's steps. */
interface SteppedLayer {
  readonly adc: 'lossless' | Pick<AdcSettings, 'step'>;
  readonly steps?: AdcSteps;
  readonly columns: number;
  readonly tiles: Int32Array;
  readonly readouts: readonly Readout[];
}

/** The step at which a converted column is read: that of `steps`, else of the ADC; 1 where it is lossless. */
export function stepAt(
  { adc, steps, columns, readouts }: Omit<SteppedLayer, 'tiles'>,
  tile: number,
  channel: number,
  readout: number,
): number {
  if (adc === 'lossless' || !steps) return adcStep(adc);
  const column = (tile * columns + channel) * readouts.length + readout;
  return steps.values[{ layer: 0, array: tile, column }[steps.granularity]];
}

/** Every step of a layer once, ascending. */
export function distinctSteps({ adc, steps }: Pick<SteppedLayer, 'adc' | 'steps'>): readonly number[] {
  if (adc === 'lossless' || !steps) return [adcStep(adc)];
  return [...new Set(steps.values)].sort((a, b) => a - b);
}

/** Throws an InputError unless the layer's steps fit it. */
export function checkSteps({ adc, steps, columns, tiles, readouts }: SteppedLayer): void {
  if (steps === undefined) return;
  if (adc === 'lossless') throw new InputError('steps: they need an ADC of some bits, not "lossless"');
  const { granularity, values } = steps;
  checkGranularity(granularity, 'steps.granularity');
  const arrays = tiles.length - 1;
  const needed = { layer: 1, array: arrays, column: arrays * columns * readouts.length }[granularity];
  if (values.length !== needed) {
    throw new InputError(
      `steps.values: ${values.length} where ${needed} are needed, for each ${granularity}`,
    );
  }
  for (let i = 0; i < needed; i++) {
    if (!(values[i] > 0 && values[i] < Infinity)) {
      throw new InputError(`steps.values[${i}]: ${values[i]} is not a number above 0`);
    }
  }
}

/** Throws an InputError that names `field` unless the granularity is one of those there are. */
export function checkGranularity(granularity: string, field: string): asserts granularity is StepGranularity {
  if ((stepGranularities as readonly string[]).includes(granularity)) return;
  throw new InputError(
    `${field}: "${granularity}" is unknown; one of ${stepGranularities.join(', ')} is needed`,
  );
}
