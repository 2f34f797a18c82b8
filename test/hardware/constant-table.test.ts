import { describe, expect, it } from 'vitest';
import { adcConstants } from '../../src/hardware/adc-model';
import { constantTable, constantValue, withConstants } from '../../src/hardware/constant-table';
import { tileConstants } from '../../src/hardware/isaac-tile';

const good = { name: 'a', value: 1, unit: 'pJ', node: 32, source: 'a book', status: 'published' };

describe('constantTable', () => {
  it('holds value, unit, node, source and status of every constant of the model', () => {
    expect(adcConstants.size).toBeGreaterThan(30);
    expect(tileConstants.size).toBeGreaterThan(30);
  });
  it.each([
    ['no list', {}, /^t: a list/],
    ['no name', [{ ...good, name: undefined }], /^t\[0\]\.name: missing/],
    ['a name twice', [good, good], /^t: a: given twice/],
    ['no value', [{ ...good, value: undefined }], /^t: a\.value: missing/],
    ['NaN', [{ ...good, value: Number.NaN }], /^t: a\.value: NaN/],
    ['a negative energy', [{ ...good, value: -1 }], /^t: a\.value: -1 pJ is negative/],
    ['a resistance of 0', [{ ...good, value: 0, unit: 'ohm' }], /^t: a\.value: a resistance is above 0/],
    ['a rate of 0', [{ ...good, value: 0, unit: 'GS/s' }], /^t: a\.value: a rate is above 0/],
    ['an unknown unit', [{ ...good, unit: 'erg' }], /^t: a\.unit: "erg" is unknown/],
    ['no source', [{ ...good, source: '' }], /^t: a\.source: missing/],
    ['an unknown status', [{ ...good, status: 'guessed' }], /^t: a\.status: "guessed"/],
    ['a negative node', [{ ...good, node: -7 }], /^t: a\.node: -7/],
  ])('refuses %s', (_, list, message) => {
    expect(() => constantTable(list, 't')).toThrow(message);
  });
  it('refuses a constant asked for in another unit, or not there', () => {
    const table = constantTable([good]);
    expect(constantValue(table, 'a', 'pJ')).toBe(1);
    expect(() => constantValue(table, 'a', 'ns')).toThrow(/a is in pJ where ns is needed/);
    expect(() => constantValue(table, 'b', 'ns')).toThrow(/b is missing/);
  });
  it('refuses a preset that names no constant of the model, changes its unit or counts in parts', () => {
    const table = constantTable([good]);
    expect(constantValue(withConstants(table, [{ ...good, value: 2 }]), 'a', 'pJ')).toBe(2);
    const counts = constantTable([{ ...good, value: 8, unit: '1' }]);
    for (const value of [0, -8, 1.5])
      expect(() => withConstants(counts, [{ ...good, value, unit: '1' }], 'mine')).toThrow(
        `mine: a.value: ${value}; it counts, so a whole number from 1 is needed`,
      );
    const slopes = constantTable([{ ...good, value: -2.3, unit: '1' }]);
    expect(withConstants(slopes, [{ ...good, value: -1.5, unit: '1' }]).get('a')?.value).toBe(-1.5);
    expect(() => withConstants(table, [{ ...good, name: 'b' }])).toThrow(/b is no constant/);
    expect(() => withConstants(table, [{ ...good, unit: 'ns' }])).toThrow(/a is in ns where pJ/);
  });
});
