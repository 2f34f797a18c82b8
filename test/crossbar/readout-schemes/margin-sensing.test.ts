import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { layerJob } from '../../../src/crossbar/layer-job';
import { marginSensing } from '../../../src/crossbar/readout-schemes/margin-sensing';
import { normalTail } from '../../../src/crossbar/readout-schemes/normal-tail';
import {
  codeErrorProbability,
  sampledCodeErrors,
  sensingMargin,
  sumCurrent,
} from '../../../src/crossbar/readout-schemes/sensing-margin';
import { referenceEngine } from '../../../src/crossbar/reference-engine';
import { useFastEngines } from '../../../src/experiments/fast-engines';
import { randomStream } from '../../../src/tensor/random';
import { layers } from './layers';

useFastEngines({ threads: 1 });

const perfect = { onOffRatio: Infinity, cellSigma: 0, offsetSigma: 0, noise: 0 };

describe('sumCurrent', () => {
  it('adds the variances of cells that are on and off, of the offset left and of the noise', () => {
    // Ratio 11: an off cell conducts 0.1 of a cell level, an on cell 1.1. Nine on, sixteen off.
    const settings = {
      onOffRatio: 11,
      cellSigma: 0.1,
      offsetSigma: 0.8,
      offsetResidual: 0.5,
      marginGain: 2,
      noise: 0.4,
    };
    const { mean, cellSigma, sigma } = sumCurrent({ sum: 9, activeRows: 25 }, settings);
    const cells = 0.01 * (9 * 1.21 + 16 * 0.01);
    expect(mean).toBe(9);
    expect(cellSigma).toBeCloseTo(Math.sqrt(cells), 12);
    expect(sigma).toBeCloseTo(Math.sqrt(cells + 0.2 ** 2 + 0.2 ** 2), 12);
    expect(sumCurrent({ sum: 9, activeRows: 25 }, { ...settings, leakage: 'kept' }).mean).toBeCloseTo(
      11.5,
      12,
    );
  });
});

describe('sensingMargin', () => {
  it('is one cell level when nothing errs, and falls with sum, cell spread and leakage', () => {
    const margin = (sum: number, settings = {}) =>
      sensingMargin({ sum, activeRows: 64 }, { ...perfect, ...settings });
    expect(margin(3)).toBe(1);
    expect(margin(3, { cellSigma: 0.05 })).toBeCloseTo(1 - 3 * 0.05 * (Math.sqrt(3) + 2), 12);
    expect(margin(7, { cellSigma: 0.05 })).toBeLessThan(margin(3, { cellSigma: 0.05 }));
    expect(margin(3, { cellSigma: 0.05, onOffRatio: 10 })).toBeLessThan(margin(3, { cellSigma: 0.05 }));
  });

  it('grows with margin enhancement and offset reduction, which leave the cells’ own spread', () => {
    const of = { sum: 3, activeRows: 64 };
    const plain = { marginGain: 1, offsetResidual: 1 };
    expect(sensingMargin(of, { ...plain, marginGain: 2 })).toBeGreaterThan(sensingMargin(of, plain));
    expect(sensingMargin(of, { ...plain, offsetResidual: 0.1 })).toBeGreaterThan(sensingMargin(of, plain));
    const best = { marginGain: 100, offsetResidual: 0 };
    const cells = sensingMargin(of, { offsetSigma: 0, noise: 0 });
    expect(sensingMargin(of, best)).toBeCloseTo(cells, 4);
  });
});

describe('codeErrorProbability', () => {
  it('agrees with Monte Carlo over sums, spreads and leakage, within four standard errors', () => {
    const draws = 8000;
    for (const settings of [
      { adcBits: 3, cellSigma: 0.15, onOffRatio: 10, marginGain: 1, offsetResidual: 1, offsetSigma: 0.2 },
      {
        adcBits: 3,
        cellSigma: 0.05,
        onOffRatio: 50,
        leakage: 'kept' as const,
        offsetSigma: 0.4,
        offsetResidual: 0.5,
      },
      { adcBits: 2, cellSigma: 0.1, onOffRatio: Infinity, noise: 0.5 },
    ]) {
      for (const sum of [0, 1, 3, 6, 9]) {
        const of = { sum, activeRows: 16 };
        const expected = codeErrorProbability(of, settings);
        const { errorRate } = sampledCodeErrors(of, settings, draws);
        const spread = Math.sqrt((expected * (1 - expected)) / draws);
        expect(Math.abs(errorRate - expected)).toBeLessThanOrEqual(4 * spread + 1 / draws);
      }
    }
  });

  it('is zero for perfect cells and converters, also above the highest code', () => {
    for (const sum of [0, 3, 7, 30]) {
      expect(codeErrorProbability({ sum, activeRows: 30 }, perfect)).toBe(0);
      expect(sampledCodeErrors({ sum, activeRows: 30 }, perfect, 10).errorRate).toBe(0);
    }
  });

  it('names what is out of range', () => {
    expect(() => codeErrorProbability({ sum: 5, activeRows: 4 })).toThrow(
      'sum: 5 is not a whole number from 0 to 4',
    );
    expect(() => codeErrorProbability({ sum: 1, activeRows: 4 }, { onOffRatio: 1 })).toThrow('onOffRatio: 1');
    expect(() => codeErrorProbability({ sum: 1, activeRows: 4 }, { offsetResidual: 2 })).toThrow(
      'offsetResidual: 2 is not a number from 0 to 1',
    );
  });
});

describe('normalTail', () => {
  it('has the values of the tables', () => {
    for (const [x, tail] of [
      [0, 0.5],
      [1, 0.158655254],
      [1.96, 0.024997895],
      [3, 0.001349898],
      [6, 9.865876e-10],
      [-1, 0.841344746],
    ]) {
      expect(Math.abs(normalTail(x) / tail - 1)).toBeLessThan(3e-7);
    }
  });
});

describe('marginSensing', () => {
  it('equals the plain ADC in every configuration when cells and converters are perfect', () => {
    fc.assert(
      fc.property(layers, fc.integer({ min: 2, max: 6 }), (layer, bits) => {
        const plain = referenceEngine(layerJob({ ...layer, adc: { bits } }));
        const result = marginSensing(layerJob(layer), { ...perfect, adcBits: bits });
        expect([...result.outputs].map((x) => x + 0)).toEqual([...plain.outputs].map((x) => x + 0));
        expect([result.saturated, result.conversions]).toEqual([plain.saturated, plain.conversions]);
        expect(result.codeErrors).toBe(0);
      }),
      { numRuns: 100 },
    );
  });

  it('makes code errors at the rate that the normal distribution predicts for the sums and active rows it met', () => {
    const random = randomStream(2, 'margins');
    const [rows, columns, vectors] = [40, 60, 30];
    const codes = Int8Array.from({ length: rows * columns }, () => (random.uniform() < 0.15 ? 1 : 0));
    const inputs = Uint8Array.from({ length: rows * vectors }, () => random.integer(2));
    const job = layerJob({ codes, rows, columns, inputs, vectors, weightBits: 2, inputBits: 1 });
    const settings = {
      adcBits: 4,
      cellSigma: 0.1,
      onOffRatio: 10,
      offsetSigma: 0.3,
      offsetResidual: 0.5,
      noise: 0.2,
    };
    let expected = 0;
    for (let column = 0; column < columns; column++) {
      for (let vector = 0; vector < vectors; vector++) {
        let [sum, activeRows] = [0, 0];
        for (let row = 0; row < rows; row++) {
          activeRows += inputs[vector * rows + row];
          sum += inputs[vector * rows + row] * codes[row * columns + column];
        }
        expected += codeErrorProbability({ sum, activeRows }, settings);
      }
    }
    let errors = 0;
    for (let seed = 1; seed <= 10; seed++)
      errors += marginSensing(job, { ...settings, seed }).codeErrors / 10;
    expect(errors / expected).toBeGreaterThan(0.9);
    expect(errors / expected).toBeLessThan(1.1);
  });

  it('errs less with margin enhancement, less with offset reduction, least with both', () => {
    const random = randomStream(3, 'margins');
    const [rows, columns, vectors] = [64, 40, 20];
    const codes = Int8Array.from({ length: rows * columns }, () => (random.uniform() < 0.1 ? 1 : 0));
    const inputs = Uint8Array.from({ length: rows * vectors }, () => random.integer(256));
    const job = layerJob({ codes, rows, columns, inputs, vectors, weightBits: 2 });
    const errors = (marginGain: number, offsetResidual: number) =>
      marginSensing(job, { marginGain, offsetResidual, offsetSigma: 1 }).codeErrors;
    expect(errors(2, 1)).toBeLessThan(errors(1, 1));
    expect(errors(1, 0.5)).toBeLessThan(errors(1, 1));
    expect(errors(2, 0.5)).toBeLessThan(errors(1, 0.5));
  });

  it('splits its errors by the code that was due', () => {
    const codes = new Int8Array(30).fill(1);
    const inputs = Uint8Array.from({ length: 30 * 50 }, (_, i) => (i * 7 + (i >> 5)) & 255);
    const job = layerJob({ codes, rows: 30, columns: 1, inputs, vectors: 50, weightBits: 2 });
    const result = marginSensing(job, { adcBits: 5, cellSigma: 0.1 });
    const sum = (counts: Float64Array) => counts.reduce((total, count) => total + count, 0);
    expect(sum(result.conversionsByCode)).toBe(result.conversions);
    expect(sum(result.errorsByCode)).toBe(result.codeErrors);
    expect(result.codeErrors).toBeGreaterThan(0);
    expect(marginSensing(job, { adcBits: 5, cellSigma: 0.1 })).toEqual(result);
  });
});
