import { describe, expect, it } from 'vitest';
import { adcModel } from '../../src/hardware/adc-model';
import { constantValue } from '../../src/hardware/constant-table';
import { gainOfWhole, macroBudget, tileBudget, tileConstants } from '../../src/hardware/isaac-tile';

const value = (name: string, unit: string) => constantValue(tileConstants, name, unit);

describe('the ISAAC budget', () => {
  it('adds up to the published macro and tile', () => {
    expect(macroBudget().powerMw).toBeCloseTo(24.08, 6);
    expect(tileBudget().powerMw).toBeCloseTo(329.81, 6);
    // 330 mW and 0.372 mm2 in the paper.
    expect(tileBudget().areaMm2).toBeCloseTo(0.372, 2);
  });
  it('gains 2.39x with a free ADC, 1.60x from 8 to 3 bits and 1.80x from 8 to 2, at equal throughput', () => {
    const { powerMw, adcPowerMw } = tileBudget();
    const sar = adcModel('sar-saberi');
    const gain = (bits: number) => gainOfWhole(adcPowerMw / powerMw, sar.energyPj(bits) / sar.energyPj(8));
    expect(gainOfWhole(adcPowerMw / powerMw, 0)).toBeCloseTo(2.39, 2);
    expect(gain(3)).toBeCloseTo(1.6, 2);
    expect(gain(2)).toBeCloseTo(1.8, 2);
  });
  it('gains 1.85x and 3.2x from 4 to 3 and 2 bits where flash ADCs take 86 % of the energy', () => {
    const flash = adcModel('flash');
    const gain = (bits: number) =>
      gainOfWhole(value('flash.share.energy', '1'), flash.energyPj(bits) / flash.energyPj(4));
    expect(gain(3)).toBeCloseTo(1.85, 2);
    expect(gain(2)).toBeCloseTo(3.2, 1);
  });
});
