import { checkNumber, checkWhole } from '../../check-number';
import { InputError } from '../../errors';

/** An input DAC as measured or modelled. One step is the full scale over the highest code. */
export interface DacSettings {
  /** Resolution of the DAC itself, 1..10; a pulse uses some of its codes. Default 8: assumed. */
  readonly bits?: number;
  /**
   * How compressive the modelled curve is, 0..10: with u the code over the highest, it gives (1 + c) u / (1 + c u), so the
   * slope at zero is 1 + c and the end point stays. 0: straight. Default 0.2 (at most 4.6 % of full scale off): assumed.
   */
  readonly compression?: number;
  /** Measured output at each code, steps, the first 0, never falling; takes the place of the modelled curve. [2^bits] */
  readonly measured?: readonly number[];
  /** Noise of a pulse that is not zero, steps rms, 0..10. Default 0.5: assumed. */
  readonly noise?: number;
}

export const dacDefaults = { bits: 8, compression: 0.2, noise: 0.5 } as const;

/** Output of the DAC at each code, steps: code itself for a straight one. */
export function dacCurve(settings: DacSettings = {}): Float64Array {
  const bits = checkWhole('dac.bits', settings.bits ?? dacDefaults.bits, 1, 10);
  const compression = checkNumber('dac.compression', settings.compression ?? dacDefaults.compression, 0, 10);
  checkNumber('dac.noise', settings.noise ?? dacDefaults.noise, 0, 10);
  const highest = 2 ** bits - 1;
  const { measured } = settings;
  if (!measured) {
    return Float64Array.from({ length: highest + 1 }, (_, code) => {
      return (code * (1 + compression)) / (1 + (compression * code) / highest);
    });
  }
  if (measured.length !== highest + 1 || measured[0] !== 0) {
    throw new InputError(`dac.measured: ${highest + 1} values are needed for ${bits} bits, the first 0`);
  }
  for (let code = 1; code <= highest; code++) {
    if (!(measured[code] >= measured[code - 1] && measured[code] < Infinity)) {
      throw new InputError(`dac.measured: ${measured[code]} at code ${code} is below the value before it`);
    }
  }
  if (measured[highest] === 0) throw new InputError('dac.measured: all values are 0');
  return Float64Array.from(measured);
}
