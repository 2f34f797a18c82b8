import type { PlaneEncoding } from '../bitplanes/plane-encoding';
import { InputError } from '../errors';

/**
 * Where the polarities of an encoding are subtracted: `digital`, after a conversion of each; or `analog`, before one
 * signed conversion of the difference.
 */
export type Subtraction = 'digital' | 'analog';

/** One conversion of a tile's output channel: the sum of slot `plus` less that of slot `minus` (-1: none). */
export interface Readout {
  /** polarity * planes + plane, as in PlaneEncoding. */
  readonly plus: number;
  readonly minus: number;
  /** What the converted sum counts for. */
  readonly weight: number;
}

/** The conversions that one input pulse costs for each tile and output channel. */
export function readouts(encoding: PlaneEncoding, subtraction: Subtraction = 'digital'): readonly Readout[] {
  const { planes, polarities, weights } = encoding;
  if (subtraction === 'digital') {
    return Array.from(weights, (weight, plus) => ({ plus, minus: -1, weight }));
  }
  if (subtraction !== 'analog') {
    throw new InputError(`subtraction: "${subtraction}" is unknown; digital or analog is needed`);
  }
  if (polarities !== 2) {
    throw new InputError(`subtraction: analog needs an encoding with two polarities, not ${encoding.name}`);
  }
  return Array.from({ length: planes }, (_, plane) => ({
    plus: plane,
    minus: planes + plane,
    weight: weights[plane],
  }));
}
