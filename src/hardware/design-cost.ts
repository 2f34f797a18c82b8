import { InputError } from '../errors';
import { type AdcModel, adcConstants, adcEnergy, adcModel, checkAdcBits, isExtrapolated } from './adc-model';
import { type ConstantTable, constantValue } from './constant-table';
import { type MacroPart, macroParts, tileConstants, tileParts } from './isaac-tile';
import type { LayerMapping } from './layer-mapping';

export type Scope = 'adc' | 'macro' | 'tile';

export const scopes: readonly Scope[] = ['adc', 'macro', 'tile'];

/** Parts of the energy bill: those of the macro, and of the tile around it. */
export type Part = MacroPart | 'edram' | 'bus' | 'router' | 'tile-digital';

export interface LayerCost {
  readonly name: string;
  readonly adcBits: number;
  readonly conversions: number;
  readonly arrays: number;
  /** Per inference. */
  readonly energyPj: Readonly<Record<Part, number>>;
  readonly latencyNs: number;
}

export interface ScopeCost {
  /** Per inference. */
  readonly energyPj: number;
  /** Of the whole mapped network. */
  readonly areaUm2: number;
}

export interface DesignCost {
  readonly name: string;
  readonly layers: readonly LayerCost[];
  readonly conversions: number;
  readonly arrays: number;
  /** ISAAC tiles that hold the arrays. */
  readonly isaacTiles: number;
  /** ADC alone; macro: with array, DAC, sample-and-hold, registers, shift-and-add; tile: with buffers, bus, router. */
  readonly scopes: Readonly<Record<Scope, ScopeCost>>;
  /** Per inference, by part. */
  readonly energyPj: Readonly<Record<Part, number>>;
  /** One picture through all layers in turn. */
  readonly latencyNs: number;
  /** Whether an ADC resolution lies outside its model's source. */
  readonly extrapolated: boolean;
}

export interface CostModel {
  readonly adc: AdcModel;
  readonly tile: ConstantTable;
}

/**
 * Energy, area and latency of a mapped network on ISAAC-like tiles (32 nm). Energy: events counted by the mapping times
 * energy an event, which is the part's published power over the events of a fully used macro (8 x 1.2 GS/s conversions
 * and as many row drives). Area: whole arrays with an ADC each, and the tiles around them. Latency: layers one after
 * another, one copy each; a pulse takes the array read or its busiest ADC, whichever is longer, once a row group.
 */
export function designCost(
  name: string,
  layers: readonly { readonly mapping: LayerMapping; readonly adcBits: number }[],
  model: CostModel = { adc: adcModel('sar-saberi'), tile: tileConstants },
): DesignCost {
  if (layers.length === 0) throw new InputError(`design ${name}: no layers`);
  const costs = layers.map(({ mapping, adcBits }) => layerCost(mapping, adcBits, model));
  const energyPj = sumParts(costs.map((cost) => cost.energyPj));
  const arrays = costs.reduce((sum, cost) => sum + cost.arrays, 0);
  const get = getter(model.tile);
  const arraysPerMacro = get('macro.arrays', '1');
  const isaacTiles = Math.ceil(arrays / (arraysPerMacro * get('tile.macros', '1')));
  const adcAreaUm2 = costs.reduce((sum, cost) => sum + cost.arrays * adcAreaOf(model.adc, cost.adcBits), 0);
  const restOfMacro = macroParts
    .filter((part) => part !== 'adc')
    .reduce((sum, part) => sum + get(`macro.${part}.area`, 'mm2') * 1e6, 0);
  const restOfTile = tileParts.reduce((sum, part) => sum + get(`tile.${part}.area`, 'mm2') * 1e6, 0);
  const macroAreaUm2 = adcAreaUm2 + (arrays * restOfMacro) / arraysPerMacro;
  const macroEnergyPj = macroParts.reduce((sum, part) => sum + energyPj[part], 0);
  const tileEnergyPj = Object.values(energyPj).reduce((sum, part) => sum + part, 0);
  return {
    name,
    layers: costs,
    conversions: costs.reduce((sum, cost) => sum + cost.conversions, 0),
    arrays,
    isaacTiles,
    scopes: {
      adc: { energyPj: energyPj.adc, areaUm2: adcAreaUm2 },
      macro: { energyPj: macroEnergyPj, areaUm2: macroAreaUm2 },
      tile: { energyPj: tileEnergyPj, areaUm2: macroAreaUm2 + isaacTiles * restOfTile },
    },
    energyPj,
    latencyNs: costs.reduce((sum, cost) => sum + cost.latencyNs, 0),
    extrapolated: costs.some((cost) => cost.conversions > 0 && isExtrapolated(model.adc, cost.adcBits)),
  };
}

function layerCost(mapping: LayerMapping, adcBits: number, { adc, tile }: CostModel): LayerCost {
  const get = getter(tile);
  const conversions = mapping.conversionsPerPulse * mapping.pulses;
  const rowDrives = mapping.rowDrivesPerPulse * mapping.pulses;
  // Events a nanosecond of a macro in full use; power in mW over it is energy in pJ an event.
  const macroRate = get('macro.arrays', '1') * constantValue(adcConstants, 'sar.rate', 'GS/s');
  const each = (part: string) => get(`${part}.power`, 'mW') / macroRate;
  const word = get('event.word', 'bit');
  const outputBits = mapping.outputs * get('output.bits', 'bit');
  const moved = mapping.inputBits + outputBits;
  const tileDigital = ['sigmoid', 'shift-add', 'max-pool', 'output-register'].reduce(
    (sum, part) => sum + each(`tile.${part}`) / get('tile.macros', '1'),
    0,
  );
  const pulseNs =
    conversions === 0
      ? 0
      : Math.max(get('array.read.time', 'ns'), adc.readNs(adcBits, mapping.busiestColumns));
  return {
    name: mapping.name,
    adcBits,
    conversions,
    arrays: mapping.arrays,
    energyPj: {
      adc: adcEnergy({ conversions, bits: adcBits, model: adc }).energyPj,
      dac: rowDrives * each('macro.dac'),
      'sample-hold': conversions * each('macro.sample-hold'),
      array: conversions * each('macro.array'),
      'shift-add': conversions * each('macro.shift-add'),
      'input-register': rowDrives * each('macro.input-register'),
      'output-register': conversions * each('macro.output-register'),
      edram: (moved / word) * get('event.edram', 'pJ'),
      bus: moved * get('event.bus', 'pJ'),
      router: (outputBits / word) * get('event.router', 'pJ'),
      'tile-digital': conversions * tileDigital,
    },
    latencyNs: mapping.pulses * mapping.rowGroups * pulseNs,
  };
}

/** Area of one ADC; models without an area law take the SAR's. */
function adcAreaOf(model: AdcModel, bits: number): number {
  if (bits === 0) return 0;
  checkAdcBits(model, bits);
  return (model.areaUm2 ?? adcModel('sar-saberi').areaUm2!)(bits);
}

function sumParts(parts: readonly Readonly<Record<Part, number>>[]): Record<Part, number> {
  const total = { ...parts[0] };
  for (const layer of parts.slice(1)) {
    for (const part of Object.keys(total) as Part[]) total[part] += layer[part];
  }
  return total;
}

function getter(table: ConstantTable): (name: string, unit: string) => number {
  return (name, unit) => constantValue(table, name, unit);
}
