import { describe, expect, it } from 'vitest';
import { prunePostTraining } from '../../src/admm/prune-post-training';
import { integerAccuracy } from '../../src/experiments/accuracy';
import {
  chargeDomainLine,
  defaultReadoutLines,
  marginSensingLine,
  plainLine,
  type ReadoutLine,
  rangeMappingLine,
  sparsityAwareLine,
} from '../../src/experiments/readout-lines';
import { readoutTable } from '../../src/experiments/readout-report';
import {
  prepareReadout,
  readoutAccuracy,
  readoutInference,
  readoutStudy,
} from '../../src/experiments/readout-study';
import { createIntegerInference } from '../../src/quantization/integer-inference';
import { requireTable } from '../../src/reports/table';
import { dataset, pictures, smallModel } from '../quantization/small-model';
import { mixedNetwork } from '../training/small-networks';

const { network: dense, folded } = smallModel(mixedNetwork());
const { network } = prunePostTraining(dense, folded, pictures, {
  adcBits: 2,
  tileRows: 16,
  iterations: 4,
  patches: 200,
});
const few = { ...pictures, count: 4, pixels: pictures.pixels.subarray(0, 4 * 768) };
const study = (lines?: readonly ReadoutLine[], over = {}) =>
  readoutStudy({ network, pictures: few, lines, vectors: 20, calibration: 8, ...over });

const perfect = { onOffRatio: Infinity, cellSigma: 0, offsetSigma: 0, noise: 0 };

describe('readoutStudy', () => {
  it('finds no error where a readout is exact, in any layer', () => {
    const { rows } = study([
      plainLine(2),
      marginSensingLine('perfect', { ...perfect, adcBits: 2 }),
      sparsityAwareLine({ adcBits: 2 }),
      chargeDomainLine({ adcBits: 16, range: 'stored-codes' }),
    ]);
    for (const row of rows) {
      expect(row.relativeError).toBe(0);
      expect(row.clipRate).toBe(0);
      expect(row.layers.map(({ layer }) => layer)).toEqual([...network.layers.keys()]);
    }
  });

  it('counts conversions as each readout makes them', () => {
    const [plain, aware, charge] = study([
      plainLine(2),
      sparsityAwareLine({ adcBits: 2 }),
      chargeDomainLine({ adcBits: 6, conversion: 'whole-input' }),
    ]).rows;
    expect(plain.comparatorsPerOutput).toBeCloseTo(3 * plain.conversionsPerOutput, 10);
    expect(aware.conversionsPerOutput).toBeGreaterThan(charge.conversionsPerOutput);
    expect(charge.conversionsPerOutput).toBeLessThan(plain.conversionsPerOutput / 8);
    expect(charge.comparatorsPerOutput).toBeLessThanOrEqual(63 * charge.conversionsPerOutput);
  });

  it('tells how far clipped and disturbed readouts are off', () => {
    const [clipped, unmapped, mapped, sensed] = study([
      plainLine(1),
      rangeMappingLine('unmapped', { adcBits: 5 }),
      rangeMappingLine('mapped', { adcBits: 5 }),
      marginSensingLine('poor', { adcBits: 2, offsetSigma: 1, offsetResidual: 1, marginGain: 1 }),
    ]).rows;
    expect(clipped.clipRate).toBeGreaterThan(0);
    expect(clipped.relativeError).toBeGreaterThan(0);
    expect(mapped.relativeError).toBeLessThan(unmapped.relativeError);
    expect(sensed.codeErrorRate).toBeGreaterThan(0.1);
    expect(sensed.worstError).toBeGreaterThanOrEqual(sensed.relativeError);
  });

  it('gives the same for the same seed and is plain data', () => {
    const result = study();
    expect(study()).toEqual(result);
    expect(JSON.parse(JSON.stringify(result)).rows.length).toBe(defaultReadoutLines(2).length);
    expect(requireTable(readoutTable(result)).rows.length).toBe(result.rows.length);
  });

  it('says what is missing', () => {
    expect(() => readoutStudy({ network: dense, pictures: few })).toThrow('lines: an unpruned network');
    const one = { ...pictures, count: 1, pixels: pictures.pixels.subarray(0, 768) };
    expect(() => readoutStudy({ network, pictures: one })).toThrow('give at least 2 pictures');
  });
});

describe('readoutInference', () => {
  it('gives the logits of the integer network to the bit where the readout is exact', () => {
    const exact = createIntegerInference(network);
    const logits = exact.logits(few);
    exact.dispose();
    for (const line of [plainLine(2), sparsityAwareLine({ adcBits: 3 })]) {
      const inference = readoutInference(network, prepareReadout(line, { network, pictures: few }));
      expect(inference.logits(few)).toEqual(logits);
      inference.dispose();
    }
  });

  it('passes errors on from layer to layer', () => {
    const logits = (line: ReadoutLine) => {
      const inference = readoutInference(network, prepareReadout(line, { network, pictures: few }));
      const result = inference.logits(few);
      inference.dispose();
      return result;
    };
    const exact = logits(plainLine(2));
    const error = (offsetSigma: number) => {
      const poor = { ...perfect, adcBits: 2, offsetSigma, offsetResidual: 1, marginGain: 1 };
      return logits(marginSensingLine('poor', poor)).reduce((sum, x, i) => sum + (x - exact[i]) ** 2, 0);
    };
    expect(error(0)).toBe(0);
    expect(error(0.2)).toBeGreaterThan(0);
    expect(error(0.6)).toBeGreaterThan(error(0.2));
  });

  it('has the accuracy of the integer network where the readout is exact', () => {
    const { test } = dataset;
    const { top1 } = readoutAccuracy(plainLine(2), test, { network, pictures: few, limit: 12 });
    expect(top1).toBe(integerAccuracy(network, test, { limit: 12 }).top1);
  });
});
