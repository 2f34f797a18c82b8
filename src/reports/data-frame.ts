import { createRequire } from 'node:module';
import type { DataFrame } from 'danfojs-node';
import { requireTable, type Table } from './table';

/**
 * The table as a danfo.js DataFrame, for describe, groupby, merge and the like in notebooks; columns are named by their
 * keys, empty cells are NaN. danfo.js (1.5 s, 160 MB) is loaded on the first call.
 */
export function toDataFrame(table: Table): DataFrame {
  const { columns, rows } = requireTable(table);
  const values = Object.fromEntries(
    columns.map(({ key }) => [key, rows.map((row) => row[key] ?? Number.NaN)]),
  );
  return quietly(() => new (danfo().DataFrame)(values, { columns: columns.map(({ key }) => key) }));
}

/** A DataFrame as a table: a column a name, numbers with `digits` decimals where given. */
export function fromDataFrame(frame: DataFrame, title: string, digits?: number): Table {
  const keys = frame.columns as string[];
  const index = frame.index.map(String);
  // The row names are data (`mean`, `std`, a group's name) unless they only count the rows.
  const named = index.some((name, i) => name !== String(i));
  const rows = (frame.values as (string | number | boolean)[][]).map((cells, r) => ({
    ...(named ? { row: index[r] } : {}),
    ...Object.fromEntries(keys.map((key, c) => [key, emptyIfNaN(cells[c])])),
  }));
  return {
    title,
    columns: [
      ...(named ? [{ key: 'row', label: '' }] : []),
      ...keys.map((key) => ({ key, label: key, ...(digits === undefined ? {} : { digits }) })),
    ],
    rows,
  };
}

function emptyIfNaN(value: string | number | boolean): string | number | boolean | null {
  return Number.isNaN(value) ? null : value;
}

function danfo(): typeof import('danfojs-node') {
  // Node 23 removed these two, which tfjs-node calls.
  const util = require('node:util') as Record<string, unknown>;
  util.isNullOrUndefined ??= (value: unknown) => value === null || value === undefined;
  util.isArray ??= Array.isArray;
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '2';
  try {
    require('@tensorflow/tfjs-node');
    return require('danfojs-node');
  } catch {
    const portable: typeof import('danfojs-node') = withPortableEngine(() => require('danfojs-node'));
    // The first tensor is what makes tfjs advertise: here nobody hears it.
    portable.tensorflow.tensor1d([0]).dispose();
    return portable;
  }
}

/** danfo.js asks for the native engine by name and would fail without it; tables need nothing of it. */
function withPortableEngine<T>(load: () => T): T {
  const native = '@tensorflow/tfjs-node';
  const portable = createRequire(require.resolve(`${native}/package.json`)).resolve('@tensorflow/tfjs');
  const modules = require('node:module') as { _resolveFilename(name: string, ...rest: unknown[]): string };
  const original = modules._resolveFilename;
  modules._resolveFilename = (name, ...rest) =>
    name === native ? portable : original.call(modules, name, ...rest);
  try {
    return load();
  } finally {
    modules._resolveFilename = original;
  }
}

/** Without tfjs's advertisement for its own backend, which it prints on first use. */
function quietly<T>(work: () => T): T {
  const { warn, log } = console;
  console.warn = () => undefined;
  console.log = () => undefined;
  try {
    return work();
  } finally {
    console.warn = warn;
    console.log = log;
  }
}
