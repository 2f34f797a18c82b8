import { checkWhole } from '../check-number';
import { InputError } from '../errors';
import { checkFields, isNumber } from './check-fields';

/** How the conductance that a cell gets differs from the one asked for. All random numbers are normal; never below 0. */
export type Variation =
  | {
      /** sigma = `sigma` * on conductance, whatever the level. */
      readonly kind: 'absolute';
      /** At least 0. */
      readonly sigma: number;
    }
  | {
      /** sigma = `sigma` * conductance of the level. */
      readonly kind: 'proportional';
      readonly sigma: number;
    }
  | {
      /** The level times exp(sigma * normal): its median stays, its mean rises by exp(sigma^2 / 2). */
      readonly kind: 'lognormal';
      readonly sigma: number;
    }
  | {
      /** sigma / on conductance = sum over i of coefficients[i] * (conductance / on conductance)^i, at least 0: fits to measurements. */
      readonly kind: 'polynomial';
      readonly coefficients: readonly number[];
    };

/** Conductance G(t) = G * (t / t0)^-nu: power law of structural relaxation in phase-change memory. */
export interface Drift {
  /** Seconds since programming, at least `startTime`. */
  readonly time: number;
  /** t0: when the programmed conductance was measured, seconds, above 0. */
  readonly startTime: number;
  /** Mean exponent of a cell that is on, at least 0. */
  readonly nu: number;
  /** Spread (sigma) of the exponent from cell to cell, at least 0; exponents below 0 are drawn as 0. Default 0. */
  readonly nuSigma?: number;
  /** Mean exponent of a cell that is off; between the two it is linear in the level. Default `nu`. */
  readonly offNu?: number;
  /** Default `nuSigma`. */
  readonly offNuSigma?: number;
  /** True: the read-out is rescaled by the mean factor of a cell that is on, (time / startTime)^nu. Default false. */
  readonly compensated?: boolean;
}

/**
 * What becomes of the current of cells that are off (finite on/off ratio):
 * - `kept`: it is converted with the rest, nothing is taken off;
 * - `digital`: it is converted with the rest; the digital side counts the input pulses and takes off the nominal amount;
 * - `reference-column`: each array has a column of cells that are off, variation and all; its sum is taken off before
 *   each conversion;
 * - `cancelled`: the nominal amount is taken off before each conversion (a perfect reference).
 */
export type OffState = 'kept' | 'digital' | 'reference-column' | 'cancelled';

export const offStates: readonly OffState[] = ['kept', 'digital', 'reference-column', 'cancelled'];

/** A memory cell. `undefined` in its place is the ideal cell: its value is its digit. Every field has a default. */
export interface DeviceModel {
  /** On over off conductance, above 1. Default Infinity (also `null`, for JSON): an off cell conducts nothing. */
  readonly onOffRatio?: number | null;
  /** Resistance of a cell that is on, ohm, above 0. Only wires ask for it. Default 100 kohm (assumed). */
  readonly onResistance?: number;
  /** Default: none. */
  readonly programming?: Variation;
  /** Noise of each read of each cell; lognormal is not offered. Default: none. */
  readonly readNoise?: Variation;
  /** Share of cells stuck in the off state, 0..1. Default 0. */
  readonly stuckOff?: number;
  /** Share of cells stuck in the on state, 0..1; with `stuckOff` at most 1. Default 0. */
  readonly stuckOn?: number;
  /** Default: none. */
  readonly drift?: Drift;
  /** Conductances that can be programmed, evenly from off to on, at least 2; targets go to the nearest. Default: any. */
  readonly levels?: number;
  /** Default `cancelled`. */
  readonly offState?: OffState;
}

const deviceFields: readonly (keyof DeviceModel)[] = [
  'onOffRatio',
  'onResistance',
  'programming',
  'readNoise',
  'stuckOff',
  'stuckOn',
  'drift',
  'levels',
  'offState',
];

const driftFields: readonly (keyof Drift)[] = [
  'time',
  'startTime',
  'nu',
  'nuSigma',
  'offNu',
  'offNuSigma',
  'compensated',
];

const variations = ['absolute', 'proportional', 'lognormal', 'polynomial'];

/** Throws an InputError that names the field unknown or out of range. */
export function checkDevice(device: DeviceModel | undefined, field = 'device'): void {
  if (device === undefined) return;
  checkFields(device, deviceFields, field);
  const { onOffRatio, onResistance = 1, stuckOff = 0, stuckOn = 0, levels, drift } = device;
  if (typeof (onOffRatio ?? Infinity) !== 'number' || !((onOffRatio ?? Infinity) > 1)) {
    throw new InputError(`${field}.onOffRatio: ${onOffRatio} is not above 1`);
  }
  if (!(isNumber(onResistance) && onResistance > 0)) {
    throw new InputError(`${field}.onResistance: ${onResistance} is not a number above 0`);
  }
  checkVariation(device.programming, `${field}.programming`);
  checkVariation(device.readNoise, `${field}.readNoise`);
  if (device.readNoise?.kind === 'lognormal') {
    throw new InputError(
      `${field}.readNoise.kind: lognormal; absolute, proportional or polynomial is needed`,
    );
  }
  for (const [name, share] of [
    ['stuckOff', stuckOff],
    ['stuckOn', stuckOn],
  ] as const) {
    if (!isNumber(share, 0, 1)) throw new InputError(`${field}.${name}: ${share} is not from 0 to 1`);
  }
  if (stuckOff + stuckOn > 1) {
    throw new InputError(`${field}.stuckOn: with stuckOff it makes ${stuckOff + stuckOn}, more than 1`);
  }
  if (levels !== undefined) checkWhole(`${field}.levels`, levels, 2);
  if (device.offState !== undefined && !offStates.includes(device.offState)) {
    throw new InputError(
      `${field}.offState: "${device.offState}" is unknown; one of ${offStates.join(', ')} is needed`,
    );
  }
  if (drift !== undefined) checkDrift(drift, `${field}.drift`);
}

function checkVariation(variation: Variation | undefined, field: string): void {
  if (variation === undefined) return;
  const polynomial = variation?.kind === 'polynomial';
  checkFields(variation, ['kind', polynomial ? 'coefficients' : 'sigma'], field);
  if (!variations.includes(variation.kind)) {
    throw new InputError(`${field}.kind: "${variation.kind}"; one of ${variations.join(', ')} is needed`);
  }
  if (variation.kind === 'polynomial') {
    if (!Array.isArray(variation.coefficients) || !variation.coefficients.every(Number.isFinite)) {
      throw new InputError(`${field}.coefficients: a list of numbers is needed`);
    }
  } else if (!isNumber(variation.sigma, 0)) {
    throw new InputError(`${field}.sigma: ${variation.sigma} is not a number of at least 0`);
  }
}

function checkDrift(drift: Drift, field: string): void {
  checkFields(drift, driftFields, field);
  const { time, startTime, nu, nuSigma = 0, offNu = nu, offNuSigma = nuSigma, compensated = false } = drift;
  if (!(isNumber(startTime) && startTime > 0)) {
    throw new InputError(`${field}.startTime: ${startTime} is not a number of seconds above 0`);
  }
  if (!isNumber(time, startTime)) {
    throw new InputError(
      `${field}.time: ${time} is not a number of seconds from startTime (${startTime}) on`,
    );
  }
  for (const [name, value] of Object.entries({ nu, nuSigma, offNu, offNuSigma })) {
    if (!isNumber(value, 0)) throw new InputError(`${field}.${name}: ${value} is not a number of at least 0`);
  }
  if (typeof compensated !== 'boolean')
    throw new InputError(`${field}.compensated: ${compensated} is not true or false`);
}
