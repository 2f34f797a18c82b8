import type { Converter } from './build-converter';

/** A converter's transition levels as four-column conversion wants them. */
export interface LaneLevels {
  /** A sum of 32-bit floats reaches a level where it is at least this; infinite ones at both ends. [levels + 2] */
  readonly levels: Float32Array;
  /** The same of the converter's limits. */
  readonly limits: readonly [below: number, above: number];
  /** Whether floor(slope * sum / step + shift) is at most one level off for every sum. */
  readonly close: boolean;
}

const kept = new WeakMap<Converter, LaneLevels>();

/** Worked out once for each converter. */
export function laneLevels(converter: Converter): LaneLevels {
  let made = kept.get(converter);
  if (!made) {
    made = workOut(converter);
    kept.set(converter, made);
  }
  return made;
}

function workOut({ levels, limits, guess, adc }: Converter): LaneLevels {
  const step = adc.step ?? 1;
  const padded = new Float32Array(levels.length + 2);
  padded[0] = -Infinity;
  padded[levels.length + 1] = Infinity;
  let close = true;
  for (let i = 0; i < levels.length; i++) {
    padded[i + 1] = firstSum(levels[i], step);
    // The index is i + 1 from here on. A hundredth leaves room for the rounding of 32-bit floats.
    const guessed = (guess.slope * padded[i + 1]) / step + guess.shift;
    close &&= guessed > i + 0.01 && guessed < i + 1.99;
  }
  return { levels: padded, limits: [firstSum(limits[0], step), firstSum(limits[1], step)], close };
}

const float = new Float32Array(1);
const bits = new Int32Array(float.buffer);

/** The least 32-bit float whose quotient by the step, in 64 bits as the converter has it, reaches the level. */
function firstSum(level: number, step: number): number {
  let sum = Math.fround(level * step);
  while (sum / step >= level) sum = neighbour(sum, -1);
  while (sum / step < level) sum = neighbour(sum, 1);
  return sum;
}

function neighbour(value: number, direction: 1 | -1): number {
  if (value === 0) return direction * 2 ** -149;
  float[0] = value;
  bits[0] += value > 0 ? direction : -direction;
  return float[0] + 0; // + 0 makes a negative zero an ordinary one
}
