import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addMagnitudes,
  countMagnitudes,
  emptyHistogram,
  largestMagnitude,
} from '../../src/quantization/magnitude-histogram';
import { dispose, liveTensors, upload } from '../../src/tensor/engine';
import { normals } from '../tensor/values';

/** By the engine and by plain TypeScript. */
function bothHistograms(values: Float32Array) {
  const x = upload(values, [values.length]);
  const largest = largestMagnitude(x);
  const [engine, plain] = [emptyHistogram(largest), emptyHistogram(largest)];
  addMagnitudes(engine, x);
  countMagnitudes(plain, values);
  dispose(x);
  return { engine, plain };
}

describe('addMagnitudes', () => {
  it('counts in the engine what plain TypeScript counts, number for number', () => {
    const numbers = fc.float32Array({ minLength: 1, maxLength: 300, noNaN: true, min: -4, max: 4 });
    fc.assert(
      fc.property(numbers, (drawn) => {
        // The engine takes subnormal numbers for 0.
        const values = drawn.map((value) => (Math.abs(value) < 1e-37 ? 0 : value));
        const { engine, plain } = bothHistograms(values);
        expect(engine.largest).toBe(values.reduce((most, value) => Math.max(most, Math.abs(value)), 0));
        expect(engine.bins).toEqual(plain.bins);
      }),
    );
  });

  it('counts every number once, and leaves no tensor behind', () => {
    const values = normals(100_000, 'magnitudes').map((value) => Math.max(0, value));
    bothHistograms(values);
    const before = liveTensors();
    const { engine, plain } = bothHistograms(values);
    expect(engine.bins).toEqual(plain.bins);
    expect(engine.bins.reduce((sum, count) => sum + count)).toBe(values.length);
    expect(liveTensors()).toBe(before);
  });

  it('counts nothing where all are zero', () => {
    expect(bothHistograms(new Float32Array(5)).engine.bins.every((count) => count === 0)).toBe(true);
  });
});
