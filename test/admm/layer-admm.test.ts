import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type LayerAdmmProblem, type LayerAdmmResult, layerAdmm } from '../../src/admm/layer-admm';
import { rectifiedMoments } from '../../src/admm/rectified-targets';
import { createRidgeSolver } from '../../src/admm/ridge-solver';
import { createMomentAccumulator, type SecondMoments } from '../../src/admm/second-moments';
import { shrinkageRidge } from '../../src/admm/shrinkage';
import { certifyLayer } from '../../src/bitplanes/certify-layer';
import { InputError } from '../../src/errors';
import { projectLayer } from '../../src/projections/project-layer';
import { tuneScales } from '../../src/projections/tune-scales';
import { liveTensors } from '../../src/tensor/engine';
import { randomStream } from '../../src/tensor/random';
import { normals } from '../tensor/values';

const ROWS = 40;
const COLUMNS = 8;

/** Row-major [count, rows]. */
interface Samples {
  readonly values: Float32Array;
  readonly count: number;
  readonly rows: number;
}

/** Non-negative patches whose neighbours go together, as those of pictures do. */
function correlated(count: number, name: string, dead: readonly number[] = []): Samples {
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

/** Mean of column `at` of [samples, width]. */
const meanOf = (values: Float32Array, width: number, at: number) => {
  let sum = 0;
  for (let i = at; i < values.length; i += width) sum += values[i];
  return (sum * width) / values.length;
};

/** Outputs of samples through `w`. */
function outputsOf({ values, count }: Samples, w: Float32Array = weights): Float32Array {
  const outputs = new Float32Array(count * COLUMNS);
  for (let i = 0; i < count; i++)
    for (let row = 0; row < ROWS; row++)
      for (let n = 0; n < COLUMNS; n++)
        outputs[i * COLUMNS + n] += values[i * ROWS + row] * w[row * COLUMNS + n];
  return outputs;
}

/** Moments of a layer that gets `own` and should give what `other` gives through `w`. */
function momentsOf(own: Samples, other = own, w: Float32Array = weights): SecondMoments {
  const sums = createMomentAccumulator(ROWS, COLUMNS);
  sums.add({ inputs: own.values, targets: outputsOf(other, w), count: own.count });
  return sums.finish();
}

const base: LayerAdmmProblem = {
  weights,
  moments: momentsOf(samples),
  tileRows: 16,
  weightBits: 8,
  bitLimit: 3,
  iterations: 20,
};

/** tr((V - W)' H (V - W)) relative to tr(W' H W), with V = codes * scales. */
function hessianError(
  { hessian }: SecondMoments,
  { codes, scales }: Pick<LayerAdmmResult, 'codes' | 'scales'>,
  w: Float32Array = weights,
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
  certifyLayer({ ...problem, rows: ROWS, columns: COLUMNS, codes, adcBits: undefined }).holds;

describe('createMomentAccumulator', () => {
  const rows = 3;
  const columns = 2;
  /** Far from 0, where sums of squares would lose every digit. */
  const inputs = normals(5000 * rows, 'inputs').map((value, at) => 3000 * (at % rows) + value);
  const targets = normals(5000 * columns, 'targets').map((value, at) => value + inputs[at] / 3000);
  const momentsIn = (portions: readonly number[], count = 5000) => {
    const sums = createMomentAccumulator(rows, columns);
    let from = 0;
    for (const taken of [...portions, count]) {
      const to = Math.min(count, from + taken);
      sums.add({
        inputs: inputs.subarray(from * rows, to * rows),
        targets: targets.subarray(from * columns, to * columns),
        count: to - from,
      });
      from = to;
    }
    return sums.finish();
  };

  it('gives the covariances and means that plain loops in float64 give, far from 0 too', () => {
    const covariance = (i: number, other: Float32Array, width: number, j: number) => {
      const [a, b] = [meanOf(inputs, rows, i), meanOf(other, width, j)];
      let sum = 0;
      for (let s = 0; s < 5000; s++) sum += (inputs[s * rows + i] - a) * (other[s * width + j] - b);
      return sum / 5000;
    };
    const moments = momentsIn([]);
    expect(moments.count).toBe(5000);
    for (let i = 0; i < rows; i++) {
      expect(moments.mean[i]).toBeCloseTo(meanOf(inputs, rows, i), 3);
      for (let j = 0; j < rows; j++)
        expect(moments.hessian[i * rows + j]).toBeCloseTo(covariance(i, inputs, rows, j), 3);
      for (let n = 0; n < columns; n++)
        expect(moments.cross[i * columns + n]).toBeCloseTo(covariance(i, targets, columns, n), 3);
    }
    for (let n = 0; n < columns; n++) {
      const mean = meanOf(targets, columns, n);
      expect(moments.targetMean[n]).toBeCloseTo(mean, 4);
      const own = targets.filter((_, at) => at % columns === n);
      const variance = own.reduce((sum, value) => sum + (value - mean) ** 2, 0) / own.length;
      expect(moments.targetVariance[n]).toBeCloseTo(variance, 3);
    }
  });

  it('gives the same to the bit however the samples are portioned, and frees every tensor', () => {
    const whole = momentsIn([]);
    const before = liveTensors();
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 3000 }), { maxLength: 4 }), (portions) => {
        expect(momentsIn(portions)).toEqual(whole);
      }),
      { numRuns: 20 },
    );
    expect(liveTensors()).toBe(before);
  });
});

describe('createRidgeSolver', () => {
  it('solves for one ridge after another', () => {
    const solver = createRidgeSolver(base.moments.hessian, ROWS);
    const x = normals(ROWS * 2, 'solution');
    for (const ridge of [0.5, 0.01, 2]) {
      const right = new Float32Array(ROWS * 2);
      for (let i = 0; i < ROWS; i++)
        for (let n = 0; n < 2; n++) {
          let sum = ridge * x[i * 2 + n];
          for (let j = 0; j < ROWS; j++) sum += base.moments.hessian[i * ROWS + j] * x[j * 2 + n];
          right[i * 2 + n] = sum;
        }
      solver.factorise(ridge);
      solver.solve(right, 2).forEach((value, at) => {
        expect(value).toBeCloseTo(x[at], 3);
      });
    }
    solver.dispose();
  });
});

describe('createRidgeSolver for large systems', () => {
  const rows = 1100;
  const inputs = normals(2000 * rows, 'large inputs').map((value, at, all) =>
    at % rows === 0 ? value : 0.8 * all[at - 1] + 0.6 * value,
  );
  const accumulator = createMomentAccumulator(rows, 2);
  accumulator.add({ inputs, targets: normals(2000 * 2, 'large targets'), count: 2000 });
  const { hessian } = accumulator.finish();

  it('in float32 blocks leaves a residual that float32 can hardly write, and frees every tensor', () => {
    const solver = createRidgeSolver(hessian, rows, true);
    const right = normals(rows * 3, 'large right');
    solver.factorise(1);
    solver.solve(right, 3);
    // The engine keeps the shapes that it has seen.
    const before = liveTensors();
    for (const ridge of [0.02, 0.1, 1]) {
      solver.factorise(ridge);
      const x = solver.solve(right, 3);
      for (let i = 0; i < rows; i += 37)
        for (let n = 0; n < 3; n++) {
          let sum = ridge * x[i * 3 + n];
          for (let j = 0; j < rows; j++) sum += hessian[i * rows + j] * x[j * 3 + n];
          expect(sum).toBeCloseTo(right[i * 3 + n], 3);
        }
    }
    expect(liveTensors()).toBe(before);
    solver.dispose();
    expect(liveTensors()).toBeLessThan(before);
  });

  it('goes over to float64 where float32 rounding leaves the matrix indefinite', () => {
    const before = liveTensors();
    const ones = new Float32Array(rows * rows).fill(1e4);
    const solver = createRidgeSolver(ones, rows, true);
    solver.factorise(1e-2);
    // Of the vector of ones, which the matrix takes to rows * 1e4 + ridge times itself.
    const x = solver.solve(new Float32Array(rows).fill(rows * 1e4), 1);
    for (let i = 0; i < rows; i += 100) expect(x[i]).toBeCloseTo(1, 2);
    solver.dispose();
    expect(liveTensors()).toBe(before);
  });
});

describe('shrinkageRidge', () => {
  const rows = 30;
  /** Covariance of samples, each picture `each` copies of one vector, and its shrinkage. */
  function shrinkage(pictures: number, each: number, spread = 1): number {
    const drawn = normals(pictures * rows, `pictures ${pictures}`).map(
      (value, at) => value * (at % rows === 0 ? spread : 1),
    );
    const inputs = new Float32Array(pictures * each * rows);
    for (let i = 0; i < pictures * each; i++)
      inputs.set(drawn.subarray(Math.floor(i / each) * rows, (Math.floor(i / each) + 1) * rows), i * rows);
    const accumulator = createMomentAccumulator(rows, 1);
    const count = pictures * each;
    accumulator.add({ inputs, targets: new Float32Array(count), count });
    const starts = Array.from({ length: pictures + 1 }, (_, picture) => picture * each);
    return shrinkageRidge(accumulator.finish(), { inputs: { numbers: inputs, scale: 1 }, starts });
  }

  it('asks for less the more pictures there are, and for nothing new if a picture only repeats itself', () => {
    const ridges = [20, 100, 500].map((pictures) => shrinkage(pictures, 1, 10));
    expect(ridges[0]).toBeGreaterThan(ridges[1]);
    expect(ridges[1]).toBeGreaterThan(ridges[2]);
    expect(shrinkage(100, 5, 10)).toBeCloseTo(ridges[1], 4);
  });

  it('goes halfway to the identity at most, where the true covariance is a multiple of it, and never below 1 %', () => {
    expect(shrinkage(50, 1)).toBe(1);
    expect(shrinkage(5000, 1, 1000)).toBe(0.01);
  });

  it("is Ledoit and Wolf's intensity, by the definition with all outer products written out", () => {
    const pictures = 25;
    const drawn = normals(pictures * rows, `pictures ${pictures}`).map((value, at) =>
      at % rows === 0 ? 10 * value : value,
    );
    const mean = Float64Array.from({ length: rows }, (_, i) => meanOf(drawn, rows, i));
    const outer = Array.from({ length: pictures }, (_, p) =>
      Float64Array.from(
        { length: rows * rows },
        (_, at) =>
          (drawn[p * rows + Math.floor(at / rows)] - mean[Math.floor(at / rows)]) *
          (drawn[p * rows + (at % rows)] - mean[at % rows]),
      ),
    );
    const s = Float64Array.from({ length: rows * rows }, (_, at) =>
      outer.reduce((sum, x) => sum + x[at] / pictures, 0),
    );
    const mu = Array.from({ length: rows }, (_, i) => s[i * (rows + 1)] / rows).reduce((a, b) => a + b, 0);
    const distance = s.reduce((sum, v, at) => sum + (v - (at % (rows + 1) === 0 ? mu : 0)) ** 2, 0);
    const variance =
      outer.reduce((sum, x) => sum + x.reduce((own, v, at) => own + (v - s[at]) ** 2, 0), 0) / pictures ** 2;
    const share = Math.min(0.5, variance / distance);
    expect(shrinkage(pictures, 1, 10)).toBeCloseTo(share / (1 - share), 4);
  });
});

describe('rectifiedMoments', () => {
  it('asks for no more than a ReLU shows: the distance to its targets bounds the one-sided loss and touches it', () => {
    fc.assert(
      fc.property(fc.nat(1e6), fc.boolean(), (seed, summed) => {
        const count = 40;
        const random = (length: number, name: string) => {
          const stream = randomStream(seed, name);
          return Float32Array.from({ length }, () => stream.normal());
        };
        const inputs = random(count * 2, 'inputs');
        const targets = random(count, 'targets');
        const beside = summed ? random(count, 'beside') : undefined;
        const sums = createMomentAccumulator(2, 1);
        sums.add({ inputs, targets, count });
        const moments = sums.finish();
        const bias = random(1, 'bias');
        const samples = { inputs: { numbers: inputs, scale: 1 }, targets, beside, count };
        const { cross, targetMean, targetVariance } = rectifiedMoments(
          moments,
          samples,
          Int8Array.of(3, -1),
          Float32Array.of(0.25),
          bias,
        );
        /** Squared distance to the rectified targets (from their moments), one-sided loss, squared error behind the ReLU. */
        const errors = (w: readonly number[], offset: number) => {
          const [h] = [moments.hessian];
          const variance =
            targetVariance[0] -
            2 * (w[0] * cross[0] + w[1] * cross[1]) +
            w[0] * w[0] * h[0] +
            2 * w[0] * w[1] * h[1] +
            w[1] * w[1] * h[3];
          const gap = w[0] * moments.mean[0] + w[1] * moments.mean[1] + offset - targetMean[0];
          let loss = 0;
          let behind = 0;
          for (let i = 0; i < count; i++) {
            const other = beside ? beside[i] : 0;
            const y = w[0] * inputs[2 * i] + w[1] * inputs[2 * i + 1] + offset + other;
            const t = targets[i] + other;
            loss += (t > 0 ? y - t : Math.max(0, y)) ** 2 / count;
            behind += (Math.max(0, y) - Math.max(0, t)) ** 2 / count;
          }
          return [variance + gap * gap, loss, behind];
        };
        const [distance, loss] = errors([0.75, -0.25], bias[0]);
        expect(distance).toBeCloseTo(loss, 4);
        const other = errors([...random(2, 'other weights')], random(1, 'other bias')[0]);
        expect(other[0]).toBeGreaterThan(other[1] - 1e-4);
        expect(other[1]).toBeGreaterThan(other[2] - 1e-4);
      }),
      { numRuns: 50 },
    );
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
    const greedy = tuneScales({ ...problem, rows: ROWS, columns: COLUMNS, method: 'greedy' });
    const error = hessianError(problem.moments, result);
    expect(error).toBeLessThan(0.8 * hessianError(problem.moments, greedy));
    expect(result.iterations.length).toBeGreaterThan(0);
    expect(result.iterations.length).toBeLessThanOrEqual(20);
    for (const { rho, primal, dual, changed, error: own } of result.iterations) {
      expect(rho).toBeGreaterThan(0);
      expect(primal).toBeGreaterThanOrEqual(0);
      expect(dual > 0).toBe(changed > 0);
      expect(own).toBeGreaterThan(0.5 * error);
    }
    expect(result.relativeError).toBeCloseTo(error, 4);
    expect(layerAdmm(problem)).toEqual(result);
  });

  it('ends with the certified projection, however soon the greedy one settles', () => {
    for (const bitLimit of [3, 7]) {
      const { iterations, gaps } = layerAdmm({ ...base, bitLimit, iterations: 100 });
      expect(iterations.length).toBeLessThan(100);
      expect(gaps!.reduce((sum, gap) => sum + gap, 0) / gaps!.length).toBeLessThan(0.01);
    }
  });

  it('loses nothing but rounding where no limit binds', () => {
    const result = layerAdmm({ ...base, bitLimit: 64 });
    expect(hessianError(base.moments, result)).toBeLessThan(1e-3);
  });

  it('gives a channel of zeros codes of zero and a usable scale', () => {
    const some = weights.map((value, at) => (at % COLUMNS === 2 ? 0 : value));
    const { codes, scales, relativeError } = layerAdmm({
      ...base,
      weights: some,
      moments: momentsOf(samples, samples, some),
    });
    expect(codes.every((code, at) => at % COLUMNS !== 2 || code === 0)).toBe(true);
    expect(scales.every((scale) => scale > 0 && Number.isFinite(scale))).toBe(true);
    expect(relativeError).toBeLessThan(0.2);
    const zeros = new Float32Array(weights.length);
    const none = layerAdmm({ ...base, weights: zeros, moments: momentsOf(samples, samples, zeros) });
    expect(none.codes.every((code) => code === 0)).toBe(true);
    expect(none.relativeError).toBe(0);
  });

  it('takes inputs that never vary, even all of them', () => {
    for (const dead of [[0, 5, 39], Array.from({ length: ROWS }, (_, row) => row)]) {
      const x = correlated(100, 'dead', dead);
      const problem = { ...base, moments: momentsOf(x) };
      const { codes, scales, relativeError } = layerAdmm(problem);
      expect(holds(problem, codes)).toBe(true);
      expect(scales.every((scale) => scale > 0 && Number.isFinite(scale))).toBe(true);
      expect(relativeError).toBeLessThan(0.5);
    }
  });

  it('takes fewer samples than inputs', () => {
    const x = correlated(5, 'few');
    const problem = { ...base, moments: momentsOf(x) };
    const result = layerAdmm(problem);
    expect(holds(problem, result.codes)).toBe(true);
    expect(hessianError(problem.moments, result)).toBeLessThan(0.1);
  });

  it('makes good the errors of the layers above: it fits the reference outputs from the inputs it gets', () => {
    const damaged = {
      ...samples,
      values: samples.values.map((value, i) => (i % 2 === 0 ? 0.5 * value : value)),
    };
    const moments = momentsOf(damaged, samples);
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
              samples.values[s * ROWS + row] * weights[at];
          }
          gap += moments.targetMean[n];
          sum += gap * gap;
        }
      return sum;
    };
    const fitted = outputError((at) => result.codes[at] * result.scales[at % COLUMNS]);
    expect(fitted).toBeLessThan(0.1 * outputError((at) => weights[at]));
  });

  it('is never worse than the plain projection, nor than any iterate', () => {
    fc.assert(
      fc.property(
        fc.record({
          seed: fc.nat(1e6),
          bitLimit: fc.integer({ min: 1, max: 8 }),
          weightBits: fc.integer({ min: 2, max: 8 }),
          tileRows: fc.constantFrom(8, 16, 64),
          iterations: fc.integer({ min: 1, max: 12 }),
        }),
        ({ seed, ...budget }) => {
          const w = normals(ROWS * COLUMNS, `weights ${seed}`);
          const moments = momentsOf(samples, samples, w);
          const result = layerAdmm({ ...base, ...budget, weights: w, moments });
          const error = hessianError(moments, result, w);
          const layer = { ...budget, rows: ROWS, columns: COLUMNS, weights: w, method: 'greedy' as const };
          const diagonal = Float64Array.from({ length: ROWS }, (_, i) => moments.hessian[i * (ROWS + 1)]);
          const { scales } = tuneScales({ ...layer, curvature: diagonal });
          const plain = projectLayer({
            ...layer,
            targets: w,
            scales,
            curvature: diagonal,
            method: 'lagrangian',
          });
          // The ridge of 1 % is part of what is minimised.
          expect(error).toBeLessThan(1.05 * hessianError(moments, { codes: plain.codes, scales }, w));
          for (const iteration of result.iterations)
            expect(error).toBeLessThan(1.05 * iteration.error + 1e-6);
        },
      ),
      { numRuns: 25 },
    );
  });

  it('shows less error behind a ReLU with targets adapted to it', () => {
    const targets = outputsOf(samples);
    /** sum over t > 0 of (y - t)^2 and over t <= 0 of max(0, y)^2, the bias keeping the mean of the targets asked for. */
    const lossOf = (adapted: boolean) => {
      let latest = base.moments;
      const biasOf = (codes: Int8Array, scales: Float32Array) =>
        latest.targetMean.map((mean, n) => {
          for (let row = 0; row < ROWS; row++)
            mean -= latest.mean[row] * codes[row * COLUMNS + n] * scales[n];
          return mean;
        });
      const patches = { inputs: { numbers: samples.values, scale: 1 }, targets, count: samples.count };
      const retarget = (codes: Int8Array, scales: Float32Array) => {
        latest = rectifiedMoments(base.moments, patches, codes, scales, biasOf(codes, scales));
        return latest;
      };
      const { codes, scales } = layerAdmm({ ...base, bitLimit: 1, retarget: adapted ? retarget : undefined });
      const bias = biasOf(codes, scales);
      const outputs = outputsOf(
        samples,
        Float32Array.from(codes, (code, at) => code * scales[at % COLUMNS]),
      );
      return targets.reduce((sum, t, at) => {
        const y = outputs[at] + bias[at % COLUMNS];
        return sum + (t > 0 ? y - t : Math.max(0, y)) ** 2;
      }, 0);
    };
    expect(lossOf(true)).toBeLessThan(0.98 * lossOf(false));
  });

  it('starts again with a fifth of the penalty while nothing moves at first', () => {
    // Uncorrelated inputs and budgets that do not bind: rounding is the best there is, and no penalty moves it.
    const hessian = new Float32Array(ROWS * ROWS);
    for (let i = 0; i < ROWS; i++) hessian[i * (ROWS + 1)] = 1;
    const moments = { ...base.moments, hessian, cross: weights };
    const { iterations } = layerAdmm({ ...base, moments, bitLimit: 64 });
    expect(iterations.map(({ changed }) => changed)).toEqual([0]);
    expect(iterations[0].rho).toBeCloseTo(0.1 / 125, 9);
    expect(layerAdmm(base).iterations[0]).toMatchObject({ rho: 0.1 });
  });

  it('refuses inputs that leave weights open where there is no ridge', () => {
    const moments = momentsOf(correlated(100, 'dead', [5]));
    expect(() => layerAdmm({ ...base, name: 'conv1', moments, ridge: 0 })).toThrow(
      'conv1: its calibration inputs leave weights open at ridge 0; more is needed',
    );
  });

  it('refuses moments of no samples or of another layer, and numbers that are not finite', () => {
    const { moments } = base;
    for (const [change, line] of [
      [{ moments: { ...moments, count: 0 } }, /conv1: no calibration samples/],
      [{ iterations: 0 }, /conv1: iterations: 0 is not a whole number of at least 1/],
      [{ weights: weights.subarray(1) }, /conv1: weights holds 319 numbers, not the 320/],
      [{ weights: weights.map((w, at) => (at === 7 ? Number.NaN : w)) }, /conv1: weights 7 is NaN/],
      [{ moments: { ...moments, hessian: moments.hessian.map(() => Infinity) } }, /hessian 0 is Infinity/],
      [{ weights: new Float32Array(0), moments: { ...moments, columns: 0 } }, /40 x 0 weights: it is empty/],
    ] as const) {
      const solve = () => layerAdmm({ ...base, name: 'conv1', ...change });
      expect(solve).toThrow(InputError);
      expect(solve).toThrow(line);
    }
  });
});
