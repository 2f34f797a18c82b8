import { evenTileRows } from '../bitplanes/even-tile-rows';
import type { OnProgress } from '../progress';
import { dealRows, rowEnergies } from '../projections/deal-rows';
import { tuneScales } from '../projections/tune-scales';
import { crossbarNodes } from '../quantization/crossbar-layers';
import { permuteRows } from '../quantization/row-order';
import { rowCount, weightMatrix } from '../quantization/weight-matrix';
import type { Table } from '../reports/table';
import { randomStream } from '../tensor/random';
import type { FloatModel } from './open-model';

/**
 * How the rows of a layer go to its row tiles, one order for all output channels:
 * - `as they come`: ky, kx, channel;
 * - `by channel`: channel, ky, kx, so that a tile holds whole kernels;
 * - `dealt`: rows by norm, largest first, each to the tile that is least full in proportion to its rows;
 * - `balanced`: the same, but to the tile of least weight energy that has room (a short last tile gets larger rows);
 * - `random`: a control.
 */
export const rowOrders = ['as they come', 'by channel', 'dealt', 'balanced', 'random'] as const;
export type RowOrder = (typeof rowOrders)[number];

export interface RowPermutationRow {
  readonly model: string;
  readonly layer: string;
  readonly rows: number;
  readonly columns: number;
  readonly tileRows: number;
  readonly bitLimit: number;
  /** Weight energy lost by the Lagrangian projection at tuned scales, by row order. */
  readonly errors: Readonly<Record<RowOrder, number>>;
}

export interface RowPermutationOptions {
  readonly models: readonly FloatModel[];
  readonly configurations: readonly { readonly tileRows: number; readonly bitLimit: number }[];
  /** Layers of a model at most, spread over its depth; default 4. Layers of one tile are left out. */
  readonly layers?: number;
  /** Output channels of a layer at most, the first ones; default 32. */
  readonly channels?: number;
  readonly seed?: number;
  readonly onProgress?: OnProgress;
}

/** Whether permuting the rows of a layer over its tiles lowers the error of the projection at equal budgets. */
export function rowPermutationStudy(options: RowPermutationOptions): RowPermutationRow[] {
  const { models, configurations, layers = 4, channels = 32, seed = 1, onProgress } = options;
  const least = Math.max(...configurations.map(({ tileRows }) => tileRows));
  const jobs = models.flatMap((model) => {
    const nodes = crossbarNodes(model.folded.description).filter((node) => rowCount(node) > least);
    const chosen = new Set(
      Array.from({ length: Math.min(layers, nodes.length) }, (_, i) =>
        Math.round((i * (nodes.length - 1)) / Math.max(1, layers - 1)),
      ),
    );
    return [...chosen].map((at) => ({ model, node: nodes[at] }));
  });
  let done = 0;
  return jobs.flatMap(({ model, node }) => {
    const rows = rowCount(node);
    const all = node.op === 'conv' ? node.outChannels : node.outFeatures;
    const columns = Math.min(all, channels);
    const inputs = node.op === 'conv' ? node.inChannels : node.inFeatures;
    const weights = firstColumns(
      weightMatrix(node, model.folded.parameters, { std: model.std ?? [1, 1, 1] }),
      all,
      columns,
    );
    const energy = weights.reduce((sum, weight) => sum + weight * weight, 0);
    onProgress?.({ done: done++, total: jobs.length, note: `row orders: ${model.name} ${node.name}` });
    return configurations.map(({ tileRows, bitLimit }) => {
      const height = evenTileRows(rows, tileRows);
      const error = (order: RowOrder) => {
        const places = rowOrder(order, { weights, columns, channels: inputs, tileRows: height, seed });
        const permuted = permuteRows(weights, columns, places);
        const shape = { rows, columns, tileRows: height, weightBits: 8, bitLimit };
        return tuneScales({ ...shape, weights: permuted }).objective / energy;
      };
      const errors = Object.fromEntries(rowOrders.map((order) => [order, error(order)]));
      return {
        model: model.name,
        layer: node.name,
        rows,
        columns,
        tileRows,
        bitLimit,
        errors: errors as Record<RowOrder, number>,
      };
    });
  });
}

function firstColumns(weights: Float32Array, all: number, columns: number): Float32Array {
  const rows = weights.length / all;
  return Float32Array.from(
    { length: rows * columns },
    (_, i) => weights[Math.floor(i / columns) * all + (i % columns)],
  );
}

interface RowOrderInput {
  readonly weights: Float32Array;
  readonly columns: number;
  /** Of the layer's input. */
  readonly channels: number;
  readonly tileRows: number;
  readonly seed: number;
}

/** order[i]: the row that comes to place i. */
function rowOrder(kind: RowOrder, { weights, columns, channels, tileRows, seed }: RowOrderInput): Int32Array {
  const rows = weights.length / columns;
  if (kind === 'as they come') return Int32Array.from({ length: rows }, (_, row) => row);
  if (kind === 'random') return randomStream(seed, 'row order').permutation(rows);
  if (kind === 'by channel') {
    const positions = rows / channels;
    return Int32Array.from(
      { length: rows },
      (_, i) => (i % positions) * channels + Math.floor(i / positions),
    );
  }
  return dealRows(rowEnergies(weights, columns), tileRows, kind === 'dealt');
}

export function rowPermutationTable(rows: readonly RowPermutationRow[]): Table {
  const gain = (row: RowPermutationRow, order: RowOrder) =>
    100 * (1 - row.errors[order] / row.errors['as they come']);
  const mean = (order: RowOrder) => rows.reduce((sum, row) => sum + gain(row, order), 0) / rows.length;
  const others = rowOrders.filter((order) => order !== 'as they come');
  return {
    title:
      'Does permuting the rows of a layer over its tiles pay? Weight energy lost, Lagrangian projection at tuned scales',
    columns: [
      { key: 'model', label: 'network' },
      { key: 'layer', label: 'layer' },
      { key: 'rows', label: 'rows' },
      { key: 'tileRows', label: 'R' },
      { key: 'bitLimit', label: 'k' },
      { key: 'error', label: 'as they come', unit: '%', digits: 3 },
      ...others.map((order) => ({ key: order, label: `${order}: lower by`, unit: '%', digits: 2 })),
    ],
    rows: [
      ...rows.map((row) => ({
        model: row.model,
        layer: row.layer,
        rows: row.rows,
        tileRows: row.tileRows,
        bitLimit: row.bitLimit,
        error: 100 * row.errors['as they come'],
        ...Object.fromEntries(others.map((order) => [order, gain(row, order)])),
      })),
      { model: 'mean', ...Object.fromEntries(others.map((order) => [order, mean(order)])) },
    ],
  };
}
