import { describe, expect, it } from 'vitest';
import { randomStream } from '../../src/tensor/random';

const draw = (seed: number, name: string, count = 5) => {
  const stream = randomStream(seed, name);
  return Array.from({ length: count }, () => stream.uint32());
};

describe('randomStream', () => {
  it('gives the same numbers for the same seed and name, on every machine', () => {
    expect(draw(1, 'weights')).toEqual(draw(1, 'weights'));
    expect(draw(1, 'weights', 3)).toMatchInlineSnapshot(`
      [
        2447387126,
        3684771901,
        3036885717,
      ]
    `);
  });

  it('gives other numbers for another seed or another name', () => {
    const first = draw(1, 'weights');
    for (const other of [draw(2, 'weights'), draw(1, 'weight'), draw(-1, 'weights'), draw(1, '')])
      expect(other).not.toEqual(first);
    expect(randomStream(1, '1x').uint32()).not.toBe(randomStream(11, 'x').uint32());
  });

  it('is not moved by what is drawn from streams of other names', () => {
    const alone = randomStream(3, 'a');
    const expected = Array.from({ length: 10 }, () => alone.uniform());
    const a = randomStream(3, 'a');
    const b = randomStream(3, 'b');
    const mixed = Array.from({ length: 10 }, () => {
      b.normal();
      b.permutation(5);
      return a.uniform();
    });
    expect(mixed).toEqual(expected);
  });

  it('is uniform, also in its lowest bits, and uncorrelated between names', () => {
    const count = 64_000;
    const stream = randomStream(4, 'uniform');
    const other = randomStream(4, 'uniforn');
    const high = new Float64Array(64);
    const low = new Float64Array(64);
    let product = 0;
    for (let i = 0; i < count; i++) {
      const word = stream.uint32();
      high[word >>> 26]++;
      low[word & 63]++;
      product += (word / 2 ** 32 - 0.5) * (other.uniform() - 0.5);
    }
    for (const counts of [high, low]) {
      const chiSquared = counts.reduce((sum, n) => sum + (n - 1000) ** 2 / 1000, 0);
      // 63 degrees of freedom: 99.9 % lie below 103.4.
      expect(chiSquared).toBeLessThan(103.4);
      expect(chiSquared).toBeGreaterThan(30);
    }
    // Deviation of the mean product: 1/12 / sqrt(count).
    expect(Math.abs(product / count)).toBeLessThan((4 * (1 / 12)) / Math.sqrt(count));
  });

  it('draws normals of mean 0, deviation 1 and Gaussian tails', () => {
    const stream = randomStream(5, 'normal');
    const values = Float64Array.from({ length: 50_000 }, () => stream.normal());
    const mean = values.reduce((a, b) => a + b) / values.length;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
    expect(Math.abs(mean)).toBeLessThan(0.02);
    expect(variance).toBeCloseTo(1, 1);
    const beyond = values.filter((value) => Math.abs(value) > 1.96).length / values.length;
    expect(beyond).toBeCloseTo(0.05, 2);
    expect(values.every(Number.isFinite)).toBe(true);
  });

  it('draws integers of 0..n-1, all of them', () => {
    const stream = randomStream(6, 'integers');
    const seen = new Set(Array.from({ length: 500 }, () => stream.integer(7)));
    expect([...seen].sort()).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(stream.integer(1)).toBe(0);
  });

  it('permutes 0..n-1, every place equally likely', () => {
    const stream = randomStream(7, 'permutation');
    const counts = new Float64Array(25);
    for (let i = 0; i < 5000; i++) {
      const order = stream.permutation(5);
      order.forEach((value, place) => {
        counts[value * 5 + place]++;
      });
    }
    expect([...stream.permutation(5)].sort()).toEqual([0, 1, 2, 3, 4]);
    for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(130);
    expect(stream.permutation(0)).toHaveLength(0);
  });
});
