import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { largestOf } from '../../src/bitplanes/per-plane';
import { layerStatistics } from '../../src/crossbar/layer-statistics';
import { simulateLayer } from '../../src/crossbar/simulate-layer';
import { adcModel } from '../../src/hardware/adc-model';
import { costModel, designCost } from '../../src/hardware/design-cost';
import { gainSensitivity } from '../../src/hardware/gain-sensitivity';
import { constantsAt, hardwarePreset } from '../../src/hardware/hardware-preset';
import { hardwareReport } from '../../src/hardware/hardware-report';
import { inputActivity } from '../../src/hardware/input-activity';
import { macroBudget } from '../../src/hardware/isaac-tile';
import { type HardwareLayer, layerMapping } from '../../src/hardware/layer-mapping';
import { mapDesigns } from '../../src/hardware/map-designs';
import { replicateLayers, stageNs } from '../../src/hardware/replicate-layers';
import { randomStream } from '../../src/tensor/random';

/** A layer of random codes; `keep` of them nonzero. */
function randomLayer(name: string, keep: number, adcBits: number): HardwareLayer {
  const random = randomStream(7, name);
  const codes = Int8Array.from({ length: 144 * 16 }, () => {
    const code = random.integer(255) - 127;
    return random.uniform() < keep ? code : 0;
  });
  return { name, codes, rows: 144, columns: 16, vectors: 64, tileRows: 128, adcBits };
}

describe('layerMapping', () => {
  it.each([1, 2, 3, 4, 8])('counts what the crossbar statistics count with DACs of %i bits', (dacBits) => {
    for (const keep of [0, 0.01, 0.2, 1]) {
      const layer = { ...randomLayer('conv', keep, 3), dacBits };
      const filled = layerMapping(layer);
      const all = layerMapping(layer, { columnPolicy: 'all' });
      const statistics = layerStatistics({ ...layer, tileRows: 72 });
      expect(filled.conversions).toBe(statistics.conversions);
      expect(all.conversions).toBe(statistics.denseConversions);
      expect(filled.losslessBits).toBe(statistics.requiredAdcBits);
    }
  });
  it('takes ceil(8/d) pulses an input with DACs of d bits, and ADCs for 2^d - 1 times the sums', () => {
    const whole = layerMapping(randomLayer('conv', 1, 6));
    const ones = layerStatistics({ ...randomLayer('conv', 1, 6), tileRows: 72 }).maxOnes;
    for (const [dacBits, pulses] of [
      [2, 4],
      [3, 3],
      [4, 2],
      [5, 2],
      [8, 1],
    ]) {
      const multi = layerMapping({ ...randomLayer('conv', 1, 6), dacBits });
      for (const field of ['pulses', 'conversions', 'rowDrives', 'reads'] as const)
        expect(multi[field] / whole[field]).toBeCloseTo(pulses / 8, 12);
      expect(multi.losslessBits).toBe(Math.ceil(Math.log2(ones * (2 ** dacBits - 1) + 1)));
      // As many input bits are applied, some of them together.
      expect(multi.drivenBits).toBe(whole.rowDrives);
    }
  });
  it('asks for the ADC bits at which a simulated layer can clip at last', () => {
    const rows = 20;
    const inputs = new Uint8Array(rows).fill(255);
    for (const dacBits of [1, 2, 3, 8]) {
      const layer = { codes: new Int8Array(rows).fill(127), rows, columns: 1, vectors: 1, dacBits };
      const bits = layerMapping({ ...layer, name: 'full', adcBits: 1 }).losslessBits;
      expect(simulateLayer({ ...layer, inputs, adc: { bits } }).saturated).toBe(0);
      expect(simulateLayer({ ...layer, inputs, adc: { bits: bits - 1 } }).saturated).toBeGreaterThan(0);
    }
  });
  it('needs ceil(R/k) times the conversions when k rows are driven at a time', () => {
    const layer = { ...randomLayer('conv', 1, 3), rows: 128, codes: new Int8Array(128 * 16).fill(127) };
    const whole = layerMapping(layer);
    const limited = layerMapping(layer, { rowsPerConversion: 7 });
    expect(limited.rowGroups).toBe(19);
    expect(limited.conversions).toBe(19 * whole.conversions);
    expect(limited.rowDrives).toBe(whole.rowDrives);
  });
  it('charges the array for the rows driven, and one of more rows than 128 for its height', () => {
    const layer = { ...randomLayer('conv', 1, 3), rows: 512, codes: new Int8Array(512 * 16).fill(127) };
    const cost = (tileRows: number, rowsPerConversion?: number) =>
      designCost(
        'one',
        [{ mapping: layerMapping({ ...layer, tileRows }, { rowsPerConversion }), adcBits: 8 }],
        costModel(),
      );
    const each = (design: ReturnType<typeof cost>) => design.energyPj.array / design.conversions;
    const usual = cost(128);
    expect(each(cost(128, 8)) / each(usual)).toBeCloseTo(8 / 128, 12);
    expect(each(cost(512)) / each(usual)).toBeCloseTo(4, 12);
    // Lower arrays count as one of 128 rows.
    expect(each(cost(64))).toBe(each(usual));
    expect(cost(512).scopes.macro.areaUm2).toBeGreaterThan(usual.scopes.macro.areaUm2 / 4);
  });
  it('takes no array for empty tiles', () => {
    const codes = new Int8Array(256);
    codes[200] = 1;
    const mapping = layerMapping({
      name: 'a',
      codes,
      rows: 256,
      columns: 1,
      vectors: 1,
      tileRows: 128,
      adcBits: 1,
    });
    expect([mapping.arrays, mapping.columnsConverted, mapping.rowDrives]).toEqual([1, 1, 8 * 128]);
  });
});

describe('layerMapping with inputs', () => {
  // 16 vectors of 144 rows in tiles of 72, mostly zeros; tile 1 gets none in half of them.
  const random = randomStream(3, 'inputs');
  const inputs = Uint8Array.from({ length: 16 * 144 }, (_, i) => {
    const code = random.uniform() < 0.2 ? random.integer(256) : 0;
    return i % 144 >= 72 && i < 8 * 144 ? 0 : code;
  });
  const activity = inputActivity(inputs, { vectors: 16, rows: 144 });
  // Ones in every bit column.
  const codes = Int8Array.from({ length: 144 * 16 }, (_, i) => ((i >> 4) % 2 ? 127 : -127));
  const layer = { ...randomLayer('conv', 1, 3), codes, activity };

  it('counts the driven rows of every tile and bit plane', () => {
    for (const [tile, first, last] of [
      [0, 0, 72],
      [1, 72, 144],
    ]) {
      const expected = new Float64Array(last - first + 1);
      for (let vector = 0; vector < 16; vector++) {
        for (let bit = 0; bit < 8; bit++) {
          let driven = 0;
          for (let row = first; row < last; row++) driven += (inputs[vector * 144 + row] >> bit) & 1;
          expected[driven] += 1 / 128;
        }
      }
      expected.forEach((share, n) => {
        expect(activity.driven[tile][n]).toBeCloseTo(share, 12);
      });
    }
  });
  it('counts a row as driven by a pulse of several bits where any of them is one', () => {
    const { driven, dacBits } = inputActivity(inputs, { vectors: 16, rows: 144, dacBits: 3 });
    expect(dacBits).toBe(3);
    const expected = new Float64Array(73);
    for (let vector = 0; vector < 16; vector++) {
      for (const [first, mask] of [
        [0, 7],
        [3, 7],
        [6, 3],
      ]) {
        let rows = 0;
        for (let row = 0; row < 72; row++) if ((inputs[vector * 144 + row] >> first) & mask) rows++;
        expected[rows] += 1 / 48;
      }
    }
    expected.forEach((share, n) => {
      expect(driven[0][n]).toBeCloseTo(share, 12);
    });
    const skip = { inputBits: true };
    expect(() => layerMapping({ ...layer, dacBits: 3 }, { skip })).toThrow(/1-bit DACs, not 72 and 3/);
  });
  it('skips pulses that drive no row of a tile', () => {
    const whole = layerMapping(layer);
    const skipping = layerMapping(layer, { skip: { inputBits: true } });
    const perTile = whole.columnsConverted / 2;
    const active = activity.driven.map((driven) => 1 - driven[0]);
    expect(active[1]).toBeLessThan(0.51);
    expect(skipping.conversions).toBeCloseTo(perTile * (active[0] + active[1]) * whole.pulses, 6);
    expect(skipping.reads).toBeCloseTo(Math.max(...active) * whole.pulses, 6);
    expect(skipping.losslessBits).toBe(whole.losslessBits);
  });
  it('groups only the rows that are driven', () => {
    const limited = layerMapping(layer, { rowsPerConversion: 7 });
    const skipping = layerMapping(layer, { rowsPerConversion: 7, skip: { rows: true } });
    const groups = activity.driven.map((driven) =>
      driven.reduce((sum, share, n) => sum + share * Math.ceil(n / 7), 0),
    );
    expect(skipping.conversions).toBeCloseTo(
      (limited.columnsConverted / 2) * (groups[0] + groups[1]) * limited.pulses,
      6,
    );
    expect(skipping.conversions).toBeLessThan(limited.conversions / 4);
    const ones = inputs.reduce((sum, code) => sum + code.toString(2).replaceAll('0', '').length, 0);
    const arraysPerTile = layerMapping(layer).arrays / 2;
    expect(skipping.rowDrives).toBeCloseTo((arraysPerTile * ones * 64) / 16, 6);
  });
  it('refuses to skip without the inputs, or with those of other tiles', () => {
    const skip = { inputBits: true };
    expect(() => layerMapping({ ...layer, activity: undefined }, { skip })).toThrow(
      /layer conv: activity: missing/,
    );
    expect(() => layerMapping({ ...layer, tileRows: 64 }, { skip })).toThrow(
      /of 72 rows a tile and 1-bit DACs, not 48 and 1/,
    );
    expect(() => inputActivity(inputs, { vectors: 15, rows: 144 })).toThrow(/2304 codes are not 15 vectors/);
  });
  it('tells the share of cells in use', () => {
    // 144 rows in two tiles, 16 channels of 14 columns in two arrays a tile.
    expect(layerMapping(layer).utilisation).toBeCloseTo((144 * 224) / (4 * 128 * 128), 12);
  });
});

describe('replicateLayers', () => {
  it('gives the copies of least slowest stage, as trying all shows', () => {
    const stages = [
      { latencyNs: 100, vectors: 7, arrays: 3 },
      { latencyNs: 40, vectors: 20, arrays: 1 },
      { latencyNs: 10, vectors: 1, arrays: 5 },
    ];
    const slowest = (copies: readonly number[]) =>
      Math.max(...stages.map((stage, i) => stageNs(stage, copies[i])));
    for (const budget of [9, 12, 17, 24, 40]) {
      let best = Infinity;
      for (let a = 1; a <= 13; a++)
        for (let b = 1; b <= 40; b++)
          for (let c = 1; c <= 8; c++)
            if (3 * a + b + 5 * c <= budget) best = Math.min(best, slowest([a, b, c]));
      expect(slowest(replicateLayers(stages, budget))).toBe(best);
    }
    // No copy without a vector of its own, however many arrays there are.
    expect(replicateLayers(stages, 1e9)).toEqual([7, 3, 1]);
    expect(() => replicateLayers(stages, 8)).toThrow(
      /arrays: 8 are not enough; one copy of each layer takes 9/,
    );
  });
});

describe('designCost', () => {
  it('makes a pipeline faster with more arrays, at the same energy', () => {
    const layers = [
      { mapping: layerMapping(randomLayer('wide', 1, 6)), adcBits: 6 },
      { mapping: layerMapping({ ...randomLayer('small', 1, 6), vectors: 4 }), adcBits: 6 },
    ];
    const one = designCost('one', layers);
    const balanced = designCost('balanced', layers, costModel(), { arrayBudget: 3 * one.arrays });
    expect(balanced.layers.map(({ copies }) => copies)).toEqual([5, 1]);
    // Of 64 vectors one of five copies takes 13.
    expect(one.intervalNs / balanced.intervalNs).toBeCloseTo(64 / 13, 12);
    expect(balanced.scopes.macro.energyPj).toBe(one.scopes.macro.energyPj);
    expect(balanced.scopes.adc.areaUm2 / one.scopes.adc.areaUm2).toBeCloseTo(
      balanced.arrays / one.arrays,
      12,
    );
  });
  it('shares an array among as many ADCs as a preset has', () => {
    const layers = [{ mapping: layerMapping(randomLayer('one', 1, 6)), adcBits: 6 }];
    const four = hardwarePreset([{ name: 'array.adcs', value: 4, unit: '1' }]);
    const [one, shared] = [designCost('a', layers), designCost('a', layers, costModel('sar-saberi', four))];
    expect(shared.scopes.adc.areaUm2).toBeCloseTo(4 * one.scopes.adc.areaUm2, 6);
    expect(shared.scopes.macro.energyPj).toBe(one.scopes.macro.energyPj);
    // 128 columns at 1.2 GS/s are 107 ns a read, 32 less than the array's 100 ns.
    expect(one.latencyNs / shared.latencyNs).toBeCloseTo(1.0667, 4);
    const slow = (adcs: number) =>
      hardwarePreset([
        { name: 'array.adcs', value: adcs, unit: '1' },
        { name: 'array.read.time', value: 1, unit: 'ns' },
      ]);
    const timeOf = (adcs: number) => designCost('a', layers, costModel('sar-saberi', slow(adcs))).latencyNs;
    expect(timeOf(1) / timeOf(4)).toBeCloseTo(4, 12);
  });
  it('has TOPS/W and TOPS/mm2 of what it computes', () => {
    const mapping = layerMapping(randomLayer('one', 1, 6));
    const { scopes, intervalNs, macs, layers } = designCost('a', [{ mapping, adcBits: 6 }]);
    expect(macs).toBe(144 * 16 * 64);
    const { topsPerW, topsPerMm2, energyPj, areaUm2 } = scopes.macro;
    expect(topsPerW).toBeCloseTo((2 * macs) / 1e12 / (energyPj * 1e-12), 9);
    expect(topsPerMm2).toBeCloseTo((2 * macs) / 1e12 / (intervalNs * 1e-9) / (areaUm2 * 1e-6), 9);
    expect(layers[0].scopes.macro).toEqual(scopes.macro);
  });
  it('draws the published macro power from eight full arrays with 8-bit ADCs', () => {
    // 128 rows x 1024 columns: 73 channels of 14 fill 1022 columns; the fit of the 8-bit SAR is off by 0.1 %.
    const codes = new Int8Array(128 * 73).map((_, i) => (i % 2 ? 127 : -127));
    for (let n = 0; n < 73; n++) codes[n] = 127 * (codes[n] > 0 ? -1 : 1);
    const mapping = layerMapping({ name: 'full', codes, rows: 128, columns: 73, vectors: 1, adcBits: 8 });
    const { scopes, latencyNs } = designCost('full', [{ mapping, adcBits: 8 }]);
    expect(mapping.arrays).toBe(8);
    expect(scopes.macro.energyPj / latencyNs / macroBudget().powerMw).toBeCloseTo(1, 2);
    expect(scopes.macro.areaUm2 / 1e6 / macroBudget().areaMm2).toBeCloseTo(1, 2);
    expect(latencyNs).toBeCloseTo(8 * (128 / 1.2), 6);
  });
  it('doubles the energy and area of a DAC with each bit, as MNSIM 2.0 does from ISAAC’s', () => {
    // MNSIM 2.0, Hardware_Model/DAC.py (where 8 bits stand as 0.4992 W, for mW).
    const table = [
      { dacBits: 1, areaUm2: 0.166, powerMw: 0.0039 },
      { dacBits: 2, areaUm2: 0.332, powerMw: 0.0078 },
      { dacBits: 3, areaUm2: 0.664, powerMw: 0.0156 },
      { dacBits: 4, areaUm2: 1.328, powerMw: 0.0312 },
      { dacBits: 6, areaUm2: 5.312, powerMw: 0.1248 },
      { dacBits: 8, areaUm2: 21.248, powerMw: 0.4992 },
    ];
    const costOf = (dacBits: number) => {
      const mapping = layerMapping({ ...randomLayer('one', 1, 6), dacBits });
      const cost = designCost('a', [{ mapping, adcBits: 6 }]);
      const { arrays } = mapping;
      return { cost, perDrive: cost.energyPj.dac / mapping.rowDrives, dacs: 128 * arrays };
    };
    const one = costOf(1);
    for (const { dacBits, areaUm2, powerMw } of table) {
      const { cost, perDrive, dacs } = costOf(dacBits);
      const added = cost.scopes.macro.areaUm2 - one.cost.scopes.macro.areaUm2;
      expect(Math.abs(added / dacs - (areaUm2 - 0.166))).toBeLessThan(1e-3 * areaUm2);
      expect(perDrive / one.perDrive / (powerMw / 0.0039)).toBeCloseTo(1, 4);
      expect(cost.energyPj['input-register']).toBeCloseTo(one.cost.energyPj['input-register'], 6);
    }
  });
  it('takes for each conversion the energy of its plane, and area and time of the largest ADC', () => {
    const bits = [0, 1, 2, 2, 3, 3, 3];
    const layer = randomLayer('planes', 0.02, 3);
    // No ones in the lowest plane.
    const mapping = layerMapping({ ...layer, codes: layer.codes.map((code) => 2 * Math.trunc(code / 2)) });
    expect(mapping.planes[0]).toEqual({ conversions: 0, losslessBits: 0 });
    expect(mapping.planes.reduce((sum, { conversions }) => sum + conversions, 0)).toBe(mapping.conversions);
    const cost = designCost('planes', [{ mapping, adcBits: bits }]);
    const largest = designCost('largest', [{ mapping, adcBits: 3 }]);
    const { energyPj } = adcModel('sar-saberi');
    const expected = mapping.planes.slice(1).map(({ conversions }, i) => conversions * energyPj(bits[i + 1]));
    expect(cost.scopes.adc.energyPj).toBeCloseTo(
      expected.reduce((sum, energy) => sum + energy, 0),
      6,
    );
    expect(cost.layers[0].conversionsByBits.map((at) => at.bits)).toEqual([1, 2, 3]);
    expect(cost.scopes.adc.energyPj).toBeLessThan(largest.scopes.adc.energyPj);
    expect([cost.scopes.adc.areaUm2, cost.latencyNs]).toEqual([
      largest.scopes.adc.areaUm2,
      largest.latencyNs,
    ]);
    const full = layerMapping(layer);
    expect(() => designCost('a', [{ mapping: full, adcBits: bits }])).toThrow(
      /layer planes: plane 0 has no ADC but holds ones/,
    );
    expect(() => designCost('a', [{ mapping, adcBits: [1, 2] }])).toThrow(
      /layer planes: adcBits: 2 numbers for the 7 planes/,
    );
  });
  it('costs nothing for a layer of zeros', () => {
    const mapping = layerMapping(randomLayer('zero', 0, 0));
    const cost = designCost('zero', [{ mapping, adcBits: 0 }]);
    expect([cost.conversions, cost.scopes.macro.energyPj, cost.scopes.adc.areaUm2, cost.latencyNs]).toEqual([
      0, 0, 0, 0,
    ]);
  });
});

describe('hardwareReport', () => {
  const dense = ['one', 'two'].map((name) => randomLayer(name, 1, 8));
  const pruned = ['one', 'two'].map((name) => randomLayer(name, 0.02, 3));
  const report = hardwareReport({ layers: pruned, denseLayers: dense });

  it('compares with the dense network twice and with row-limited operation', () => {
    expect(report.baselines.map(({ cost }) => cost.name)).toEqual([
      'dense, worst case',
      'dense, measured',
      'row-limited dense',
    ]);
    const [worst, measured, limited] = report.baselines.map(({ cost }) => cost.layers[0]);
    expect(worst.adcBits).toBe(7);
    expect(measured.adcBits).toBeLessThan(7);
    expect(limited.adcBits).toBe(3);
    // 11 row groups in each tile of 72 rows.
    expect(limited.conversions / measured.conversions).toBeCloseTo(11, 0);
  });
  it('gives the baselines ADCs for full pulses of the DACs', () => {
    const layers = pruned.map((layer) => ({ ...layer, adcBits: 4, dacBits: 2 }));
    const denseLayers = dense.map((layer) => ({ ...layer, dacBits: 2 }));
    const [worst, measured, limited] = hardwareReport({ layers, denseLayers }).baselines.map(
      ({ cost }) => cost.layers[0],
    );
    expect(worst.adcBits).toBe(8); // 72 rows of 3 are 216
    expect(measured.adcBits).toBe(layerMapping(denseLayers[0]).losslessBits);
    expect(limited.adcBits).toBe(4);
    // Five rows of 3 are read at once: 15 groups in each tile of 72 rows.
    expect(limited.conversions / measured.conversions).toBeCloseTo(15, 0);
    const [single] = hardwareReport({ layers: layers.map((layer) => ({ ...layer, adcBits: 1 })) })
      .baselines.slice(-1)
      .map(({ cost }) => cost.layers[0].adcBits);
    expect(single).toBe(2);
  });
  it('makes the ADC energy of conversions and bits, and each scope contain the one before', () => {
    const sar = adcModel('sar-saberi');
    for (const design of [report.pruned, ...report.baselines.map(({ cost }) => cost)]) {
      const energy = design.layers.reduce(
        (sum, l) => sum + l.conversions * sar.energyPj(largestOf(l.adcBits)),
        0,
      );
      expect(design.scopes.adc.energyPj / energy).toBeCloseTo(1, 12);
      const { adc, macro, tile } = design.scopes;
      expect(adc.energyPj < macro.energyPj && macro.energyPj < tile.energyPj).toBe(true);
      expect(adc.areaUm2 < macro.areaUm2 && macro.areaUm2 < tile.areaUm2).toBe(true);
    }
  });
  it('costs with a list of equal ADC bits what it costs with the number', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 0.1, noNaN: true }),
        fc.integer({ min: 1, max: 8 }),
        (keep, bits) => {
          const layer = randomLayer('one', keep, bits);
          const of = (adcBits: number | number[]) => {
            const { pruned, baselines, notes } = hardwareReport({
              layers: [{ ...layer, adcBits }],
              denseLayers: [layer],
            });
            const layers = pruned.layers.map(({ adcBits: _, ...rest }) => rest);
            return { ...pruned, layers, baselines, notes };
          };
          expect(of(new Array(7).fill(bits))).toEqual(of(bits));
        },
      ),
      { numRuns: 20 },
    );
  });
  it('gains most at the ADC and least at the tile, against every baseline', () => {
    for (const { gains } of report.baselines) {
      expect(gains.adc.energy).toBeGreaterThan(gains.macro.energy);
      expect(gains.macro.energy).toBeGreaterThan(gains.tile.energy);
      expect(gains.adc.energyArea).toBeCloseTo(gains.adc.energy * gains.adc.area, 9);
    }
  });
  it('says what is extrapolated, and which layers clip', () => {
    expect(report.notes.join('\n')).toMatch(/pruned: ADC bits outside 4-10/);
    const wide = hardwareReport({ layers: pruned.map((layer) => ({ ...layer, dacBits: 2 })) });
    expect(wide.notes.join('\n')).toMatch(/2-bit DACs: energy and area double a bit/);
    const clipped = hardwareReport({ layers: [randomLayer('one', 1, 2)] });
    expect(clipped.notes[0]).toMatch(/clipped operation: one/);
    expect(clipped.baselines.length).toBe(2);
  });
  it('finds its gains move with the units of multi-bit DACs, and not of 1-bit ones', () => {
    const constantsOf = (dacBits: number) => {
      const wide = <Layer>(layers: readonly Layer[]) => layers.map((layer) => ({ ...layer, dacBits }));
      const designs = mapDesigns({ layers: wide(pruned), denseLayers: wide(dense) });
      return gainSensitivity(designs, { constants: constantsAt(), baseline: 'dense, measured' }).map(
        ({ constant }) => constant,
      );
    };
    expect(constantsOf(2)).toContain('dac.unit.energy');
    expect(constantsOf(1)).not.toContain('dac.unit.energy');
  });
  it('gains nothing against itself', () => {
    const { baselines } = hardwareReport({
      layers: dense.map((layer) => ({ ...layer, adcBits: layerMapping(layer).losslessBits })),
      denseLayers: dense,
    });
    expect(baselines[1].gains.tile).toEqual({
      energy: 1,
      area: 1,
      latency: 1,
      energyArea: 1,
      topsPerMm2: 1,
      product: 1,
    });
  });
  it('refuses layers that do not belong together, and ADCs below a model’s validity', () => {
    expect(() => hardwareReport({ layers: pruned, denseLayers: [dense[0]] })).toThrow(
      /denseLayers: 1 layers/,
    );
    expect(() => hardwareReport({ layers: pruned, denseLayers: [dense[1], dense[0]] })).toThrow(
      /denseLayers\[0\]\.name: two where the pruned network has one/,
    );
    expect(() => hardwareReport({ layers: pruned, adcModel: 'survey' })).toThrow(/survey: 3 bits/);
    expect(() => hardwareReport({ layers: [] })).toThrow(/no layers/);
    expect(() => hardwareReport({ layers: [{ ...pruned[0], vectors: 0 }] })).toThrow(/layer one: vectors: 0/);
  });
});
