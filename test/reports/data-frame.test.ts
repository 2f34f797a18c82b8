import { expect, test, vi } from 'vitest';
import { fromDataFrame, toDataFrame } from '../../src/reports/data-frame';
import type { Table } from '../../src/reports/table';

const table: Table = {
  title: 'T',
  columns: [
    { key: 'adc', label: 'ADC', unit: 'bits' },
    { key: 'top1', label: 'Top-1', unit: '%', digits: 2 },
  ],
  rows: [
    { adc: 2, top1: 87 },
    { adc: 3, top1: 91 },
    { adc: 3, top1: 90 },
  ],
};

test('a table becomes a danfo.js DataFrame that groups and describes, without a word on the console', {
  timeout: 60_000,
}, () => {
  const said = (['log', 'warn', 'error'] as const).map((name) => vi.spyOn(console, name));
  const frame = toDataFrame(table);
  expect(frame.shape).toEqual([3, 2]);
  const means = fromDataFrame(frame.groupby(['adc']).col(['top1']).mean(), 'Means', 2);
  expect(means.columns.map(({ key }) => key)).toEqual(['adc', 'top1_mean']);
  expect(means.rows).toEqual([
    { adc: 2, top1_mean: 87 },
    { adc: 3, top1_mean: 90.5 },
  ]);
  const described = fromDataFrame(frame.describe(), 'Described');
  expect(described.rows.find(({ row }) => row === 'max')).toMatchObject({ top1: 91 });
  const withGap = toDataFrame({ ...table, rows: [{ adc: 2, top1: null }, ...table.rows] });
  expect(fromDataFrame(withGap, 'T').rows[0]).toEqual({ adc: 2, top1: null });
  expect(withGap.column('top1').mean()).toBeCloseTo(268 / 3);
  for (const spy of said) expect(spy).not.toHaveBeenCalled();
  vi.restoreAllMocks();
});
