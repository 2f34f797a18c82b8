import type { RandomStream } from '../tensor/random';
import type { DeviceModel, Variation } from './device-model';

/** Value of an off cell in units of one cell level, `maxDigit` levels to a fully on cell: its share of the on current. */
export function offValue(device: DeviceModel | undefined, maxDigit: number): number {
  return maxDigit / ((device?.onOffRatio ?? Infinity) - 1);
}

/**
 * Programs cells and lets them drift: the value of each, in units of one cell level (the conductance between two digits), so an
 * ideal cell's value is its digit. A cell's conductance is off + digit / maxDigit * (on - off). With off state `cancelled` the
 * nominal off conductance is taken off; otherwise it is in the value.
 *
 * @param digits what each cell shall hold, 0..maxDigit
 * @param maxDigit 2^cellBits - 1
 */
export function programCells(
  digits: Uint8Array,
  device: DeviceModel | undefined,
  stream: RandomStream,
  maxDigit = 1,
): Float32Array {
  if (device === undefined) return Float32Array.from(digits);
  const off = offValue(device, maxDigit);
  const on = maxDigit + off;
  const { stuckOff = 0, stuckOn = 0, programming, levels } = device;
  const taken = (device.offState ?? 'cancelled') === 'cancelled' ? off : 0;
  const drifts = drift(device, maxDigit);
  const values = new Float32Array(digits.length);
  for (let i = 0; i < digits.length; i++) {
    // The same three draws for every cell, so that switching one effect on does not change what another draws.
    const fate = stream.uniform();
    const spread = stream.normal();
    const exponent = stream.normal();
    let digit = digits[i];
    if (fate < stuckOff) digit = 0;
    else if (fate >= 1 - stuckOn) digit = maxDigit;
    else if (levels !== undefined) {
      digit = (Math.round((digit / maxDigit) * (levels - 1)) / (levels - 1)) * maxDigit;
    }
    const value = varied(off + digit, on, programming, spread);
    values[i] = value * drifts(digit, exponent) - taken;
  }
  return values;
}

/** Variance of one read of each cell whose values `programCells` gave, in units of one cell level squared. */
export function readVariances(
  values: Float32Array,
  device: DeviceModel | undefined,
  maxDigit = 1,
): Float32Array | undefined {
  const noise = device?.readNoise;
  if (noise === undefined) return undefined;
  const off = offValue(device, maxDigit);
  const taken = (device?.offState ?? 'cancelled') === 'cancelled' ? off : 0;
  return values.map((value) => sigma(noise, Math.max(0, value + taken), maxDigit + off) ** 2);
}

function varied(value: number, on: number, variation: Variation | undefined, normal: number): number {
  if (variation === undefined) return value;
  if (variation.kind === 'lognormal') return value * Math.exp(variation.sigma * normal);
  return Math.max(0, value + sigma(variation, value, on) * normal);
}

function sigma(variation: Variation, value: number, on: number): number {
  switch (variation.kind) {
    case 'absolute':
      return variation.sigma * on;
    case 'polynomial': {
      let sum = 0;
      for (let i = variation.coefficients.length - 1; i >= 0; i--) {
        sum = sum * (value / on) + variation.coefficients[i];
      }
      return Math.max(0, sum) * on;
    }
    default:
      return variation.sigma * value;
  }
}

/** The factor by which a cell of this digit has drifted. */
function drift(device: DeviceModel, maxDigit: number): (digit: number, normal: number) => number {
  if (device.drift === undefined) return () => 1;
  const { time, startTime, nu, nuSigma = 0, offNu = nu, offNuSigma = nuSigma, compensated } = device.drift;
  const ratio = time / startTime;
  const back = compensated ? ratio ** nu : 1;
  return (digit, normal) => {
    const on = digit / maxDigit;
    const mean = offNu + on * (nu - offNu);
    const spread = offNuSigma + on * (nuSigma - offNuSigma);
    return back * ratio ** -Math.max(0, mean + spread * normal);
  };
}
