import { afterEach, expect, test, vi } from 'vitest';
import { fromDataFrame, toDataFrame } from '../../src/reports/data-frame';

// In a file, and so a process, of its own: an engine once loaded stays.
const modules = require('node:module') as {
  _load(name: string, ...rest: unknown[]): unknown;
  _resolveFilename(name: string, ...rest: unknown[]): string;
};
const load = modules._load;
afterEach(() => {
  modules._load = load;
  vi.restoreAllMocks();
});

test('DataFrames work without the native engine too', { timeout: 60_000 }, () => {
  modules._load = (name, ...rest) => {
    if (/[/\\]tfjs-node[/\\]/.test(modules._resolveFilename(name, ...rest))) throw new Error('no binding');
    return load.call(modules, name, ...rest);
  };
  const said = (['log', 'warn', 'error'] as const).map((name) => vi.spyOn(console, name));
  const frame = toDataFrame({ title: 'T', columns: [{ key: 'a', label: 'A' }], rows: [{ a: 1 }, { a: 3 }] });
  const described = fromDataFrame(frame.describe(), 'Described');
  expect(described.rows.find(({ row }) => row === 'mean')).toEqual({ row: 'mean', a: 2 });
  expect(frame.tensor.shape).toEqual([2, 1]);
  for (const spy of said) expect(spy).not.toHaveBeenCalled();
});
