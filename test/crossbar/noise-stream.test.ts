import { describe, expect, it } from 'vitest';
import { noiseStream } from '../../src/crossbar/noise-stream';
import { randomStream } from '../../src/tensor/random';

/** Probability that a standard normal number lies within `x`, by adding up its density. */
function within(x: number): number {
  const steps = 4000;
  let sum = 0;
  for (let i = 0; i < steps; i++) sum += Math.exp(-0.5 * (((i + 0.5) / steps) * x) ** 2);
  return (2 * sum * x) / steps / Math.sqrt(2 * Math.PI);
}

describe('noiseStream', () => {
  const count = 1_000_000;
  const stream = noiseStream(1, 'noise');
  const draws = Float64Array.from({ length: count }, () => stream.normal());

  it('is normal: the moments', () => {
    const moment = (power: number) => draws.reduce((sum, x) => sum + x ** power, 0) / count;
    expect(Math.abs(moment(1))).toBeLessThan(4 / Math.sqrt(count));
    expect(Math.abs(moment(2) - 1)).toBeLessThan((4 * Math.sqrt(2)) / Math.sqrt(count));
    expect(Math.abs(moment(3))).toBeLessThan((4 * Math.sqrt(15)) / Math.sqrt(count));
    expect(Math.abs(moment(4) - 3)).toBeLessThan((4 * Math.sqrt(96)) / Math.sqrt(count));
  });

  it('is normal: the share within each distance, into the tail', () => {
    for (const x of [0.05, 0.25, 0.5, 1, 1.5, 2, 2.5, 3, 3.4, 3.5, 4]) {
      const share = within(x);
      let inside = 0;
      for (const draw of draws) if (Math.abs(draw) < x) inside++;
      expect(Math.abs(inside / count - share), `${x}`).toBeLessThan(
        4.5 * Math.sqrt((share * (1 - share)) / count) + 1e-6,
      );
    }
  });

  it('gives the same for the same seed and name, and its other draws are those of the plain stream', () => {
    const again = noiseStream(1, 'noise');
    for (let i = 0; i < 10; i++) expect(again.normal()).toBe(draws[i]);
    expect(noiseStream(2, 'a').uint32()).toBe(randomStream(2, 'a').uint32());
  });
});
