import { largestOf, type PerPlane, planeList } from '../bitplanes/per-plane';
import { InputError } from '../errors';
import {
  type AdcModel,
  type AdcModelName,
  adcConstants,
  adcEnergy,
  adcModel,
  checkAdcBits,
  isExtrapolated,
} from './adc-model';
import { type ConstantTable, constantValue } from './constant-table';
import { type MacroPart, macroParts, tileConstants, tileParts } from './isaac-tile';
import type { LayerMapping } from './layer-mapping';
import { replicateLayers, stageNs } from './replicate-layers';

export type Scope = 'adc' | 'macro' | 'tile';

export const scopes: readonly Scope[] = ['adc', 'macro', 'tile'];

/** A value for each scope. */
export function mapScopes<T>(value: (scope: Scope) => T): Record<Scope, T> {
  return { adc: value('adc'), macro: value('macro'), tile: value('tile') };
}

/** Parts of the energy bill: those of the macro, and of the tile around it. */
export type Part = MacroPart | 'edram' | 'bus' | 'router' | 'tile-digital';

/** The parts, those of the macro first. */
export const parts: readonly Part[] = [...macroParts, 'edram', 'bus', 'router', 'tile-digital'];

/** Energy an inference and area at one scope, and what follows from them. */
export interface ScopeCost {
  /** Per inference. */
  readonly energyPj: number;
  /** Of everything mapped, copies included. */
  readonly areaUm2: number;
  /** Operations (two a multiply-accumulate, zero weights included) by energy. */
  readonly topsPerW: number;
  /** Operations a second of the full pipeline by area. */
  readonly topsPerMm2: number;
}

/** Conversions of one resolution. */
export interface ConversionsAt {
  readonly bits: number;
  readonly conversions: number;
}

export interface LayerCost {
  readonly name: string;
  readonly adcBits: PerPlane;
  readonly conversions: number;
  /** Those of each resolution that is used, lowest first. */
  readonly conversionsByBits: readonly ConversionsAt[];
  /** Of one copy. */
  readonly arrays: number;
  /** Copies that share the layer's input vectors. */
  readonly copies: number;
  /** Share of the arrays' cells in use, 0..1. */
  readonly utilisation: number;
  /** Per inference. */
  readonly energyPj: Readonly<Record<Part, number>>;
  /** With all copies at work. */
  readonly latencyNs: number;
  /** The layer alone; the tiles around its arrays by their share of a tile. */
  readonly scopes: Readonly<Record<Scope, ScopeCost>>;
}

export interface DesignCost {
  readonly name: string;
  readonly layers: readonly LayerCost[];
  readonly conversions: number;
  /** All copies counted. */
  readonly arrays: number;
  /** ISAAC tiles that hold the arrays. */
  readonly isaacTiles: number;
  /** Share of the arrays' cells in use, 0..1. */
  readonly utilisation: number;
  /** Multiply-accumulates an inference. */
  readonly macs: number;
  /** ADC alone; macro: with array, DAC, sample-and-hold, registers, shift-and-add; tile: with buffers, bus, router. */
  readonly scopes: Readonly<Record<Scope, ScopeCost>>;
  /** Per inference, by part. */
  readonly energyPj: Readonly<Record<Part, number>>;
  /** One picture through all layers in turn. */
  readonly latencyNs: number;
  /** Time between pictures when all layers work on different ones: that of the slowest layer. */
  readonly intervalNs: number;
  /** Whether an ADC resolution lies outside its model's source. */
  readonly extrapolated: boolean;
}

export interface CostModel {
  readonly adc: AdcModel;
  readonly tile: ConstantTable;
  /** Area of one ADC where `adc` has no law. */
  readonly adcAreaUm2: (bits: number) => number;
}

/** A cost model on tables of constants; ADC models without an area law take the Saberi-scaled SAR's. */
export function costModel(
  name: AdcModelName = 'sar-saberi',
  {
    adc = adcConstants,
    tile = tileConstants,
  }: { readonly adc?: ConstantTable; readonly tile?: ConstantTable } = {},
): CostModel {
  const model = adcModel(name, adc);
  return { adc: model, tile, adcAreaUm2: model.areaUm2 ?? adcModel('sar-saberi', adc).areaUm2! };
}

/** A layer on its arrays with the resolution of its ADCs, for all planes or each, lowest first. */
export interface MappedLayerCost {
  readonly mapping: LayerMapping;
  readonly adcBits: PerPlane;
}

/**
 * Energy, area and latency of a mapped network on ISAAC-like tiles (32 nm). Energy: events counted by the mapping times
 * energy an event, which is the part's published power over the events of a fully used macro (8 x 1.2 GS/s conversions
 * and as many row drives). A conversion takes the energy of its own plane's resolution, for which the ADC stops early;
 * area and time are those of the layer's largest. Area: whole arrays with their ADCs, and the tiles around them. Latency:
 * layers one after another; a read takes the array or its ADCs, whichever is longer. One copy of each layer, or as many
 * as balance the pipeline within `arrayBudget` arrays.
 *
 * A DAC of d bits takes 2^(d-1) - 1 units (`dac.unit`) on top of the published 1-bit one. What an array takes and how long
 * its read is are assumed not to depend on d. The published array has 128 rows: a conversion is charged with the whole column,
 * or with the rows driven where they are limited; arrays of more rows in proportion, of fewer rows as one of 128.
 */
export function designCost(
  name: string,
  layers: readonly MappedLayerCost[],
  model: CostModel = costModel(),
  { arrayBudget }: { readonly arrayBudget?: number } = {},
): DesignCost {
  if (layers.length === 0) throw new InputError(`design ${name}: no layers`);
  const stages = layers.map(({ mapping, adcBits }) => ({
    latencyNs: layerLatencyNs(mapping, largestOf(adcBits), model),
    vectors: mapping.vectors,
    arrays: mapping.arrays,
  }));
  const copies = arrayBudget === undefined ? stages.map(() => 1) : replicateLayers(stages, arrayBudget);
  const intervalNs = Math.max(...stages.map((stage, i) => stageNs(stage, copies[i])));
  const costs = layers.map(({ mapping, adcBits }, i) => {
    const latencyNs = stageNs(stages[i], copies[i]);
    const conversionsByBits = byResolution(mapping, adcBits);
    const energyPj = layerEnergyPj(mapping, conversionsByBits, model);
    const { name, arrays, conversions, utilisation, macs } = mapping;
    const built = arrays * copies[i];
    const adcAreaUm2 = built * adcAreaOf(model, largestOf(adcBits));
    const macroAreaUm2 = adcAreaUm2 + built * restOfMacroUm2(model, mapping);
    const areaUm2 = areasUm2(adcAreaUm2, macroAreaUm2, built / arraysPerTile(model), model);
    const rates = { macs, intervalNs: latencyNs };
    return {
      name,
      adcBits,
      conversions,
      conversionsByBits,
      arrays,
      copies: copies[i],
      utilisation,
      energyPj,
      latencyNs,
      scopes: scopeCosts(energyPj, areaUm2, rates),
    };
  });
  const energyPj = sumParts(costs.map((cost) => cost.energyPj));
  const total = (value: (cost: LayerCost) => number) => costs.reduce((sum, cost) => sum + value(cost), 0);
  const arrays = total((cost) => cost.arrays * cost.copies);
  const isaacTiles = Math.ceil(arrays / arraysPerTile(model));
  const adcAreaUm2 = total((cost) => cost.scopes.adc.areaUm2);
  const macroAreaUm2 = total((cost) => cost.scopes.macro.areaUm2);
  const macs = layers.reduce((sum, { mapping }) => sum + mapping.macs, 0);
  return {
    name,
    layers: costs,
    conversions: total((cost) => cost.conversions),
    arrays,
    isaacTiles,
    utilisation: arrays === 0 ? 0 : total((cost) => cost.utilisation * cost.arrays * cost.copies) / arrays,
    macs,
    scopes: scopeCosts(energyPj, areasUm2(adcAreaUm2, macroAreaUm2, isaacTiles, model), { macs, intervalNs }),
    energyPj,
    latencyNs: total((cost) => cost.latencyNs),
    intervalNs,
    extrapolated: costs.some(({ conversionsByBits }) =>
      conversionsByBits.some(({ bits }) => isExtrapolated(model.adc, bits)),
    ),
  };
}

/** A layer's conversions by the resolution of their planes. */
function byResolution({ name, planes }: LayerMapping, adcBits: PerPlane): ConversionsAt[] {
  const used = new Map<number, number>();
  planeList(`layer ${name}: adcBits`, adcBits, planes.length).forEach((bits, plane) => {
    const { conversions } = planes[plane];
    if (conversions === 0) return;
    if (bits === 0) throw new InputError(`layer ${name}: plane ${plane} has no ADC but holds ones`);
    used.set(bits, (used.get(bits) ?? 0) + conversions);
  });
  return [...used].map(([bits, conversions]) => ({ bits, conversions })).sort((a, b) => a.bits - b.bits);
}

/** Bits that a layer's conversions give in one inference. */
export function convertedBits({ conversionsByBits }: LayerCost): number {
  return conversionsByBits.reduce((sum, { bits, conversions }) => sum + bits * conversions, 0);
}

function layerLatencyNs(mapping: LayerMapping, adcBits: number, { adc, tile }: CostModel): number {
  if (mapping.conversions === 0) return 0;
  const sharing = Math.ceil(mapping.busiestColumns / constantValue(tile, 'array.adcs', '1'));
  checkAdcBits(adc, adcBits);
  return mapping.reads * Math.max(constantValue(tile, 'array.read.time', 'ns'), adc.readNs(adcBits, sharing));
}

function layerEnergyPj(
  mapping: LayerMapping,
  conversionsByBits: readonly ConversionsAt[],
  { adc, tile }: CostModel,
): Record<Part, number> {
  const { conversions, rowDrives, drivenBits, dacBits, inputBits, outputs } = mapping;
  const get = getter(tile);
  // Events a nanosecond of a macro in full use; power in mW over it is energy in pJ an event.
  const macroRate = get('macro.arrays', '1') * get('macro.adc.rate', 'GS/s');
  const each = (part: string) => get(`${part}.power`, 'mW') / macroRate;
  const word = get('event.word', 'bit');
  const outputBits = outputs * get('output.bits', 'bit');
  const moved = inputBits + outputBits;
  const tileDigital = ['sigmoid', 'shift-add', 'max-pool', 'output-register'].reduce(
    (sum, part) => sum + each(`tile.${part}`) / get('tile.macros', '1'),
    0,
  );
  return {
    adc: conversionsByBits.reduce((sum, at) => sum + adcEnergy({ ...at, model: adc }).energyPj, 0),
    dac: rowDrives * (each('macro.dac') + addedDacUnits(dacBits) * get('dac.unit.energy', 'pJ')),
    'sample-hold': conversions * each('macro.sample-hold'),
    array: conversions * each('macro.array') * drivenShare(mapping, tile),
    'shift-add': conversions * each('macro.shift-add'),
    'input-register': drivenBits * each('macro.input-register'),
    'output-register': conversions * each('macro.output-register'),
    edram: (moved / word) * get('event.edram', 'pJ'),
    bus: moved * get('event.bus', 'pJ'),
    router: (outputBits / word) * get('event.router', 'pJ'),
    'tile-digital': conversions * tileDigital,
  };
}

/** Areas at the three scopes, given those of ADCs and macros and the tiles around them. */
function areasUm2(
  adcAreaUm2: number,
  macroAreaUm2: number,
  isaacTiles: number,
  { tile }: CostModel,
): Record<Scope, number> {
  const get = getter(tile);
  const restOfTile = tileParts.reduce((sum, part) => sum + get(`tile.${part}.area`, 'mm2') * 1e6, 0);
  return { adc: adcAreaUm2, macro: macroAreaUm2, tile: macroAreaUm2 + isaacTiles * restOfTile };
}

/** Area of one array with all that stands around it in the macro but ADCs. */
function restOfMacroUm2({ tile }: CostModel, { dacBits, arrayRows }: LayerMapping): number {
  const get = getter(tile);
  const height = arrayHeight(arrayRows, tile);
  const published = macroParts
    .filter((part) => part !== 'adc')
    .reduce((sum, part) => {
      const area = get(`macro.${part}.area`, 'mm2') * 1e6;
      return sum + (part === 'array' || part === 'dac' ? height * area : area);
    }, 0);
  const dacs = height * get('array.rows', '1');
  return published / get('macro.arrays', '1') + dacs * addedDacUnits(dacBits) * get('dac.unit.area', 'um2');
}

/**
 * Height of an array of R rows in published ones (ISAAC: 128 rows). Lower arrays count as one: what they would save beside
 * the columns' own circuits is not published.
 */
function arrayHeight(arrayRows: number, tile: ConstantTable): number {
  return Math.max(1, arrayRows / constantValue(tile, 'array.rows', '1'));
}

/** Array energy of a conversion in that of a published column: the whole column's, or of the rows driven alone where they are limited. */
function drivenShare({ arrayRows, rowsTogether }: LayerMapping, tile: ConstantTable): number {
  if (rowsTogether === arrayRows) return arrayHeight(arrayRows, tile);
  return rowsTogether / constantValue(tile, 'array.rows', '1');
}

/** Units of a DAC beyond those of a 1-bit one. */
function addedDacUnits(dacBits: number): number {
  return 2 ** (dacBits - 1) - 1;
}

function scopeCosts(
  energy: Readonly<Record<Part, number>>,
  areaUm2: Readonly<Record<Scope, number>>,
  { macs, intervalNs }: { readonly macs: number; readonly intervalNs: number },
): Record<Scope, ScopeCost> {
  const energyPj: Record<Scope, number> = {
    adc: energy.adc,
    macro: macroParts.reduce((sum, part) => sum + energy[part], 0),
    tile: parts.reduce((sum, part) => sum + energy[part], 0),
  };
  const operations = 2 * macs;
  return mapScopes((scope) => ({
    energyPj: energyPj[scope],
    areaUm2: areaUm2[scope],
    // Operations a pJ are 10^12 operations a joule.
    topsPerW: over(operations, energyPj[scope]),
    // Operations a ns and um2 are 10^9 / 10^-6 = 10^15 a second and mm2.
    topsPerMm2: over(1000 * operations, intervalNs * areaUm2[scope]),
  }));
}

/** Nothing was done at no cost. */
function over(done: number, cost: number): number {
  return cost === 0 ? 0 : done / cost;
}

function arraysPerTile({ tile }: CostModel): number {
  return constantValue(tile, 'macro.arrays', '1') * constantValue(tile, 'tile.macros', '1');
}

/** Area of the ADCs of one array. */
function adcAreaOf({ adc, tile, adcAreaUm2 }: CostModel, bits: number): number {
  if (bits === 0) return 0;
  checkAdcBits(adc, bits);
  return constantValue(tile, 'array.adcs', '1') * adcAreaUm2(bits);
}

function sumParts(costs: readonly Readonly<Record<Part, number>>[]): Record<Part, number> {
  const total = { ...costs[0] };
  for (const layer of costs.slice(1)) for (const part of parts) total[part] += layer[part];
  return total;
}

function getter(table: ConstantTable): (name: string, unit: string) => number {
  return (name, unit) => constantValue(table, name, unit);
}
