import { describe, expect, it } from 'vitest';
import { adcModel } from '../../src/hardware/adc-model';
import { constantValue } from '../../src/hardware/constant-table';
import { constantsAt, hardwarePreset } from '../../src/hardware/hardware-preset';
import { nodesOf, technologyFactors, technologyNodes } from '../../src/hardware/technology-scaling';

describe('technologyFactors', () => {
  it('gives the published factors of area', () => {
    expect(technologyFactors(45, 32).area).toBeCloseTo(0.46, 2);
    expect(technologyFactors(65, 7).area).toBeCloseTo(0.039, 2);
    expect(technologyFactors(32, 20).area).toBeCloseTo(0.46, 2);
  });
  it('gives the published energies at 0.8 V', () => {
    const at45 = 1.018 * 0.64 - 0.3107 * 0.8 + 0.1539;
    const at32 = 0.8367 * 0.64 - 0.4341 * 0.8 + 0.1701;
    const at20 = 0.373 * 0.64 - 0.1582 * 0.8 + 0.04104;
    expect(technologyFactors(45, 32).energy).toBeCloseTo(at32 / at45, 12);
    expect(technologyFactors(32, 20).energy).toBeCloseTo(at20 / at32, 12);
  });
  it('changes nothing within a node, and there and back again', () => {
    for (const node of technologyNodes) expect(technologyFactors(node, node)).toEqual({ energy: 1, area: 1 });
    const [there, back] = [technologyFactors(32, 28), technologyFactors(28, 32)];
    expect(there.energy * back.energy).toBeCloseTo(1, 12);
    expect(there.area).toBeGreaterThan(technologyFactors(32, 20).area);
    expect(there.area).toBeLessThan(1);
  });
  it('refuses nodes outside the table', () => {
    expect(() => technologyFactors(32, 3)).toThrow(/technology node: 3 nm is outside 7 to 130 nm/);
    expect(() => technologyFactors(180, 32)).toThrow(/180 nm/);
    expect(() => technologyFactors(Number.NaN, 32)).toThrow(/NaN nm/);
  });
});

describe('nodesOf', () => {
  it('tells the nodes of energies, powers and areas, not of times, which no node changes', () => {
    expect(nodesOf(constantsAt().tile)).toEqual([32]);
    expect(nodesOf(constantsAt(16).tile)).toEqual([16]);
    const mixed = hardwarePreset([{ name: 'macro.dac.power', value: 2, unit: 'mW', node: 65 }]);
    expect(nodesOf(mixed.tile)).toEqual([65, 32]);
  });
});

describe('hardwarePreset', () => {
  const sarArea = { name: 'sar.area.linear', value: 90, unit: 'um2' };

  it('replaces constants of either table and keeps the others', () => {
    const preset = hardwarePreset([sarArea, { name: 'macro.dac.power', value: 2, unit: 'mW' }], 'mine.json');
    expect(preset.adc.get('sar.area.linear')).toEqual({
      ...sarArea,
      node: 32,
      source: 'mine.json',
      status: 'assumed',
    });
    expect(constantValue(preset.tile, 'macro.dac.power', 'mW')).toBe(2);
    expect(constantValue(preset.tile, 'macro.adc.power', 'mW')).toBe(16);
  });
  it('scales the defaults to a node, not the numbers it brings', () => {
    const preset = hardwarePreset({ adcModel: 'flash', node: 20, constants: [sarArea] });
    const factors = technologyFactors(32, 20);
    expect(preset.adcModel).toBe('flash');
    expect(constantValue(preset.adc, 'sar.area.linear', 'um2')).toBe(90);
    expect(constantValue(preset.tile, 'macro.dac.power', 'mW')).toBeCloseTo(4 * factors.energy, 12);
    expect(constantValue(preset.tile, 'tile.bus.area', 'mm2')).toBeCloseTo(0.09 * factors.area, 12);
    expect(constantValue(preset.tile, 'array.read.time', 'ns')).toBe(100);
    expect(adcModel('flash', preset.adc).energyPj(4)).toBeCloseTo(0.79 * factors.energy, 12);
    // A regression over many nodes has none of its own.
    expect(preset.adc.get('survey.fom.slope')).toBe(constantsAt().adc.get('survey.fom.slope'));
  });
  it.each([
    ['no list or object', 3, /^mine: a list of constants or an object/],
    ['null', null, /^mine: a list/],
    [
      'an unknown field',
      { adc: 'flash' },
      /^mine: field "adc" is unknown; allowed are description, adcModel, node/,
    ],
    ['an unknown ADC model', { adcModel: 'best' }, /^mine\.adcModel: "best"; allowed are sar-saberi/],
    ['a description that is no text', { description: 1 }, /^mine\.description: 1; a text is needed/],
    ['a node in words', { node: '28nm' }, /^mine\.node: 28nm/],
    ['a node out of range', { node: 1 }, /1 nm is outside/],
    ['constants that are no list', { constants: {} }, /^mine\.constants: a list/],
    ['a constant without a name', [{ value: 1, unit: 'pJ' }], /^mine\[0\]\.name: missing/],
    ['no entry', [null], /^mine\[0\]\.name: missing/],
    ['an unknown constant', [{ ...sarArea, name: 'sar.colour' }], /^mine: sar\.colour is no constant/],
    [
      'a constant that moves no cost',
      [{ name: 'macro.adc.power', value: 8, unit: 'mW' }],
      /^mine: macro\.adc\.power moves no cost, only sums of published numbers; leave it out$/,
    ],
    [
      'a constant of the events that no cost reads',
      [{ name: 'event.dac', value: 10, unit: 'pJ' }],
      /event\.dac is no constant/,
    ],
    ['a negative value', [{ ...sarArea, value: -1 }], /^mine: sar\.area\.linear\.value: -1 um2 is negative/],
    ['a missing value', [{ name: 'sar.area.linear', unit: 'um2' }], /^mine: .*value: missing/],
    ['an unknown unit', [{ ...sarArea, unit: 'barn' }], /^mine: .*unit: "barn" is unknown; one of pJ/],
    ['another unit', [{ ...sarArea, unit: 'mm2' }], /^mine: sar\.area\.linear is in mm2 where um2/],
  ])('refuses %s', (_, json, message) => {
    expect(() => hardwarePreset(json, 'mine')).toThrow(message);
  });
});
