import { describe, expect, it } from 'vitest';
import { InputError } from '../../src/errors';
import {
  type AdcModelName,
  adcConstants,
  adcEnergy,
  adcModel,
  adcModelNames,
  checkAdcBits,
  isExtrapolated,
} from '../../src/hardware/adc-model';
import { constantValue, withConstants } from '../../src/hardware/constant-table';

const within = (value: number, published: number, tolerance: number) =>
  expect(Math.abs(value / published - 1)).toBeLessThanOrEqual(tolerance);

describe('the Saberi-scaled SAR', () => {
  const sar = adcModel('sar-saberi');
  it.each([4, 5, 6, 7, 8, 9, 10])(
    'gives the published energy within 0.5 %% and area within 0.1 %% at %i bits',
    (b) => {
      within(sar.energyPj(b), constantValue(adcConstants, `sar.table.energy.${b}`, 'pJ'), 0.005);
      within(sar.areaUm2!(b), constantValue(adcConstants, `sar.table.area.${b}`, 'um2'), 0.001);
    },
  );
  it('says that 2 and 3 bits are extrapolated', () => {
    expect([2, 3, 4, 10, 11].map((b) => isExtrapolated(sar, b))).toEqual([true, true, false, false, true]);
    expect(adcEnergy({ conversions: 10, bits: 3, model: sar })).toEqual({
      energyPj: 10 * sar.energyPj(3),
      extrapolated: true,
    });
  });
});

describe('an ADC model', () => {
  it('costs more energy, area and time at more bits, whichever it is', () => {
    for (const name of adcModelNames) {
      const model = adcModel(name);
      for (let b = model.lowestBits; b < model.highestBits; b++) {
        expect(model.energyPj(b)).toBeGreaterThan(0);
        expect(model.energyPj(b + 1)).toBeGreaterThan(model.energyPj(b));
        if (model.areaUm2) expect(model.areaUm2(b + 1)).toBeGreaterThan(model.areaUm2(b));
        expect(model.readNs(b + 1, 128)).toBeGreaterThanOrEqual(model.readNs(b, 128));
      }
    }
  });
  it('has the published points: NeuroSim, PUMA, Newton, FORMS', () => {
    // 8 bits at 10 kOhm: P = 8.1256 + 7.6286 + 83709 exp(-9.252) uW for 9 ns.
    within(
      adcModel('sar-neurosim').energyPj(8),
      ((8.1256 + 7.6286 + 83709 * Math.exp(-9.252)) * 9) / 1000,
      1e-9,
    );
    within(adcModel('puma').energyPj(8) * 128, 2 * 100, 1e-9);
    within(adcModel('newton').energyPj(9), 3.1 / 1.2, 1e-9);
    expect([adcModel('forms').energyPj(4), adcModel('forms').areaUm2!(4)]).toEqual([0.226, 284]);
  });
  it('scales a flash with its 2^b - 1 comparators', () => {
    const flash = adcModel('flash');
    within(flash.energyPj(3) / flash.energyPj(4), 7 / 15, 1e-12);
    within(flash.energyPj(4), 0.79, 1e-12);
  });
  it('refuses the survey regression below 4 bits and names the valid range', () => {
    const survey = adcModel('survey');
    expect(() => adcEnergy({ conversions: 1, bits: 3, model: survey })).toThrow(InputError);
    expect(() => checkAdcBits(survey, 3)).toThrow(/survey: 3 bits is outside its validity \(4 to 14 bits\)/);
    // 4x the energy for each bit: noise-limited figure of merit.
    within(survey.energyPj(8) / survey.energyPj(7), 10 ** 0.602, 1e-9);
    expect(() => checkAdcBits(adcModel('forms'), 3)).toThrow(/4 bits only/);
  });
  it('costs nothing without conversions, even at 0 bits', () => {
    expect(adcEnergy({ conversions: 0, bits: 0, model: adcModel('survey') }).energyPj).toBe(0);
  });
  it('follows a preset’s constants', () => {
    const preset = [{ ...adcConstants.get('sar.energy.linear')!, value: 0.3 }];
    const sar = adcModel('sar-saberi', withConstants(adcConstants, preset));
    within(sar.energyPj(4), 1.2 + 16 * 4.14e-4, 1e-12);
  });
  it('refuses unknown names, bits and counts', () => {
    expect(() => adcModel('pipeline' as AdcModelName)).toThrow(
      /ADC model: "pipeline" is unknown; one of sar-saberi/,
    );
    expect(() => checkAdcBits(adcModel('flash'), 2.5)).toThrow(/2\.5 bits/);
    expect(() => adcEnergy({ conversions: -1, bits: 4, model: adcModel('flash') })).toThrow(
      /conversions: -1/,
    );
  });
});
