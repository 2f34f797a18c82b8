import { describe, expect, it } from 'vitest';
import { rectifiedMoments } from '../../src/admm/rectified-targets';
import { createMomentAccumulator } from '../../src/admm/second-moments';
import { shrinkageRidge } from '../../src/admm/shrinkage';
import { uploadNumbers } from '../../src/admm/stored-inputs';
import { scope } from '../../src/tensor/engine';
import * as k from '../../src/tensor/kernels';
import { randomStream } from '../../src/tensor/random';

const ROWS = 6;
const COUNT = 30;
const SCALE = 0.37;

const stream = randomStream(1, 'stored inputs');
const codes = Uint8Array.from({ length: COUNT * ROWS }, () => stream.integer(256));
const values = Float32Array.from(codes, (code) => code * SCALE);
const targets = Float32Array.from({ length: COUNT }, () => 100 * stream.normal());
const asBytes = { numbers: codes, scale: SCALE };
const asFloats = { numbers: values, scale: 1 };
const moments = () => {
  const sums = createMomentAccumulator(ROWS, 1);
  sums.add({ inputs: values, targets, count: COUNT });
  return sums.finish();
};

describe('stored inputs', () => {
  it('come back as the codes they were, from any vector to any other', () => {
    const part = scope(() => k.floats(uploadNumbers(asBytes, ROWS, 7, 19)));
    expect(part).toEqual(Float32Array.from(codes.subarray(7 * ROWS, 19 * ROWS)));
  });

  it('of an eighth bit set stay positive', () => {
    const high = { numbers: Uint8Array.of(128, 255), scale: 1 };
    expect(scope(() => k.floats(uploadNumbers(high, 2, 0, 1)))).toEqual(Float32Array.of(128, 255));
  });

  it('as bytes with a scale ask for the targets that their values ask for', () => {
    const own = moments();
    const weights = Int8Array.of(3, -1, 0, 2, -7, 1);
    const [bytes, floats] = [asBytes, asFloats].map((inputs) =>
      rectifiedMoments(
        own,
        { inputs, targets, count: COUNT },
        weights,
        Float32Array.of(0.25),
        Float32Array.of(9),
      ),
    );
    bytes.cross.forEach((value, row) => {
      expect(value).toBeCloseTo(floats.cross[row], 2);
    });
    expect(Math.hypot(...floats.cross)).toBeGreaterThan(100);
    expect(bytes.targetMean[0]).toBeCloseTo(floats.targetMean[0], 3);
  });

  it('as bytes with a scale ask for the ridge that their values ask for', () => {
    const starts = [0, 4, 4, 15, COUNT];
    const [bytes, floats] = [asBytes, asFloats].map((inputs) =>
      shrinkageRidge(moments(), { inputs, starts }),
    );
    expect(bytes).toBeCloseTo(floats, 5);
    expect(bytes).toBeGreaterThan(0.01);
  });
});
