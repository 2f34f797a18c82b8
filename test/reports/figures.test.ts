import { describe, expect, test } from 'vitest';
import { InputError } from '../../src/errors';
import { groupedBars, stackedBars } from '../../src/reports/bar-figures';
import { PALETTE } from '../../src/reports/figure';
import { heatMap } from '../../src/reports/heat-map';
import { countBins, histogram } from '../../src/reports/histogram';
import { lines } from '../../src/reports/lines';

const x = { title: 'Layer' };
const y = { title: 'Energy', unit: 'pJ' };
const frame = { title: 'T', x, y };

describe('every figure', () => {
  const all = {
    groupedBars: groupedBars({ ...frame, categories: ['a', 'b'], series: [{ name: 's', values: [1, 2] }] }),
    stackedBars: stackedBars({
      ...frame,
      categories: ['a'],
      series: [{ name: 's', values: new Int32Array(1) }],
    }),
    lines: lines({ ...frame, series: [{ name: 's', x: [1, 2], y: new Float32Array(2), errors: [1, 1] }] }),
    histogram: histogram({ ...frame, series: [{ name: 's', counts: new Uint32Array([3, 4]) }] }),
    heatMap: heatMap({ ...frame, rows: [1], columns: [1, 2], values: [new Float64Array(2)], color: y }),
  };
  test.each(Object.entries(all))(
    '%s is plain JSON with the house font, palette and titled axes',
    (_, figure) => {
      expect(JSON.parse(JSON.stringify(figure))).toEqual(figure);
      expect(figure.layout).toMatchObject({
        title: { text: 'T' },
        font: { family: 'DejaVu Sans' },
        colorway: PALETTE,
        xaxis: { title: { text: 'Layer' } },
        yaxis: { title: { text: 'Energy (pJ)' } },
      });
      expect(JSON.stringify(figure)).not.toContain('http');
    },
  );
});

test('bars stand in a group or on one another, with error bars where given', () => {
  const options = {
    ...frame,
    categories: ['a', 'b'],
    series: [{ name: 's', values: [1, null], errors: [0.1, 0] }],
  };
  expect(groupedBars(options).layout.barmode).toBe('group');
  expect(stackedBars(options).layout.barmode).toBe('stack');
  expect(groupedBars(options).data[0]).toMatchObject({
    x: ['a', 'b'],
    y: [1, null],
    error_y: { type: 'data', array: [0.1, 0] },
  });
});

test('lines differ in dash and symbol too, and a step line holds its value', () => {
  const series = ['a', 'b'].map((name) => ({ name, x: [1, 2], y: [3, 4], shape: 'step' as const }));
  const [first, second] = lines({ ...frame, series }).data as Record<
    string,
    { dash: string; symbol: string; shape: string }
  >[];
  expect(first.line.dash).not.toBe(second.line.dash);
  expect(first.marker.symbol).not.toBe(second.marker.symbol);
  expect(first.line.shape).toBe('hv');
});

test('no two of many lines look alike', () => {
  const series = Array.from({ length: 32 }, (_, i) => ({ name: `${i}`, x: [1], y: [1] }));
  const { data, layout } = lines({ title: 'many', x: { title: 'x' }, y: { title: 'y' }, series });
  const { colorway } = layout as { colorway: string[] };
  const looks = (data as { line: { dash: string }; marker: { symbol: string } }[]).map(
    ({ line, marker }, i) => `${colorway[i % colorway.length]} ${line.dash} ${marker.symbol}`,
  );
  expect(new Set(looks).size).toBe(32);
});

test('a logarithmic axis gives its range in powers of ten, markers are dashed lines with labels', () => {
  const figure = lines({
    ...frame,
    x: { title: 'n', scale: 'log', range: [1, 1000] },
    markers: [{ axis: 'x', at: 7, label: 'k = 7' }],
    series: [{ name: 's', x: [1], y: [1] }],
  });
  expect(figure.layout.xaxis).toMatchObject({ type: 'log', range: [0, expect.closeTo(3)] });
  expect(figure.layout.shapes).toMatchObject([{ x0: 7, x1: 7, yref: 'paper' }]);
  expect(figure.layout.annotations).toMatchObject([{ x: Math.log10(7), text: 'k = 7' }]);
});

describe('histogram', () => {
  test('bin i of width 1 counts the value start + i', () => {
    const figure = histogram({ ...frame, start: 2, series: [{ name: 's', counts: [5, 6] }] });
    expect(figure.data[0]).toMatchObject({ x: [2, 3], y: [5, 6], width: 1 });
  });

  test('countBins counts every value once, those beyond the ends in the last bins', () => {
    expect([...countBins([-9, 0, 0.4, 1, 99], { start: 0, binWidth: 1, bins: 3 })]).toEqual([3, 1, 1]);
  });
});

test.each([
  [
    () => groupedBars({ ...frame, categories: ['a'], series: [{ name: 's', values: [1, 2] }] }),
    'series "s" has 2 values, 1',
  ],
  [() => lines({ ...frame, series: [{ name: 's', x: [1], y: [Number.NaN] }] }), 'y of "s"[0] is NaN'],
  [() => histogram({ ...frame, binWidth: 0, series: [] }), 'binWidth is 0'],
  [() => countBins([Number.NaN], { start: 0, binWidth: 1, bins: 1 }), 'value 0 is not a number'],
  [
    () => heatMap({ ...frame, rows: [1, 2], columns: [1], values: [[1]], color: y }),
    'values has 1 rows, 2 are named',
  ],
])('unfit numbers are refused with one line that names them (%#)', (make, message) => {
  expect(make).toThrow(InputError);
  expect(make).toThrow(message);
});
