import { describe, expect, it } from 'vitest';
import { certifyLayer } from '../../src/bitplanes/certify-layer';
import { InputError } from '../../src/errors';
import { projectColumn } from '../../src/projections/project-column';
import { projectLayer } from '../../src/projections/project-layer';
import { refitScales, tuneScales } from '../../src/projections/tune-scales';
import { maxAbsScales } from '../../src/quantization/weight-codes';
import { randomStream } from '../../src/tensor/random';

function laplaceLayer(rows: number, columns: number, seed = 1): Float32Array {
  const stream = randomStream(seed, 'laplace layer');
  return Float32Array.from({ length: rows * columns }, () => {
    const u = stream.uniform() - 0.5;
    return -Math.sign(u) * Math.log(1 - 2 * Math.abs(u)) * 0.05;
  });
}

const energy = (weights: Float32Array) => weights.reduce((sum, weight) => sum + weight * weight, 0);

describe('projectLayer', () => {
  const shape = { rows: 150, columns: 6, tileRows: 64, weightBits: 8, bitLimit: 7 };
  const targets = laplaceLayer(150, 6);
  const scales = Float32Array.from({ length: 6 }, (_, column) => 0.002 * (1 + column / 6));
  const curvature = Float64Array.from({ length: 150 }, (_, row) => 1 + (row % 5));

  it('projects every row tile and channel as projectColumn does', () => {
    const layer = projectLayer({
      ...shape,
      targets,
      scales,
      curvature,
      method: 'lagrangian',
      valueLimit: 30,
    });
    let objective = 0;
    for (let tile = 0; tile < 3; tile++) {
      const rows = Array.from({ length: Math.min(64, 150 - tile * 64) }, (_, i) => tile * 64 + i);
      for (let column = 0; column < 6; column++) {
        const alone = projectColumn({
          targets: Float64Array.from(rows, (row) => targets[row * 6 + column] / scales[column]),
          curvature: Float64Array.from(rows, (row) => curvature[row]),
          weightBits: 8,
          bitLimit: 7,
          valueLimit: 30,
          method: 'lagrangian',
        });
        expect(rows.map((row) => layer.codes[row * 6 + column])).toEqual([...alone.codes]);
        expect(layer.gaps[tile * 6 + column]).toBe(alone.gap);
        objective += alone.objective * scales[column] ** 2;
      }
    }
    expect(layer.objective).toBeCloseTo(objective, 12);
    expect(layer.lowerBound).toBeLessThanOrEqual(layer.objective);
    expect(certifyLayer({ ...shape, codes: layer.codes, valueLimit: 30 }).holds).toBe(true);
  });

  it('never gets worse from its own state, and takes codes alone too', () => {
    const first = projectLayer({ ...shape, targets, scales, method: 'lagrangian' });
    const again = projectLayer({ ...shape, targets, scales, method: 'lagrangian', state: first.state });
    expect(again.objective).toBeLessThanOrEqual(first.objective * (1 + 1e-12));
    const cold = projectLayer({
      ...shape,
      targets,
      scales,
      method: 'lagrangian',
      state: { codes: first.codes },
    });
    expect(cold.objective).toBeLessThanOrEqual(first.objective * (1 + 1e-12));
  });

  it('gives the same codes when weights and scales grow alike', () => {
    const first = projectLayer({ ...shape, targets, scales, method: 'lagrangian' });
    const grown = { targets: targets.map((w) => 4 * w), scales: scales.map((s) => 4 * s) };
    const second = projectLayer({ ...shape, ...grown, method: 'lagrangian' });
    expect(second.codes).toEqual(first.codes);
    expect(second.objective).toBeCloseTo(16 * first.objective, 10);
  });

  it('takes a channel of zeros with scale 0', () => {
    const withZeros = targets.map((weight, i) => (i % 6 === 2 ? 0 : weight));
    const withZeroScale = scales.map((scale, column) => (column === 2 ? 0 : scale));
    const layer = projectLayer({ ...shape, targets: withZeros, scales: withZeroScale, method: 'greedy' });
    expect(layer.codes.filter((code, i) => i % 6 === 2 && code !== 0)).toHaveLength(0);
  });

  it('reports how far it is', () => {
    const seen: number[] = [];
    projectLayer({ ...shape, targets, scales, method: 'greedy', onProgress: ({ done }) => seen.push(done) });
    expect(seen).toEqual([1, 2, 3]);
  });

  it.each([
    ['an empty layer', { rows: 0, targets: new Float32Array(0) }, /rows: 0/],
    ['a wrong length', { rows: 151 }, /holds 900 weights/],
    ['scales for other columns', { scales: new Float32Array(5) }, /5 numbers for 6 columns/],
    ['a NaN scale', { scales: new Float32Array(6).fill(Number.NaN) }, /scale of column 0 is NaN/],
    ['scale 0 with weights', { scales: new Float32Array(6) }, /scale of column 0 is 0/],
    [
      'a NaN weight',
      { targets: targets.map((w, i) => (i === 9 ? Number.NaN : w)) },
      /row 1, column 3 is NaN/,
    ],
    ['curvature of another length', { curvature: new Float64Array(6).fill(1) }, /6 numbers for 150 rows/],
    ['a foreign state', { state: { codes: new Int8Array(3) } }, /state:/],
  ])('refuses %s in one line', (_, wrong, message) => {
    const call = () => projectLayer({ ...shape, targets, scales, method: 'greedy', ...wrong });
    expect(call).toThrow(InputError);
    expect(call).toThrow(message);
  });
});

describe('tuneScales', () => {
  // method.md section 4, relative energy lost by Laplace columns: 33 % and 10 % at R = 128, 15 % at R = 64.
  it.each([
    [128, 3, 0.27, 0.35],
    [128, 7, 0.085, 0.12],
    [64, 3, 0.125, 0.17],
  ])(
    'loses at R = %i, k = %i between %f and %f of the energy of Laplace columns',
    (tileRows, bitLimit, low, high) => {
      const weights = laplaceLayer(128, 12);
      const shape = { rows: 128, columns: 12, tileRows, weightBits: 8, bitLimit };
      const tuned = tuneScales({ ...shape, weights });
      const lost = tuned.objective / energy(weights);
      expect(lost).toBeGreaterThan(low);
      expect(lost).toBeLessThan(high);
      expect(certifyLayer({ ...shape, codes: tuned.codes }).holds).toBe(true);
      const largest = weights.reduce((max, weight) => Math.max(max, Math.abs(weight)), 0);
      const plain = new Float32Array(12).fill(largest / 127);
      const untuned = projectLayer({ ...shape, targets: weights, scales: plain, method: 'lagrangian' });
      expect(tuned.objective).toBeLessThan(untuned.objective);
    },
  );

  it('finds the same codes for weights in other units', () => {
    const weights = laplaceLayer(64, 3);
    const shape = { rows: 64, columns: 3, tileRows: 64, weightBits: 8, bitLimit: 7 };
    const first = tuneScales({ ...shape, weights });
    const second = tuneScales({ ...shape, weights: weights.map((weight) => 8 * weight) });
    expect(second.codes).toEqual(first.codes);
    expect([...second.scales]).toEqual([...first.scales].map((scale) => 8 * scale));
  });

  it.each([0, 1e-45, 1e-44, 1e-40])('gives a channel of weights %d scale 1 and no ones', (weight) => {
    const weights = new Float32Array(8).fill(weight);
    const tuned = tuneScales({ weights, rows: 8, columns: 1, tileRows: 8, weightBits: 8, bitLimit: 3 });
    expect(tuned.scales).toEqual(maxAbsScales(weights, 8, 1, 8));
    expect([tuned.scales[0], ...tuned.codes]).toEqual([1, ...new Int8Array(8)]);
  });

  it('refuses no candidates and NaN weights', () => {
    const base = { rows: 2, columns: 1, tileRows: 2, weightBits: 8, bitLimit: 3 };
    expect(() => tuneScales({ ...base, weights: Float32Array.of(1, 2), candidates: 0 })).toThrow(InputError);
    expect(() => tuneScales({ ...base, weights: Float32Array.of(1, Number.NaN) })).toThrow(
      /row 1, column 0 is NaN/,
    );
  });
});

describe('refitScales', () => {
  it('leaves no better scale for the codes', () => {
    const weights = laplaceLayer(40, 2);
    const codes = Int8Array.from(weights, (weight) => Math.round(weight / 0.01));
    const curvature = Float64Array.from({ length: 40 }, (_, row) => 1 + row);
    const fallback = new Float32Array(2).fill(1);
    const { scales, errors } = refitScales({ weights, codes, rows: 40, columns: 2, curvature, fallback });
    expect(() => refitScales({ weights, codes, rows: 41, columns: 2, curvature, fallback })).toThrow(
      /weights: 80 numbers, needed are 82/,
    );
    const error = (column: number, scale: number) =>
      curvature.reduce(
        (sum, d, row) => sum + d * (weights[row * 2 + column] - scale * codes[row * 2 + column]) ** 2,
        0,
      );
    for (const column of [0, 1]) {
      expect(error(column, scales[column])).toBeCloseTo(errors[column], 8);
      expect(error(column, scales[column] * 1.01)).toBeGreaterThan(errors[column]);
      expect(error(column, scales[column] * 0.99)).toBeGreaterThan(errors[column]);
    }
  });
});
