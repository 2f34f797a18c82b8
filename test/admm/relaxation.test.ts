import { describe, expect, it } from 'vitest';
import {
  choosesBits,
  drawAfter,
  type Relaxation,
  relaxedLimit,
  relaxedSteps,
  validateRelaxation,
} from '../../src/admm/relaxation';
import { InputError } from '../../src/errors';

const relaxation: Relaxation = { share: 0.6, interval: 20, pull: [0.001, 0.1], firstBitLimit: 7 };
const STEPS = 200;
const steps = Array.from({ length: STEPS }, (_, step) => step);

describe('a relaxation', () => {
  it('chooses bits every interval while it lasts, and for the last time when it ends', () => {
    expect(relaxedSteps(relaxation, STEPS)).toBe(120);
    expect(steps.filter((step) => choosesBits(relaxation, step, STEPS))).toEqual([
      0, 20, 40, 60, 80, 100, 120,
    ]);
    const odd = { ...relaxation, interval: 50 };
    expect(steps.filter((step) => choosesBits(odd, step, STEPS))).toEqual([0, 50, 100, 120]);
  });

  it.each([0.95, 0.99])('freezes bits at the last step at the latest, with share %d too', (share) => {
    for (const few of [1, 2, 18]) {
      const long = { ...relaxation, share };
      expect(relaxedSteps(long, few)).toBe(few - 1);
      expect(choosesBits(long, few - 1, few)).toBe(true);
      expect(relaxedLimit(long, 1, few - 1, few)).toBe(1);
      expect(drawAfter(long.pull, few - 1, relaxedSteps(long, few))).toBe(0);
    }
  });

  it('lets limits fall from the first to the wanted one over its first half, plane by plane', () => {
    const limits = steps.slice(0, 121).map((step) => relaxedLimit(relaxation, 1, step, STEPS) as number);
    expect(limits[0]).toBe(7);
    expect(limits[59]).toBe(1);
    limits.slice(1).forEach((limit, i) => {
      expect(limit).toBeLessThanOrEqual(limits[i]);
    });
    expect(limits.filter((limit) => limit === 1).length).toBeGreaterThan(60);
    expect(relaxedLimit(relaxation, [0, 3, 15], 0, STEPS)).toEqual([7, 7, 15]);
    expect(relaxedLimit({ ...relaxation, firstBitLimit: undefined }, 3, 0, STEPS)).toBe(3);
  });

  it('draws weights at every fifth step, as far as five steps would, ever more firmly, and no more when bits are frozen', () => {
    const shares = steps.map((step) => drawAfter(relaxation.pull, step, relaxedSteps(relaxation, STEPS)));
    expect(shares[0]).toBeCloseTo(1 - 0.999 ** 5, 12);
    expect(shares[60]).toBeCloseTo(1 - 0.99 ** 5, 12);
    shares.forEach((share, step) => {
      if (step % 5 !== 0 || step >= 120) expect(share).toBe(0);
      else if (step > 0) expect(share).toBeGreaterThan(shares[step - 5]);
    });
    const left = shares.reduce((rest, share) => rest * (1 - share), 1);
    expect(left).toBeLessThan(0.1);
  });

  it.each([
    [{ share: 0 }, 'relaxation: share 0 is not above 0 and below 1'],
    [{ share: 1 }, 'relaxation: share 1 is not above 0 and below 1'],
    [{ interval: 0 }, 'relaxation: interval: 0 is not a whole number of at least 1'],
    [{ pull: [0, 0.5] as const }, 'pull 0 to 0.5: both must be above 0 and below 1'],
    [{ pull: [0.5, Number.NaN] as const }, 'pull 0.5 to NaN: both must be above 0 and below 1'],
  ])('is refused with %j', (change, message) => {
    expect(() => validateRelaxation({ ...relaxation, ...change })).toThrow(new InputError(message));
  });
});
