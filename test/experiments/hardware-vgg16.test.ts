import { describe, expect, it } from 'vitest';
import { evenTileRows } from '../../src/bitplanes/even-tile-rows';
import { designsTable, gainsTable, layersTable } from '../../src/experiments/hardware-report';
import { networkHardware, summarizeHardware } from '../../src/experiments/network-hardware';
import { FAIR_BASELINE, ROW_LIMITED, WORST_CASE } from '../../src/hardware/map-designs';
import { foldedDescription } from '../../src/networks/fold-batch-norm';
import { networkByName } from '../../src/networks/network-by-name';
import { nodeShapes } from '../../src/networks/node-shapes';
import { crossbarNodes } from '../../src/quantization/crossbar-layers';
import type { IntegerLayer, IntegerNetwork } from '../../src/quantization/integer-network';
import { requireTable } from '../../src/reports/table';
import { randomStream } from '../../src/tensor/random';

const description = foldedDescription(networkByName('vgg16'));
const shapes = nodeShapes(description);
const tileRows = 128;

/** Random 8-bit codes, in every tile only those of the first `rowsUsed` rows. */
function randomVgg16(rowsUsed: number): IntegerNetwork {
  const layers = crossbarNodes(description).map((node): [string, IntegerLayer] => {
    const { name } = node;
    const [rows, columns] =
      node.op === 'dense'
        ? [node.inFeatures, node.outFeatures]
        : [node.inChannels * node.kernel ** 2, node.outChannels];
    const random = randomStream(5, name);
    const codes = new Int8Array(rows * columns);
    for (let row = 0; row < rows; row++)
      if (row % tileRows < rowsUsed)
        for (let column = 0; column < columns; column++)
          codes[row * columns + column] = random.integer(255) - 127;
    const scales = new Float32Array(columns).fill(1);
    const bias = new Float32Array(columns);
    return [
      name,
      { name, codes, rows, columns, scales, bias, inputScale: 1, inputBits: 8, inputSigned: false },
    ];
  });
  return {
    description,
    weightBits: 8,
    mean: [0.5, 0.5, 0.5],
    std: [0.25, 0.25, 0.25],
    layers: new Map(layers),
    pruning: { tileRows, adcBits: 2, method: 'truncation', bitLimit: {}, encoding: 'sign-split' },
  };
}

describe('networkHardware of VGG-16 for CIFAR10', () => {
  const dense = randomVgg16(tileRows);
  const report = networkHardware(randomVgg16(3), { tileRows, dense, adcBits: () => 2 });
  const [worst, measured, limited] = report.baselines.map(({ cost }) => cost);
  const layers = [...dense.layers.values()].map((layer) => {
    const [height, width] = shapes.get(layer.name)!;
    return { ...layer, vectors: height * width, tiles: Math.ceil(layer.rows / tileRows) };
  });

  it('maps its 13 convolutions, down to 2 x 2 outputs, and its classifier', () => {
    expect(layers.map(({ vectors }) => vectors)).toEqual([
      1024, 1024, 256, 256, 64, 64, 64, 16, 16, 16, 4, 4, 4, 1,
    ]);
    expect(report.pruned.macs).toBe(313_201_664);
    expect(report.baselines.map(({ cost }) => cost.name)).toEqual([WORST_CASE, FAIR_BASELINE, ROW_LIMITED]);
  });
  it('counts every column of every tile and pulse in the worst case', () => {
    layers.forEach(({ name, columns, tiles, vectors }, i) => {
      expect(worst.layers[i]).toMatchObject({
        name,
        conversions: columns * 14 * tiles * 8 * vectors,
        arrays: tiles * Math.ceil((columns * 14) / 128),
      });
    });
  });
  it('drives three rows at a time where nothing was pruned', () => {
    layers.forEach(({ rows }, i) => {
      const most = Math.ceil(evenTileRows(rows, tileRows) / 3);
      expect(limited.layers[i].conversions).toBeLessThanOrEqual(most * measured.layers[i].conversions);
      expect(limited.layers[i].latencyNs / measured.layers[i].latencyNs).toBeCloseTo(most, 6);
    });
  });
  it('gains at every scope, in tables without holes', () => {
    for (const { gains } of report.baselines)
      for (const { energy, area, product } of Object.values(gains))
        expect(Math.min(energy, area, product)).toBeGreaterThan(1);
    for (const table of [designsTable(report, 'd'), layersTable(report, 'vgg16')]) {
      requireTable(table);
      for (const row of table.rows)
        for (const cell of Object.values(row)) expect(cell).not.toBeOneOf([undefined, Number.NaN, Infinity]);
    }
    expect(layersTable(report, 'vgg16').rows.length).toBe(14);
    requireTable(gainsTable(report, 'g'));
    expect(JSON.parse(JSON.stringify(summarizeHardware(report)))).toEqual(summarizeHardware(report));
  });
});
