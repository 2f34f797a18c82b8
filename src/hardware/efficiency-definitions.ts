import { InputError } from '../errors';
import { type AdcModelName, adcModel, adcModelNames } from './adc-model';
import { constantValue } from './constant-table';
import { type CostModel, costModel, type DesignCost, type Scope } from './design-cost';
import type { HardwareConstants } from './hardware-preset';
import { type Baseline, costDesigns, type HardwareReport } from './hardware-report';
import { gainOfWhole, tileBudget } from './isaac-tile';
import type { MappedDesign } from './map-designs';
import { hardwarePresetNames, namedHardwarePreset } from './named-presets';

/** The paper's claim: hardware efficiency rises by 180 %, its definition unpublished in what could be read. */
export const CLAIMED_GAIN = 2.8;

/** One reading of "hardware efficiency". */
export interface EfficiencyDefinition {
  readonly id: string;
  readonly title: string;
  /** Whether it needs an area of the ADC, which not every law has. */
  readonly usesArea: boolean;
  readonly gain: (report: HardwareReport, baseline: Baseline) => number;
}

const MEASURES = [
  ['energy', 'energy (TOPS/W)'],
  ['area', 'area'],
  ['topsPerMm2', 'TOPS/mm2'],
  ['product', 'TOPS/W x TOPS/mm2'],
] as const;

const SCOPES: readonly (readonly [Scope, string])[] = [
  ['adc', 'ADC'],
  ['macro', 'macro'],
  ['tile', 'tile'],
];

export const efficiencyDefinitions: readonly EfficiencyDefinition[] = [
  {
    id: 'conversion',
    title: 'ADC energy a conversion',
    usesArea: false,
    gain: ({ pruned }, { cost }) => energyAConversion(cost) / energyAConversion(pruned),
  },
  ...SCOPES.flatMap(([scope, name]) =>
    MEASURES.map(([measure, title]) => ({
      id: `${scope}-${measure}`,
      title: `${name}: ${title}`,
      usesArea: measure !== 'energy',
      gain: (_: HardwareReport, { gains }: Baseline) => gains[scope][measure],
    })),
  ),
];

function energyAConversion({ scopes, conversions }: DesignCost): number {
  return scopes.adc.energyPj / conversions;
}

/** What a cost model answers for a set of designs, or the one line that it refuses with. */
export interface Outcome {
  readonly adcModel: AdcModelName;
  /** Whether the model has an area law of its own. */
  readonly ownArea: boolean;
  readonly report?: HardwareReport;
  readonly refusal?: string;
}

/** The designs under every ADC model; those that do not answer for the pruned network refuse. */
export function reportsByLaw(
  designs: readonly MappedDesign[],
  constants: HardwareConstants,
  options: { readonly arrayBudget?: number } = {},
): Outcome[] {
  return adcModelNames.map((name) => outcomeOf(designs, costModel(name, constants), options));
}

/** The designs as every published design would have them. */
export function reportsByPreset(designs: readonly MappedDesign[]): ReadonlyMap<string, Outcome> {
  return new Map(
    hardwarePresetNames.map((name) => {
      const preset = namedHardwarePreset(name);
      return [name, outcomeOf(designs, costModel(preset.adcModel, preset))];
    }),
  );
}

function outcomeOf(
  designs: readonly MappedDesign[],
  model: CostModel,
  options?: { readonly arrayBudget?: number },
): Outcome {
  const told = { adcModel: model.adc.name, ownArea: model.adc.areaUm2 !== undefined };
  try {
    return { ...told, report: costDesigns(designs, model, options) };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return { ...told, refusal: error.message };
  }
}

/** A gain under one definition over one baseline, with its spread over the ADC laws. */
export interface DefinedGain {
  readonly definition: string;
  readonly title: string;
  readonly baseline: string;
  /** Under the model asked for; absent where it does not answer. */
  readonly gain?: number;
  readonly lowest: number;
  readonly highest: number;
  /** ADC models that answer for this baseline: of areas those that have one of their own. */
  readonly answeredBy: readonly AdcModelName[];
  /** Those of them that give the claimed gain or more. */
  readonly reachedBy: readonly AdcModelName[];
}

/** Every definition over every one of `baselines` that any ADC model answers for. */
export function gainsByDefinition(
  laws: readonly Outcome[],
  chosen: AdcModelName,
  baselines: readonly string[],
): DefinedGain[] {
  return baselines.flatMap((name) => {
    const all = laws.flatMap(({ adcModel, ownArea, report }) => {
      const baseline = report?.baselines.find(({ cost }) => cost.name === name);
      return report && baseline ? [{ adcModel, ownArea, report, baseline }] : [];
    });
    return efficiencyDefinitions.flatMap(({ id, title, usesArea, gain }) => {
      const answered = all.filter(({ ownArea }) => ownArea || !usesArea);
      if (answered.length === 0) return [];
      const gains = answered.map(({ report, baseline }) => gain(report, baseline));
      return {
        definition: id,
        title,
        baseline: name,
        gain: gains[answered.findIndex(({ adcModel }) => adcModel === chosen)],
        lowest: Math.min(...gains),
        highest: Math.max(...gains),
        answeredBy: answered.map(({ adcModel }) => adcModel),
        reachedBy: answered.filter((_, k) => gains[k] >= CLAIMED_GAIN).map(({ adcModel }) => adcModel),
      };
    });
  });
}

/** A gain of a whole whose ADCs alone become cheaper, everything else and the conversions as they were. */
export interface ShareGain {
  readonly title: string;
  readonly fromBits: number;
  readonly toBits: number;
  readonly gain: number;
}

/**
 * The usual sums on paper, at equal conversions, down to `toBits`: an ISAAC tile from 8 bits with Saberi-scaled ADCs, with
 * free ADCs, and a macro in which 4-bit flash ADCs take Kim et al.'s shares of energy and area.
 */
export function shareGains(toBits: number, constants: HardwareConstants): ShareGain[] {
  const { powerMw, adcPowerMw, areaMm2, adcAreaMm2 } = tileBudget(constants.tile);
  const sar = adcModel('sar-saberi', constants.adc);
  const flash = adcModel('flash', constants.adc);
  const share = (what: string) => constantValue(constants.tile, `flash.share.${what}`, '1');
  const row = (title: string, fromBits: number, gain: number) => ({ title, fromBits, toBits, gain });
  const ratio = sar.energyPj(toBits) / sar.energyPj(8);
  const areaRatio = sar.areaUm2!(toBits) / sar.areaUm2!(8);
  return [
    row('ADC alone: energy', 8, 1 / ratio),
    row('ADC alone: area', 8, 1 / areaRatio),
    row('ISAAC tile: energy', 8, gainOfWhole(adcPowerMw / powerMw, ratio)),
    row('ISAAC tile: area', 8, gainOfWhole(adcAreaMm2 / areaMm2, areaRatio)),
    row('ISAAC tile, free ADCs: energy', 8, gainOfWhole(adcPowerMw / powerMw, 0)),
    ...(toBits < 4
      ? [
          row(
            'flash macro (Kim): energy',
            4,
            gainOfWhole(share('energy'), flash.energyPj(toBits) / flash.energyPj(4)),
          ),
          row(
            'flash macro (Kim): area',
            4,
            gainOfWhole(share('area'), flash.areaUm2!(toBits) / flash.areaUm2!(4)),
          ),
        ]
      : []),
  ];
}
