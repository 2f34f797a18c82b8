import { describe, expect, it } from 'vitest';
import { type LayerAdmmProblem, type LayerAdmmResult, layerAdmm } from '../../src/admm/layer-admm';
import { randomPositions, samplePatches } from '../../src/admm/patch-samples';
import { type PatchSamples, type SecondMoments, secondMoments } from '../../src/admm/second-moments';
import { certifyLayer } from '../../src/bitplanes/certify-layer';
import { inputPatches } from '../../src/crossbar/patches';
import type { ConvNode } from '../../src/networks/description';
import { tuneScales } from '../../src/projections/tune-scales';
import { liveTensors } from '../../src/tensor/engine';
import { randomStream } from '../../src/tensor/random';
import { normals } from '../tensor/values';

const ROWS = 40;
const COLUMNS = 8;

/** Non-negative patches whose neighbours go together, as those of pictures do. */
function correlated(count: number, name: string, dead: readonly number[] = []): PatchSamples {
  const stream = randomStream(1, name);
  const values = new Float32Array(count * ROWS);
  for (let i = 0; i < count; i++) {
    let level = stream.normal();
    for (let row = 0; row < ROWS; row++) {
      level = 0.9 * level + 0.4 * stream.normal();
      values[i * ROWS + row] = dead.includes(row) ? 0 : Math.max(0, 0.5 + level);
    }
  }
  return { values, count, rows: ROWS };
}

const samples = correlated(400, 'patches');
const weights = normals(ROWS * COLUMNS, 'weights').map((value) => 0.05 * value);
const base: LayerAdmmProblem = {
  weights,
  columns: COLUMNS,
  moments: secondMoments(samples, samples),
  tileRows: 16,
  weightBits: 8,
  bitLimit: 3,
  iterations: 20,
};

/** tr((V - W)' H (V - W)) relative to tr(W' H W), with V = codes * scales. */
function hessianError(
  { hessian }: SecondMoments,
  { codes, scales }: Pick<LayerAdmmResult, 'codes' | 'scales'>,
  w = weights,
) {
  const quadratic = (value: (at: number) => number) => {
    let sum = 0;
    for (let n = 0; n < COLUMNS; n++)
      for (let i = 0; i < ROWS; i++)
        for (let j = 0; j < ROWS; j++)
          sum += value(i * COLUMNS + n) * hessian[i * ROWS + j] * value(j * COLUMNS + n);
    return sum;
  };
  return quadratic((at) => codes[at] * scales[at % COLUMNS] - w[at]) / quadratic((at) => w[at]);
}

const holds = (problem: LayerAdmmProblem, codes: Int8Array) =>
  certifyLayer({ ...problem, rows: ROWS, codes, adcBits: undefined }).holds;

describe('secondMoments', () => {
  it('are the covariances and means that plain loops give', () => {
    const own = { values: normals(50 * 3, 'own').map((v) => v + 2), count: 50, rows: 3 };
    const other = { values: own.values.map((v, i) => 2 * v + (i % 3)), count: 50, rows: 3 };
    const { hessian, cross, mean, referenceMean } = secondMoments(own, other);
    const meanOf = ({ values }: PatchSamples, row: number) =>
      values.filter((_, i) => i % 3 === row).reduce((a, b) => a + b) / 50;
    const covariance = (a: PatchSamples, i: number, b: PatchSamples, j: number) => {
      let sum = 0;
      for (let s = 0; s < 50; s++)
        sum += (a.values[3 * s + i] - meanOf(a, i)) * (b.values[3 * s + j] - meanOf(b, j));
      return sum / 50;
    };
    for (let i = 0; i < 3; i++) {
      expect(mean[i]).toBeCloseTo(meanOf(own, i), 5);
      expect(referenceMean[i]).toBeCloseTo(meanOf(other, i), 5);
      for (let j = 0; j < 3; j++) {
        expect(hessian[3 * i + j]).toBeCloseTo(covariance(own, i, own, j), 4);
        expect(cross[3 * i + j]).toBeCloseTo(covariance(own, i, other, j), 4);
      }
    }
  });
});

describe('samplePatches', () => {
  const node: ConvNode = {
    op: 'conv',
    name: 'conv',
    input: 'x',
    inChannels: 3,
    outChannels: 1,
    kernel: 3,
    stride: 2,
    padding: 1,
    groups: 1,
    bias: false,
  };
  const codes = Uint8Array.from({ length: 2 * 6 * 5 * 3 }, (_, i) => 1 + (i % 250));
  const shape = [2, 6, 5, 3];

  it('takes, at all positions, the patches of the crossbar in its order', () => {
    const places = randomPositions(node, shape, 1000, randomStream(1, 'places'));
    const { values, count, rows } = samplePatches(
      node,
      Float32Array.from(codes),
      shape,
      places,
      (value) => value,
    );
    const { inputs, vectors } = inputPatches(codes, { count: 2, height: 6, width: 5, channels: 3 }, node);
    expect([count, rows]).toEqual([vectors, 27]);
    expect(values).toEqual(Float32Array.from(inputs));
  });

  it('draws positions at random, none twice, and maps what lies inside the picture alone', () => {
    const places = randomPositions(node, shape, 7, randomStream(1, 'places'));
    expect(places.count).toBe(7);
    const drawn = Array.from({ length: 7 }, (_, i) => places.places.slice(3 * i, 3 * i + 3));
    expect(new Set(drawn.map(String)).size).toBe(7);
    for (const [picture, row, column] of drawn) {
      expect(picture).toBeLessThan(2);
      expect(row).toBeLessThan(3);
      expect(column).toBeLessThan(3);
    }
    const { values } = samplePatches(node, Float32Array.from(codes), shape, places, (_, c) => 10 + c);
    expect(new Set(values)).toEqual(new Set([0, 10, 11, 12]));
  });
});

describe('layerAdmm', () => {
  it.each([
    ['3 ones a column', {}],
    ['1 one a column', { bitLimit: 1 }],
    ['2 values a tile', { valueLimit: 2 }],
    ['4-bit weights', { weightBits: 4 }],
    ['one tile that is larger than the layer', { tileRows: 128, bitLimit: 7 }],
  ])('keeps the limits and beats greedy projection in the metric of the Hessian: %s', (_, change) => {
    const problem = { ...base, ...change };
    const before = liveTensors();
    const result = layerAdmm(problem);
    expect(liveTensors() - before).toBeLessThanOrEqual(8);
    expect(holds(problem, result.codes)).toBe(true);
    const greedy = tuneScales({ ...problem, rows: ROWS, method: 'greedy' });
    const error = hessianError(problem.moments, result);
    expect(error).toBeLessThan(0.8 * hessianError(problem.moments, greedy));
    expect(result.residuals.length).toBeGreaterThan(0);
    expect(result.residuals.length).toBeLessThanOrEqual(20);
    expect(layerAdmm(problem)).toEqual(result);
  });

  it('loses nothing but rounding where no limit binds', () => {
    const result = layerAdmm({ ...base, bitLimit: 64 });
    expect(hessianError(base.moments, result)).toBeLessThan(1e-3);
  });

  it('gives a channel of zeros codes of zero and a usable scale', () => {
    const some = weights.map((value, at) => (at % COLUMNS === 2 ? 0 : value));
    const { codes, scales, relativeError } = layerAdmm({ ...base, weights: some });
    expect(codes.every((code, at) => at % COLUMNS !== 2 || code === 0)).toBe(true);
    expect(scales.every((scale) => scale > 0 && Number.isFinite(scale))).toBe(true);
    expect(relativeError).toBeLessThan(0.2);
    const none = layerAdmm({ ...base, weights: new Float32Array(weights.length) });
    expect(none.codes.every((code) => code === 0)).toBe(true);
    expect(none.relativeError).toBe(0);
  });

  it('takes inputs that never vary, even all of them', () => {
    for (const dead of [[0, 5, 39], Array.from({ length: ROWS }, (_, row) => row)]) {
      const x = correlated(100, 'dead', dead);
      const problem = { ...base, moments: secondMoments(x, x) };
      const { codes, scales, relativeError } = layerAdmm(problem);
      expect(holds(problem, codes)).toBe(true);
      expect(scales.every((scale) => scale > 0 && Number.isFinite(scale))).toBe(true);
      expect(relativeError).toBeLessThan(0.5);
    }
  });

  it('takes fewer samples than inputs', () => {
    const x = correlated(5, 'few');
    const problem = { ...base, moments: secondMoments(x, x) };
    const result = layerAdmm(problem);
    expect(holds(problem, result.codes)).toBe(true);
    expect(hessianError(problem.moments, result)).toBeLessThan(0.1);
  });

  it('makes good the errors of the layers above: it fits the reference outputs from the inputs it gets', () => {
    const damaged = {
      ...samples,
      values: samples.values.map((value, i) => (i % 2 === 0 ? 0.5 * value : value)),
    };
    const moments = secondMoments(damaged, samples);
    const result = layerAdmm({ ...base, moments, bitLimit: 64 });
    const outputError = (w: (at: number) => number) => {
      let sum = 0;
      for (let s = 0; s < samples.count; s++)
        for (let n = 0; n < COLUMNS; n++) {
          let gap = 0;
          for (let row = 0; row < ROWS; row++) {
            const at = row * COLUMNS + n;
            gap +=
              (damaged.values[s * ROWS + row] - moments.mean[row]) * w(at) -
              (samples.values[s * ROWS + row] - moments.referenceMean[row]) * weights[at];
          }
          sum += gap * gap;
        }
      return sum;
    };
    const fitted = outputError((at) => result.codes[at] * result.scales[at % COLUMNS]);
    expect(fitted).toBeLessThan(0.1 * outputError((at) => weights[at]));
  });
});
