import { perPlaneText } from '../bitplanes/per-plane';
import { type Figure, titled } from '../reports/figure';
import { histogram } from '../reports/histogram';
import { lines } from '../reports/lines';
import type { Table } from '../reports/table';
import type { ColumnView, LayerView } from './layer-view';

/** What pruning did, layer by layer. */
export function layerViewTable(network: string, layers: readonly LayerView[]): Table {
  return {
    title: `${network}, layer by layer: ADC bits, ones in the fullest bit column and weights kept, before and after pruning`,
    columns: [
      { key: 'name', label: 'layer' },
      { key: 'rows', label: 'rows' },
      { key: 'tileRows', label: 'rows a tile' },
      { key: 'columns', label: 'channels' },
      { key: 'adcBits', label: 'ADC bits' },
      { key: 'neededBefore', label: 'needed before' },
      { key: 'needed', label: 'needed' },
      { key: 'onesBefore', label: 'most ones before' },
      { key: 'ones', label: 'most ones' },
      { key: 'kept', label: 'weights kept', unit: '%', digits: 1 },
      { key: 'bitsKept', label: 'ones kept', unit: '%', digits: 1 },
      { key: 'empty', label: 'empty bit columns', unit: '%', digits: 1 },
    ],
    rows: layers.map(({ name, rows, columns, tileRows, adcBits, nonzeroShare, before, after }) => ({
      name,
      rows,
      tileRows,
      columns,
      adcBits: perPlaneText(adcBits),
      neededBefore: before.requiredAdcBits,
      needed: after.requiredAdcBits,
      onesBefore: before.mostOnes,
      ones: after.mostOnes,
      kept: 100 * nonzeroShare,
      bitsKept: (100 * total(after.onesByPlane)) / total(before.onesByPlane),
      empty: 100 * after.emptyShare,
    })),
  };
}

const total = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);

/** Ones of the bit columns before and after, of all layers together: how many columns hold how many, and by plane. */
export function layerViewFigures(
  network: string,
  layers: readonly LayerView[],
  stem = '07-networks',
): Map<string, Figure> {
  const views = { unpruned: layers.map(({ before }) => before), pruned: layers.map(({ after }) => after) };
  const ones = histogram({
    title: titled('Ones in the bit columns of all layers', network),
    x: { title: 'ones in a bit column' },
    y: { title: 'bit columns', scale: 'log' },
    series: Object.entries(views).map(([name, own]) => ({ name, counts: summed(own) })),
  });
  const planes = lines({
    title: titled('Mean ones a bit column, by plane', `${network}; mean over the layers; plane p holds 2^p`),
    x: { title: 'plane', tick: 1 },
    y: { title: 'ones a bit column' },
    series: Object.entries(views).map(([name, own]) => {
      const byPlane = own[0].onesByPlane.map(
        (_, plane) => total(own.map(({ onesByPlane }) => onesByPlane[plane])) / own.length,
      );
      return { name, x: byPlane.map((_, plane) => plane), y: byPlane };
    }),
  });
  return new Map([
    [`${stem}-${network}-ones`, ones],
    [`${stem}-${network}-planes`, planes],
  ]);
}

function summed(views: readonly ColumnView[]): number[] {
  const counts = new Array<number>(Math.max(...views.map((view) => view.histogram.length))).fill(0);
  for (const view of views)
    view.histogram.forEach((count, ones) => {
      counts[ones] += count;
    });
  return counts;
}
