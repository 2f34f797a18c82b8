import { describe, expect, it } from 'vitest';
import { adcConstants, adcModel } from '../../src/hardware/adc-model';
import presetList from '../../src/hardware/constants/presets.json';
import { costModel, designCost } from '../../src/hardware/design-cost';
import { constantsAt, hardwarePreset } from '../../src/hardware/hardware-preset';
import { tileConstants } from '../../src/hardware/isaac-tile';
import { layerMapping } from '../../src/hardware/layer-mapping';
import { hardwarePresetNames, namedHardwarePreset } from '../../src/hardware/named-presets';

/** One pulse into a full array of 128 rows and columns, at 4 bits; and its ADC's share. */
function fullArray(name: string) {
  const { adcModel, ...constants } = namedHardwarePreset(name);
  // One column a channel: the codes have one bit.
  const codes = new Int8Array(128 * 128).fill(1);
  const shape = { rows: 128, columns: 128, vectors: 1, inputBits: 1, weightBits: 2 };
  const mapping = layerMapping({ name, codes, adcBits: 4, ...shape });
  expect([mapping.arrays, mapping.conversions]).toEqual([1, 128]);
  const { scopes } = designCost(name, [{ mapping, adcBits: 4 }], costModel(adcModel, constants));
  return {
    topsPerW: scopes.macro.topsPerW,
    energyShare: scopes.adc.energyPj / scopes.macro.energyPj,
    areaShare: scopes.adc.areaUm2 / scopes.macro.areaUm2,
  };
}

describe('the presets of published designs', () => {
  it('give every constant a value, unit, node, source and status, and every design a description', () => {
    for (const [name, json] of Object.entries(presetList)) {
      const { description, adcModel, adc, tile } = namedHardwarePreset(name);
      expect([description, adcModel]).not.toContain(undefined);
      for (const constant of json.constants) {
        expect(Object.keys(constant)).toEqual(['name', 'value', 'unit', 'node', 'source', 'status']);
        expect(adc.get(constant.name) ?? tile.get(constant.name)).toEqual(constant);
      }
    }
  });
  it('are the defaults for ISAAC and TinyADC, and the law of their own ADC for PUMA and FORMS', () => {
    for (const name of ['isaac', 'tinyadc', 'puma', 'forms']) {
      const { adc, tile } = namedHardwarePreset(name);
      expect({ adc, tile }).toEqual({ adc: adcConstants, tile: tileConstants });
    }
    const laws = hardwarePresetNames.map((name) => namedHardwarePreset(name).adcModel);
    expect(laws).toEqual(['sar-saberi', 'sar-saberi', 'puma', 'forms', 'sar-neurosim', 'flash', 'flash']);
  });
  it('let 16 ADCs of NeuroSim share an array', () => {
    const { adc, tile } = namedHardwarePreset('neurosim-sar');
    const columns = tile.get('array.columns')!.value / tile.get('array.adcs')!.value;
    expect(adcModel('sar-neurosim', adc).readNs(4, columns)).toBe(8 * 5);
  });
  it('give 4-bit flash ADCs the shares of Kim et al.: 86 % of energy, 57 % of area', () => {
    const { energyShare, areaShare } = fullArray('neurosim-flash');
    expect(energyShare).toBeCloseTo(0.86, 4);
    expect(areaShare).toBeCloseTo(0.57, 4);
  });
  it('give the macro of Xiao et al. its 646.6 TOPS/W at one conversion a product, at 28 nm', () => {
    expect(fullArray('xiao').topsPerW).toBeCloseTo(646.6, 1);
    const { tile } = namedHardwarePreset('xiao');
    expect(tile.get('tile.bus.power')).toEqual(constantsAt(28).tile.get('tile.bus.power'));
  });
  it('are taken as a user’s, too', () => {
    for (const [name, json] of Object.entries(presetList))
      expect(hardwarePreset(json)).toEqual(namedHardwarePreset(name));
  });
  it('refuse an unknown name with those there are', () => {
    expect(() => namedHardwarePreset('isac')).toThrow(
      /^preset: "isac" is unknown; one of isaac, tinyadc, puma, forms, neurosim-sar, neurosim-flash, xiao is needed$/,
    );
  });
});
