import { type ConstantTable, constantTable, constantValue } from './constant-table';
import tileList from './constants/isaac-tile.json';

export const tileConstants: ConstantTable = constantTable(tileList, 'isaac-tile.json');

export const macroParts = [
  'adc',
  'dac',
  'sample-hold',
  'array',
  'shift-add',
  'input-register',
  'output-register',
] as const;

export const tileParts = [
  'edram',
  'bus',
  'router',
  'sigmoid',
  'shift-add',
  'max-pool',
  'output-register',
] as const;

export type MacroPart = (typeof macroParts)[number];

/** Power and area of an ISAAC macro (8 crossbars and ADCs) or tile (12 macros), as published: 8-bit ADCs, full use. */
export interface Budget {
  readonly powerMw: number;
  readonly areaMm2: number;
  readonly adcPowerMw: number;
  readonly adcAreaMm2: number;
}

export function macroBudget(constants: ConstantTable = tileConstants): Budget {
  const total = (what: 'power' | 'area') =>
    macroParts.reduce((sum, part) => sum + partOf(constants, `macro.${part}`, what), 0);
  return {
    powerMw: total('power'),
    areaMm2: total('area'),
    adcPowerMw: partOf(constants, 'macro.adc', 'power'),
    adcAreaMm2: partOf(constants, 'macro.adc', 'area'),
  };
}

export function tileBudget(constants: ConstantTable = tileConstants): Budget {
  const macros = constantValue(constants, 'tile.macros', '1');
  const macro = macroBudget(constants);
  const rest = (what: 'power' | 'area') =>
    tileParts.reduce((sum, part) => sum + partOf(constants, `tile.${part}`, what), 0);
  return {
    powerMw: macros * macro.powerMw + rest('power'),
    areaMm2: macros * macro.areaMm2 + rest('area'),
    adcPowerMw: macros * macro.adcPowerMw,
    adcAreaMm2: macros * macro.adcAreaMm2,
  };
}

function partOf(constants: ConstantTable, part: string, what: 'power' | 'area'): number {
  return constantValue(constants, `${part}.${what}`, what === 'power' ? 'mW' : 'mm2');
}

/**
 * Gain of a whole in which the ADCs take the part `adcShare` (0..1), when their cost becomes `adcRatio` times what it
 * was and all else stays: 1 / (1 - share + share * ratio).
 */
export function gainOfWhole(adcShare: number, adcRatio: number): number {
  return 1 / (1 - adcShare + adcShare * adcRatio);
}
