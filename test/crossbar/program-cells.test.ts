import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkDevice, type DeviceModel, type Variation } from '../../src/crossbar/device-model';
import { offValue, programCells, readVariances } from '../../src/crossbar/program-cells';
import { randomStream } from '../../src/tensor/random';

const count = 40000;
const filled = (digit: number) => new Uint8Array(count).fill(digit);
const program = (digit: number, device: DeviceModel, maxDigit = 1) =>
  programCells(filled(digit), device, randomStream(11, 'cells'), maxDigit);

function moments(values: ArrayLike<number>): { mean: number; sigma: number } {
  let mean = 0;
  for (let i = 0; i < values.length; i++) mean += values[i] / values.length;
  let variance = 0;
  for (let i = 0; i < values.length; i++) variance += (values[i] - mean) ** 2 / values.length;
  return { mean, sigma: Math.sqrt(variance) };
}

/** Four standard errors of a mean and of a spread over `count` cells. */
const within = (sigma: number) => (4 * sigma) / Math.sqrt(count);

describe('programCells', () => {
  it('gives the digits themselves for the ideal cell and for a model without errors', () => {
    fc.assert(
      fc.property(fc.uint8Array({ max: 15 }), (digits) => {
        expect([...programCells(digits, undefined, randomStream(1, 'c'), 15)]).toEqual([...digits]);
        expect([...programCells(digits, {}, randomStream(1, 'c'), 15)]).toEqual([...digits]);
      }),
    );
  });

  it('has an off current of maxDigit / (ratio - 1) levels, unless it is cancelled', () => {
    const digits = Uint8Array.of(0, 1, 2, 3);
    const values = (device: DeviceModel) => [...programCells(digits, device, randomStream(1, 'c'), 3)];
    expect(offValue({ onOffRatio: 4 }, 3)).toBe(1);
    expect(values({ onOffRatio: 4, offState: 'kept' })).toEqual([1, 2, 3, 4]);
    expect(values({ onOffRatio: 4, offState: 'digital' })).toEqual([1, 2, 3, 4]);
    expect(values({ onOffRatio: 4 })).toEqual([0, 1, 2, 3]);
    expect(values({ onOffRatio: null, offState: 'kept' })).toEqual([0, 1, 2, 3]);
  });

  it.each<[string, Variation, (digit: number) => number]>([
    ['absolute', { kind: 'absolute', sigma: 0.02 }, () => 0.02 * 3],
    ['proportional', { kind: 'proportional', sigma: 0.05 }, (digit) => 0.05 * digit],
    [
      'polynomial',
      { kind: 'polynomial', coefficients: [0.01, 0.03, -0.02] },
      (digit) => 3 * (0.01 + 0.03 * (digit / 3) - 0.02 * (digit / 3) ** 2),
    ],
  ])('spreads levels by a normal %s law around the level', (_, programming, sigma) => {
    for (const digit of [1, 2, 3]) {
      const { mean, sigma: seen } = moments(program(digit, { programming }, 3));
      expect(Math.abs(mean - digit)).toBeLessThan(within(sigma(digit)));
      expect(Math.abs(seen - sigma(digit))).toBeLessThan(within(sigma(digit)));
    }
  });

  it('keeps the median and raises the mean of a lognormal level', () => {
    const values = program(1, { programming: { kind: 'lognormal', sigma: 0.3 } });
    const { mean, sigma } = moments(values.map(Math.log));
    expect(Math.abs(mean)).toBeLessThan(within(0.3));
    expect(Math.abs(sigma - 0.3)).toBeLessThan(within(0.3));
    expect(moments(values).mean).toBeCloseTo(Math.exp(0.045), 1);
  });

  it('never programs a negative conductance', () => {
    const values = program(0, {
      programming: { kind: 'absolute', sigma: 0.5 },
      onOffRatio: 10,
      offState: 'kept',
    });
    expect(Math.min(...values)).toBe(0);
  });

  it('sticks the stated shares of cells at off and at on', () => {
    const share = (values: Float32Array, value: number) => values.filter((v) => v === value).length / count;
    const device = { stuckOff: 0.1, stuckOn: 0.02 };
    expect(Math.abs(share(program(1, device), 0) - 0.1)).toBeLessThan(within(0.3));
    expect(Math.abs(share(program(0, device), 1) - 0.02)).toBeLessThan(within(0.14));
    expect(Math.abs(share(program(1, device, 3), 3) - 0.02)).toBeLessThan(within(0.14));
  });

  it('drifts by the power law, each cell with an exponent of its own, and can be rescaled by the mean', () => {
    const drift = { time: 2000, startTime: 20, nu: 0.05, nuSigma: 0.01 };
    const exponents = program(1, { drift }).map((value) => -Math.log(value) / Math.log(100));
    const { mean, sigma } = moments(exponents);
    expect(Math.abs(mean - 0.05)).toBeLessThan(within(0.01));
    expect(Math.abs(sigma - 0.01)).toBeLessThan(within(0.01));
    const rescaled = moments(program(1, { drift: { ...drift, compensated: true } }));
    expect(Math.abs(rescaled.mean - 1)).toBeLessThan(0.01);
    const still = { time: 20, startTime: 20, nu: 0.05, nuSigma: 0.01 };
    expect([...program(1, { drift: still })].every((value) => value === 1)).toBe(true);
  });

  it('drifts cells that are off by their own exponent', () => {
    const drift = { time: 2000, startTime: 20, nu: 0.05, offNu: 0.1 };
    const off = program(0, { drift, onOffRatio: 11, offState: 'kept' })[0];
    expect(off).toBeCloseTo(0.1 * 100 ** -0.1, 6);
  });

  it('puts targets on the nearest conductance that there is', () => {
    const digits = Uint8Array.from({ length: 16 }, (_, i) => i);
    const values = programCells(digits, { levels: 4 }, randomStream(1, 'c'), 15);
    for (const value of values) expect([0, 5, 10, 15]).toContain(value);
    values.forEach((value, i) => {
      expect(Math.abs(value - i)).toBeLessThanOrEqual(2.5);
    });
  });

  it('draws the same for one effect whether or not another is on', () => {
    const programming = { kind: 'absolute', sigma: 0.02 } as const;
    const alone = program(1, { programming });
    const faulty = program(1, { programming, stuckOff: 0.1 });
    const different = alone.filter((value, i) => value !== faulty[i]).length;
    expect(different).toBe(faulty.filter((value) => value < 0.5).length);
  });
});

describe('readVariances', () => {
  it('is the square of the stated spread of each cell, and absent without read noise', () => {
    const values = Float32Array.of(0, 1, 2);
    const variances = (readNoise: Variation) => [...readVariances(values, { readNoise, onOffRatio: 3 }, 2)!];
    expect(variances({ kind: 'absolute', sigma: 0.1 }).map(Math.sqrt)).toEqual([
      expect.closeTo(0.3, 6),
      expect.closeTo(0.3, 6),
      expect.closeTo(0.3, 6),
    ]);
    expect(variances({ kind: 'proportional', sigma: 0.1 }).map(Math.sqrt)).toEqual([
      expect.closeTo(0.1, 6),
      expect.closeTo(0.2, 6),
      expect.closeTo(0.3, 6),
    ]);
    expect(readVariances(values, {}, 2)).toBeUndefined();
    expect(readVariances(values, undefined, 2)).toBeUndefined();
  });
});

describe('checkDevice', () => {
  it.each<[DeviceModel, RegExp]>([
    [{ onOffRatio: 1 }, /device\.onOffRatio: 1 is not above 1/],
    [{ onResistance: 0 }, /device\.onResistance: 0/],
    [{ stuckOff: 1.5 }, /device\.stuckOff: 1\.5 is not from 0 to 1/],
    [{ stuckOff: 0.6, stuckOn: 0.6 }, /device\.stuckOn: with stuckOff it makes 1\.2/],
    [{ levels: 1 }, /device\.levels: 1/],
    [{ offState: 'none' as 'kept' }, /device\.offState: "none" is unknown; one of kept/],
    [{ programming: { kind: 'absolute', sigma: -1 } }, /device\.programming\.sigma: -1/],
    [{ programming: { kind: 'normal' } as unknown as Variation }, /device\.programming\.kind: "normal"/],
    [{ readNoise: { kind: 'lognormal', sigma: 1 } }, /device\.readNoise\.kind: lognormal/],
    [{ drift: { time: 1, startTime: 20, nu: 0 } }, /device\.drift\.time: 1/],
    [{ drift: { time: 30, startTime: 20, nu: -1 } }, /device\.drift\.nu: -1/],
    [null as unknown as DeviceModel, /device: null; an object with some of onOffRatio, /],
    [[] as unknown as DeviceModel, /device: \[\]; an object/],
    ['pcm' as unknown as DeviceModel, /device: "pcm"; an object/],
    [{ sigma: 0.1 } as DeviceModel, /device\.sigma: unknown; allowed are onOffRatio, /],
    [
      { programming: null } as unknown as DeviceModel,
      /device\.programming: null; an object with some of kind/,
    ],
    [{ stuckOff: '0.1' } as unknown as DeviceModel, /device\.stuckOff: 0\.1 is not from 0 to 1/],
    [
      { programming: { kind: 'absolute', sigma: 0.1, relative: 1 } } as DeviceModel,
      /device\.programming\.relative: unknown; allowed are kind, sigma/,
    ],
    [
      { drift: { time: 30, startTime: 20, nu: 0, compensated: 1 } } as unknown as DeviceModel,
      /device\.drift\.compensated: 1 is not true or false/,
    ],
  ])('names the field unknown or out of range in %j', (device, message) => {
    expect(() => checkDevice(device)).toThrow(message);
  });
});
