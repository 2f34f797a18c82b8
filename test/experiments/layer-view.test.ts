import { describe, expect, it } from 'vitest';
import { layerViews } from '../../src/experiments/layer-view';
import { layerViewFigures, layerViewTable } from '../../src/experiments/layer-view-report';
import { networkByName } from '../../src/networks/network-by-name';
import type { IntegerNetwork } from '../../src/quantization/integer-network';

const description = networkByName('tiny');
const network = (codes: number[], pruned: boolean): IntegerNetwork => ({
  description,
  weightBits: 4,
  mean: [0, 0, 0],
  std: [1, 1, 1],
  layers: new Map([
    [
      'conv1',
      {
        name: 'conv1',
        rows: 3,
        columns: 2,
        codes: Int8Array.from(codes),
        scales: Float32Array.of(1, 1),
        bias: new Float32Array(2),
        inputScale: 1,
        inputBits: 8,
        inputSigned: false,
      },
    ],
  ]),
  ...(pruned && {
    pruning: { method: 'any', tileRows: 2, encoding: 'sign-split', adcBits: 1, bitLimit: { conv1: 1 } },
  }),
});

describe('layerViews', () => {
  // Two tiles: rows 0 and 1, row 2.
  const [view] = layerViews(network([1, 0, -2, 0, 7, 0], true), network([1, 3, 3, 5, 7, -1], false));

  it('counts the ones of each layer before and after pruning, tiled alike', () => {
    expect(view).toMatchObject({ name: 'conv1', tileRows: 2, adcBits: 1, nonzeroShare: 1 / 2 });
    // Before, tile 0 holds 1 and 3 (plane 0 twice, plane 1) beside 3 and 5 (plane 0 twice, planes 1 and 2).
    expect(view.before.mostOnes).toBe(2);
    expect(view.before.requiredAdcBits).toBe(2);
    expect(view.after.mostOnes).toBe(1);
    expect(view.after.requiredAdcBits).toBe(1);
    // 2 tiles x 2 channels x 2 polarities x 3 planes.
    expect(view.after.histogram).toEqual([19, 5]);
    expect(view.after.emptyShare).toBeCloseTo(19 / 24, 12);
    expect(view.after.onesByPlane).toEqual([2 / 8, 2 / 8, 1 / 8]);
    expect(view.before.onesByPlane).toEqual([6 / 8, 3 / 8, 2 / 8]);
  });

  it('shows them as a table and two figures', () => {
    expect(layerViewTable('net', [view]).rows[0]).toMatchObject({ kept: 50, onesBefore: 2, ones: 1 });
    expect(layerViewTable('net', [view]).rows[0].bitsKept).toBeCloseTo((100 * 5) / 11, 9);
    const figures = layerViewFigures('net', [view, view]);
    expect([...figures.keys()]).toEqual(['07-networks-net-ones', '07-networks-net-planes']);
    const [before, after] = figures.get('07-networks-net-planes')!.data as { y: number[] }[];
    expect(before.y).toEqual([6 / 8, 3 / 8, 2 / 8]);
    expect(after.y).toEqual([2 / 8, 2 / 8, 1 / 8]);
  });
});
