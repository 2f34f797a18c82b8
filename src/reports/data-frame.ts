import type { DataFrame } from 'danfojs-node';
import { engineUnavailable } from '../tensor/unavailable';
import { requireTable, type Table } from './table';

/**
 * The table as a danfo.js DataFrame, for describe, groupby, merge and the like in notebooks; columns are named by their
 * keys, empty cells are NaN. danfo.js (1.5 s, 160 MB) is loaded on the first call.
 * @throws InputError where the native engine, on which danfo.js stands, is not installed.
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
    return require('danfojs-node');
  } catch (cause) {
    throw engineUnavailable('danfo.js', cause);
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
