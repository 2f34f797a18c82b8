import { describe, expect, it } from 'vitest';
import { layerStatistics } from '../../src/crossbar/layer-statistics';
import { adcModel } from '../../src/hardware/adc-model';
import { designCost } from '../../src/hardware/design-cost';
import { hardwareReport } from '../../src/hardware/hardware-report';
import { macroBudget } from '../../src/hardware/isaac-tile';
import { type HardwareLayer, layerMapping } from '../../src/hardware/layer-mapping';
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
  it('counts what the crossbar statistics count', () => {
    for (const keep of [0, 0.01, 0.2, 1]) {
      const layer = randomLayer('conv', keep, 3);
      const filled = layerMapping(layer);
      const all = layerMapping(layer, { columnPolicy: 'all' });
      const statistics = layerStatistics(layer);
      expect(filled.conversionsPerPulse * filled.pulses).toBe(statistics.conversions);
      expect(all.conversionsPerPulse * all.pulses).toBe(statistics.denseConversions);
      expect(filled.losslessBits).toBe(statistics.requiredAdcBits);
    }
  });
  it('needs ceil(R/k) times the conversions when k rows are driven at a time', () => {
    const layer = { ...randomLayer('conv', 1, 3), rows: 128, codes: new Int8Array(128 * 16).fill(127) };
    const whole = layerMapping(layer);
    const limited = layerMapping(layer, { rowsPerConversion: 7 });
    expect(limited.rowGroups).toBe(19);
    expect(limited.conversionsPerPulse).toBe(19 * whole.conversionsPerPulse);
    expect(limited.rowDrivesPerPulse).toBe(whole.rowDrivesPerPulse);
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
    expect([mapping.arrays, mapping.columnsConverted, mapping.rowDrivesPerPulse]).toEqual([1, 1, 128]);
  });
});

describe('designCost', () => {
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
    expect(worst.adcBits).toBe(8);
    expect(measured.adcBits).toBeLessThan(8);
    expect(limited.adcBits).toBe(3);
    // 19 row groups in the tile of 128 rows, 3 in that of 16.
    expect(limited.conversions / measured.conversions).toBeCloseTo(11, 0);
  });
  it('makes the ADC energy of conversions and bits, and each scope contain the one before', () => {
    const sar = adcModel('sar-saberi');
    for (const design of [report.pruned, ...report.baselines.map(({ cost }) => cost)]) {
      const energy = design.layers.reduce((sum, l) => sum + l.conversions * sar.energyPj(l.adcBits), 0);
      expect(design.scopes.adc.energyPj / energy).toBeCloseTo(1, 12);
      const { adc, macro, tile } = design.scopes;
      expect(adc.energyPj < macro.energyPj && macro.energyPj < tile.energyPj).toBe(true);
      expect(adc.areaUm2 < macro.areaUm2 && macro.areaUm2 < tile.areaUm2).toBe(true);
    }
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
    const clipped = hardwareReport({ layers: [randomLayer('one', 1, 2)] });
    expect(clipped.notes[0]).toMatch(/clipped operation: one/);
    expect(clipped.baselines.length).toBe(2);
  });
  it('gains nothing against itself', () => {
    const { baselines } = hardwareReport({
      layers: dense.map((layer) => ({ ...layer, adcBits: layerMapping(layer).losslessBits })),
      denseLayers: dense,
    });
    expect(baselines[1].gains.tile).toEqual({ energy: 1, area: 1, latency: 1, energyArea: 1 });
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
