import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { layerJob } from '../../../src/crossbar/layer-job';
import { sparsityAware } from '../../../src/crossbar/readout-schemes/sparsity-aware';
import { referenceEngine } from '../../../src/crossbar/reference-engine';
import { randomStream } from '../../../src/tensor/random';
import { integerProduct } from '../random-layers';
import { layers } from './layers';

/** One column of ten ones under 1-bit inputs: all that matters is which rows are active. */
const column = (inputs: number[]) =>
  layerJob({
    codes: new Int8Array(inputs.length).fill(1),
    rows: inputs.length,
    columns: 1,
    inputs: Uint8Array.from(inputs),
    vectors: 1,
    weightBits: 2,
    inputBits: 1,
  });

describe('sparsityAware', () => {
  it('equals the integer product in every configuration under the lossless rule', () => {
    fc.assert(
      fc.property(layers, fc.integer({ min: 7, max: 9 }), (layer, adcBits) => {
        const result = sparsityAware(layerJob(layer), { adcBits });
        expect([...result.outputs]).toEqual(integerProduct(layer));
        expect(result.saturated).toBe(0);
      }),
      { numRuns: 200 },
    );
  });

  it('equals the integer product with the fewest bits where cells and pulses are binary', () => {
    fc.assert(
      fc.property(layers, fc.integer({ min: 2, max: 5 }), (layer, adcBits) => {
        const binary = { ...layer, cellBits: 1, dacBits: 1, flips: undefined };
        expect([...sparsityAware(layerJob(binary), { adcBits }).outputs]).toEqual(integerProduct(layer));
      }),
      { numRuns: 200 },
    );
  });

  it('sums only active rows, as many a conversion as the highest code allows', () => {
    // 7 active rows among 10, 3 codes above zero: conversions of 3, 3 and 1 rows.
    const job = column([1, 0, 1, 1, 1, 0, 1, 1, 0, 1]);
    expect(sparsityAware(job, { adcBits: 2 })).toMatchObject({
      outputs: Float64Array.of(7),
      conversions: 3,
      saturated: 0,
      mostRows: 3,
      codeHistogram: Float64Array.of(0, 1, 0, 2),
      meanRows: 7 / 3,
      activeShare: 0.7,
      plainConversions: 1,
      rowLimitedConversions: 4,
    });
  });

  it('clips where more rows than that are asked for', () => {
    const job = column([1, 0, 1, 1, 1, 0, 1, 1, 0, 1]);
    const { outputs, conversions, saturated } = sparsityAware(job, { adcBits: 2, rowsPerConversion: 5 });
    expect([...outputs, conversions, saturated]).toEqual([3 + 2, 2, 1]);
  });

  it('makes no conversion for a pulse plane without active rows', () => {
    expect(sparsityAware(column([0, 0, 0]))).toMatchObject({ conversions: 0, meanRows: 0 });
  });

  it('equals the plain ADC of the same bits when a conversion takes the whole tile, but for the silent planes', () => {
    fc.assert(
      fc.property(layers, fc.integer({ min: 2, max: 5 }), (layer, bits) => {
        const plain = referenceEngine(layerJob({ ...layer, adc: { bits } }));
        const aware = sparsityAware(layerJob(layer), { adcBits: bits, rowsPerConversion: layer.rows });
        expect([...aware.outputs]).toEqual([...plain.outputs].map((x) => x + 0));
        expect(aware.saturated).toBe(plain.saturated);
        expect(aware.plainConversions).toBe(plain.conversions);
        expect(aware.conversions).toBeLessThanOrEqual(plain.conversions);
      }),
      { numRuns: 200 },
    );
  });

  it('sums more rows without loss where the stored codes allow it', () => {
    fc.assert(
      fc.property(layers, (layer) => {
        const binary = layerJob({ ...layer, cellBits: 1, dacBits: 1, flips: undefined });
        const any = sparsityAware(binary, { adcBits: 3 });
        const stored = sparsityAware(binary, { adcBits: 3, rowsPerConversion: 'stored-codes' });
        expect([...stored.outputs]).toEqual(integerProduct(layer));
        expect(stored.saturated).toBe(0);
        expect(stored.conversions).toBeLessThanOrEqual(any.conversions);
      }),
      { numRuns: 200 },
    );
  });

  it('needs one conversion a plane for a pruned column, however many rows are active', () => {
    // Three ones among forty rows, two of them neighbours: two bits hold them all, one bit needs three conversions.
    const codes = Int8Array.from({ length: 40 }, (_, row) => ([5, 6, 30].includes(row) ? 1 : 0));
    const shape = { codes, rows: 40, columns: 1, vectors: 1, weightBits: 2, inputBits: 1 };
    const job = layerJob({ ...shape, inputs: new Uint8Array(40).fill(1) });
    const run = (adcBits: number) => {
      const { outputs, conversions, mostRows } = sparsityAware(job, {
        adcBits,
        rowsPerConversion: 'stored-codes',
      });
      return [outputs[0], conversions, mostRows];
    };
    expect(run(2)).toEqual([3, 1, 40]);
    // Rows 0-5, 6-29, 30-39.
    expect(run(1)).toEqual([3, 3, 24]);
  });

  it('never makes more conversions than the row-limited readout', () => {
    fc.assert(
      fc.property(layers, (layer) => {
        const result = sparsityAware(layerJob(layer), { adcBits: 7 });
        expect(result.conversions).toBeLessThanOrEqual(result.rowLimitedConversions);
        expect(result.codeHistogram.reduce((sum, count) => sum + count, 0)).toBe(result.conversions);
      }),
    );
  });

  it('gives the conversions that a brute-force deal of the active rows gives', () => {
    const random = randomStream(3, 'deal');
    const [rows, vectors] = [50, 20];
    const inputs = Uint8Array.from({ length: rows * vectors }, () => random.integer(4) * random.integer(2));
    const codes = new Int8Array(rows).fill(1);
    const job = layerJob({
      codes,
      rows,
      columns: 1,
      inputs,
      vectors,
      inputBits: 2,
      tileRows: 20,
      weightBits: 2,
    });
    let expected = 0;
    for (let vector = 0; vector < vectors; vector++) {
      for (const [from, to] of [
        [0, 20],
        [20, 40],
        [40, 50],
      ]) {
        for (const bit of [1, 2]) {
          const active = inputs.slice(vector * rows + from, vector * rows + to).filter((x) => x & bit).length;
          expected += Math.ceil(active / 7);
        }
      }
    }
    expect(sparsityAware(job, { adcBits: 3 }).conversions).toBe(expected);
  });

  it('names the setting that is out of range', () => {
    const job = column([1]);
    expect(() => sparsityAware(job, { adcBits: 0 })).toThrow('adcBits: 0 is not a whole number from 1 to 12');
    expect(() => sparsityAware(job, { rowsPerConversion: 0 })).toThrow('rowsPerConversion: 0 is not');
    const wide = layerJob({
      codes: Int8Array.of(1),
      rows: 1,
      columns: 1,
      inputs: Uint8Array.of(1),
      vectors: 1,
      dacBits: 3,
    });
    expect(() => sparsityAware(wide, { adcBits: 2 })).toThrow('adcBits: one row can add 7');
  });
});
