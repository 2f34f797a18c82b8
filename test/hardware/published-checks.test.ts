import { describe, expect, it } from 'vitest';
import { publishedChecks } from '../../src/hardware/published-checks';

const checks = publishedChecks();
const of = (source: string) => checks.filter((check) => check.source === source);

describe('publishedChecks', () => {
  it('fits the SAR table to half a per cent', () => {
    expect(of('SAR table 4-10 bits').length).toBe(2);
    for (const { difference } of of('SAR table 4-10 bits')) expect(Math.abs(difference)).toBeLessThan(0.005);
  });
  it('adds ISAAC up from its parts to the published totals within one per cent', () => {
    expect(of('ISAAC').length).toBe(8);
    for (const { difference } of of('ISAAC')) expect(Math.abs(difference)).toBeLessThan(0.01);
    // 168 tiles x 96 arrays x 2048 MACs (128 rows x 16 weights of eight cells) a 1600 ns, over 85.4 mm2.
    expect(of('ISAAC')[7].computed).toBeCloseTo((168 * 96 * 2048 * 2) / 1600 / 1000 / 85.4, 9);
  });
  it('puts TinyADC between the tile and the ADC alone', () => {
    const [adcPower, tilePower, adcArea, tileArea] = of('TinyADC').map(({ computed }) => computed);
    expect(adcPower).toBeCloseTo(2.83, 2);
    expect(tilePower).toBeCloseTo(1.6, 2);
    expect(adcArea).toBeGreaterThan(2.9);
    expect(tileArea).toBeLessThan(2.9);
  });
  it('finds FORMS within 5 per cent from its ADC alone', () => {
    // 329.81 mW a tile, of which 192 mW ADCs; 0.226 pJ instead of 16 mW / (8 x 1.2 GS/s).
    const expected = 329.81 / (329.81 - 192 + (192 * 0.226) / (16 / 9.6));
    expect(of('FORMS')[0].computed).toBeCloseTo(expected, 9);
    expect(Math.abs(of('FORMS')[0].difference)).toBeLessThan(0.05);
  });
  it('says why Kim’s shares and the charge-domain macro are not reached', () => {
    const shares = of('Kim et al.').map(({ computed }) => computed);
    // 0.79 pJ beside (24.08 - 16) mW / 9.6 GS/s.
    expect(shares[0]).toBeCloseTo(0.79 / (0.79 + 8.08 / 9.6), 9);
    expect(shares[1]).toBeGreaterThan(shares[0]);
    const [charge, serial] = of('Xiao et al.');
    expect(charge.computed / serial.computed).toBeCloseTo(24, 9);
    expect(charge.computed).toBeLessThan(charge.published);
    for (const { reason } of checks) expect(reason).not.toBe('');
  });
});
