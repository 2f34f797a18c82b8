import { type PerPlane, perPlaneText } from '../bitplanes/per-plane';
import type { HardwareReport } from '../hardware/hardware-report';
import { FAIR_BASELINE } from '../hardware/map-designs';
import type { Table } from '../reports/table';
import { byScope, scopeCells } from './scope-cells';

/** The pruned network and its baselines: counts, energy, area and time at the three scopes. */
export function designsTable({ pruned, baselines, leftOut }: HardwareReport, title: string): Table {
  return {
    title,
    columns: [
      { key: 'design', label: 'design' },
      { key: 'conversions', label: 'conversions' },
      { key: 'arrays', label: 'arrays' },
      { key: 'used', label: 'cells used', unit: '%', digits: 1 },
      ...byScope('Energy', 'energy', 'nJ', 0),
      ...byScope('Area', 'area', 'mm2', 3),
      { key: 'latency', label: 'latency', unit: 'us', digits: 1 },
      { key: 'interval', label: 'interval', unit: 'us', digits: 1 },
      ...(leftOut.length > 0 ? [{ key: 'leftOut', label: 'left out' }] : []),
    ],
    rows: [
      ...[pruned, ...baselines.map(({ cost }) => cost)].map((cost) => ({
        design: cost.name,
        conversions: Math.round(cost.conversions),
        arrays: cost.arrays,
        used: 100 * cost.utilisation,
        ...scopeCells('Energy', (scope) => cost.scopes[scope].energyPj / 1000),
        ...scopeCells('Area', (scope) => cost.scopes[scope].areaUm2 / 1e6),
        latency: cost.latencyNs / 1000,
        interval: cost.intervalNs / 1000,
      })),
      ...leftOut.map(({ name, reason }) => ({ design: name, leftOut: reason })),
    ],
  };
}

/** Efficiency of the designs at the three scopes, and how many times less the pruned network takes. */
export function gainsTable({ pruned, baselines }: HardwareReport, title: string): Table {
  return {
    title,
    columns: [
      { key: 'design', label: 'design' },
      ...byScope('Watt', 'TOPS/W', '', 3),
      ...byScope('Mm2', 'TOPS/mm2', '', 4),
      ...byScope('Gain', 'energy', 'x', 2),
      ...byScope('AreaGain', 'area', 'x', 2),
      ...byScope('Product', 'product', 'x', 2),
    ],
    rows: [{ cost: pruned, gains: undefined }, ...baselines].map(({ cost, gains }) => ({
      design: cost.name,
      ...scopeCells('Watt', (scope) => cost.scopes[scope].topsPerW),
      ...scopeCells('Mm2', (scope) => cost.scopes[scope].topsPerMm2),
      ...scopeCells('Gain', (scope) => gains?.[scope].energy),
      ...scopeCells('AreaGain', (scope) => gains?.[scope].area),
      ...scopeCells('Product', (scope) => gains?.[scope].product),
    })),
  };
}

/** Every layer of the pruned network, and its energy gain over the same layer of the fair baseline or the first there is. */
export function layersTable({ pruned, baselines }: HardwareReport, name: string): Table {
  const fair = (baselines.find(({ cost }) => cost.name === FAIR_BASELINE) ?? baselines[0])?.cost;
  return {
    title: fair ? `Layers of ${name}; gains over ${fair.name}` : `Layers of ${name}`,
    columns: [
      { key: 'layer', label: 'layer' },
      { key: 'adcBits', label: 'ADC bits' },
      { key: 'denseBits', label: 'dense bits' },
      { key: 'conversions', label: 'conversions' },
      { key: 'arrays', label: 'arrays' },
      { key: 'copies', label: 'copies' },
      { key: 'used', label: 'cells used', unit: '%', digits: 1 },
      ...byScope('Energy', 'energy', 'nJ', 1),
      ...byScope('Area', 'area', 'mm2', 4),
      { key: 'latency', label: 'latency', unit: 'us', digits: 1 },
      ...byScope('Watt', 'TOPS/W', '', 3),
      ...byScope('Mm2', 'TOPS/mm2', '', 4),
      ...byScope('Gain', 'gain energy', 'x', 2),
    ],
    rows: pruned.layers.map((layer, i) => ({
      layer: layer.name,
      adcBits: bitsCell(layer.adcBits),
      denseBits: fair && bitsCell(fair.layers[i].adcBits),
      conversions: Math.round(layer.conversions),
      arrays: layer.arrays,
      copies: layer.copies,
      used: 100 * layer.utilisation,
      ...scopeCells('Energy', (scope) => layer.scopes[scope].energyPj / 1000),
      ...scopeCells('Area', (scope) => layer.scopes[scope].areaUm2 / 1e6),
      latency: layer.latencyNs / 1000,
      ...scopeCells('Watt', (scope) => layer.scopes[scope].topsPerW),
      ...scopeCells('Mm2', (scope) => layer.scopes[scope].topsPerMm2),
      ...scopeCells(
        'Gain',
        (scope) => fair && ratio(fair.layers[i].scopes[scope].energyPj, layer.scopes[scope].energyPj),
      ),
    })),
  };
}

/** Alike in all planes: a number. */
function bitsCell(bits: PerPlane): number | string {
  return typeof bits === 'number' ? bits : perPlaneText(bits);
}

/** A layer pruned away gains without bound: no number. */
function ratio(before: number, after: number): number | undefined {
  return after === 0 ? undefined : before / after;
}
