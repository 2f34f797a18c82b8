import { describe, expect, it } from 'vitest';
import { devicePreset, devicePresetNames, devicePresets } from '../../src/crossbar/device-presets';
import { programCells, readVariances } from '../../src/crossbar/program-cells';
import { randomStream } from '../../src/tensor/random';

describe('devicePreset', () => {
  it('states value, unit, source and status of every number', () => {
    expect(devicePresets.length).toBeGreaterThanOrEqual(5);
    expect(new Set(devicePresetNames).size).toBe(devicePresets.length);
    for (const { name, constants } of devicePresets) {
      for (const constant of constants) {
        expect(constant.source, `${name} ${constant.field}`).not.toBe('');
        expect(['published', 'derived', 'assumed']).toContain(constant.status);
        if (typeof constant.value === 'number') expect(constant.unit).not.toBe('');
      }
    }
  });

  it('programs cells whose on and off states can be told apart', () => {
    const digits = Uint8Array.from({ length: 4000 }, (_, i) => i % 2);
    for (const name of devicePresetNames) {
      const values = programCells(digits, devicePreset(name), randomStream(1, name));
      let [on, off] = [0, 0];
      values.forEach((value, i) => {
        if (i % 2) on += value / 2000;
        else off += value / 2000;
      });
      expect(on - off, name).toBeGreaterThan(0.8);
      expect(Math.abs(off), name).toBeLessThan(0.1);
    }
  });

  it('has the measured spreads: NeuRRAM 6 % of the on conductance, PCM 4 % at the on state and 4 % read noise', () => {
    const ones = new Uint8Array(20000).fill(1);
    const spread = (values: Float32Array) => {
      const mean = values.reduce((a, b) => a + b) / values.length;
      return Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length);
    };
    const neurram = programCells(ones, devicePreset('reram-neurram'), randomStream(1, 'cells'));
    // 1.053 + 0.2374 G - 1.167e-2 G^2 + 1.536e-4 G^3 at G = 39.26 uS is 1.682 uS.
    expect(spread(neurram)).toBeCloseTo(((1.682 / 39.26) * 40) / 39, 2);
    const { drift, ...still } = devicePreset('pcm');
    expect(drift).toBeDefined();
    expect(spread(programCells(ones, still, randomStream(1, 'cells')))).toBeCloseTo(
      (1.0554 / 25 / 99) * 100,
      2,
    );
    const [variance] = readVariances(Float32Array.of(1), still)!;
    expect(Math.sqrt(variance)).toBeCloseTo((0.0419 * 100) / 99, 3);
  });

  it('names the presets that there are', () => {
    expect(() => devicePreset('flash')).toThrow(/device: "flash" is unknown; one of isaac-reram, /);
  });
});
