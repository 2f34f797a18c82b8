import type { LayerJob, LayerResult } from '../layer-job';
import {
  type ChargeDomainSettings,
  chargeDomain,
  chargeDomainDefaults,
  chargeDomainPublished,
} from './charge-domain';
import { checkChoice } from './check-setting';
import { marginSensing } from './margin-sensing';
import { type MarginSettings, marginDefaults } from './margin-settings';
import { type RangeMappingSettings, rangeMapping, rangeMappingDefaults } from './range-mapping';
import { type SparsityAwareSettings, sparsityAware, sparsityAwareDefaults } from './sparsity-aware';

export type ReadoutSchemeName = 'range-mapping' | 'margin-sensing' | 'sparsity-aware' | 'charge-domain';

export const readoutSchemeNames: readonly ReadoutSchemeName[] = [
  'range-mapping',
  'margin-sensing',
  'sparsity-aware',
  'charge-domain',
];

/** The settings of each scheme. */
export interface ReadoutSettings {
  readonly 'range-mapping': RangeMappingSettings;
  readonly 'margin-sensing': MarginSettings;
  readonly 'sparsity-aware': SparsityAwareSettings;
  readonly 'charge-domain': ChargeDomainSettings;
}

/** Where something comes from: the paper says it; it follows from what the paper says; or it is ours. */
export type ValueSource = 'published' | 'derived' | 'assumed';

/** A setting of a scheme, or a structural choice that no setting changes. */
export interface SchemeParameter {
  /** Field of the settings; for a structural choice a few words. */
  readonly name: string;
  readonly unit?: string;
  /** As a person reads it; absent for a structural choice. */
  readonly default?: string;
  /** Source of the idea that there is such a quantity. */
  readonly source: ValueSource;
  /** Source of the default. */
  readonly value?: ValueSource;
  readonly note: string;
}

/** A readout scheme of the literature, as far as it is known to us, with our model of it. */
export interface ReadoutScheme<Name extends ReadoutSchemeName = ReadoutSchemeName> {
  readonly name: Name;
  readonly citation: string;
  readonly doi?: string;
  /** What of the paper could be read. */
  readonly known: 'abstract' | 'title';
  /** One sentence: what the model does. */
  readonly idea: string;
  /** Figures that the paper states: for comparison, never inputs of the model. */
  readonly figures: readonly { readonly quantity: string; readonly value: string; readonly unit: string }[];
  readonly parameters: readonly SchemeParameter[];
  /** Runs a layer; the scheme's own function returns more. */
  readonly run: (job: LayerJob, settings?: ReadoutSettings[Name]) => LayerResult<Float64Array>;
}

const adcBits = (bits: number): SchemeParameter => ({
  name: 'adcBits',
  unit: 'bit',
  default: String(bits),
  source: 'published',
  value: 'assumed',
  note: 'the resolution is not in what we could read',
});

const seed: SchemeParameter = {
  name: 'seed',
  default: '1',
  source: 'assumed',
  value: 'assumed',
  note: 'of all draws',
};

/** Every scheme, by name. */
export const readoutSchemes: { readonly [Name in ReadoutSchemeName]: ReadoutScheme<Name> } = {
  'range-mapping': {
    name: 'range-mapping',
    citation:
      'Huang et al., DAC/ADC non-linearity and automated quantisation range mapping for computing-in-memory, ISCAS 2022',
    known: 'title',
    idea: 'Each layer’s pulses and column sums are placed on the measured curves of DAC and ADC where the codes in use are most linear.',
    figures: [],
    parameters: [
      adcBits(rangeMappingDefaults.adcBits),
      {
        name: 'converter',
        default: 'ramp, curvature 1 LSB, code widths +-0.1 LSB',
        source: 'published',
        value: 'assumed',
        note: 'that the ADC is nonlinear is in the title; the curve is ours, or measured (inl, dnl)',
      },
      {
        name: 'dac.bits',
        unit: 'bit',
        default: String(rangeMappingDefaults.dac.bits),
        source: 'published',
        value: 'assumed',
        note: 'resolution of the DAC itself; pulses use some of its codes',
      },
      {
        name: 'dac.compression',
        default: String(rangeMappingDefaults.dac.compression),
        source: 'published',
        value: 'assumed',
        note: 'that the DAC is nonlinear is in the title; the compressive curve is ours, or measured',
      },
      {
        name: 'dac.noise',
        unit: 'DAC step rms',
        default: String(rangeMappingDefaults.dac.noise),
        source: 'assumed',
        value: 'assumed',
        note: 'without it the smallest, straightest range would always be best',
      },
      {
        name: 'criterion',
        source: 'assumed',
        note: 'least squared error of the sums met, weighted by their significance, with a digital gain through zero',
      },
      seed,
    ],
    run: (job, settings) => rangeMapping(job, settings),
  },
  'margin-sensing': {
    name: 'margin-sensing',
    citation:
      'Y. Huang, Y. He, J. Yue, H. Yang, Y. Liu, A Non-Volatile Computing-In-Memory Framework with Margin Enhancement Based CSA and Offset Reduction Based ADC, ASP-DAC 2021',
    doi: '10.1145/3394885.3431521',
    known: 'abstract',
    idea: 'Cells vary and leak; a sense amplifier enlarges the difference to the reference, an ADC takes most of its offset off.',
    figures: [
      { quantity: 'energy efficiency over existing RRAM-based accelerators', value: '2.3 - 20.4', unit: 'x' },
    ],
    parameters: [
      adcBits(marginDefaults.adcBits),
      {
        name: 'onOffRatio',
        default: String(marginDefaults.onOffRatio),
        source: 'derived',
        value: 'assumed',
        note: 'the abstract names sense margin and RRAM; a finite ratio is what narrows the margin',
      },
      {
        name: 'cellSigma',
        default: String(marginDefaults.cellSigma),
        source: 'derived',
        value: 'assumed',
        note: 'spread of a cell’s current over that current',
      },
      {
        name: 'leakage',
        default: marginDefaults.leakage,
        source: 'assumed',
        value: 'assumed',
        note: 'a reference that tracks the driven rows',
      },
      {
        name: 'offsetSigma',
        unit: 'LSB',
        default: String(marginDefaults.offsetSigma),
        source: 'published',
        value: 'assumed',
        note: 'the abstract names the offset, not its size',
      },
      {
        name: 'offsetResidual',
        default: String(marginDefaults.offsetResidual),
        source: 'published',
        value: 'assumed',
        note: 'offset reduction as an auto-zero that leaves this share',
      },
      {
        name: 'marginGain',
        default: String(marginDefaults.marginGain),
        source: 'published',
        value: 'assumed',
        note: 'margin enhancement as gain before the decision: offset and noise shrink by it, cell spread does not',
      },
      {
        name: 'noise',
        unit: 'LSB rms',
        default: String(marginDefaults.noise),
        source: 'assumed',
        value: 'assumed',
        note: 'of one decision',
      },
      seed,
    ],
    run: (job, settings) => marginSensing(job, settings),
  },
  'sparsity-aware': {
    name: 'sparsity-aware',
    citation:
      'Huang et al., sparsity-aware computing-in-memory macro with analog switch array and low-resolution current-mode ADC, ASP-DAC 2022',
    known: 'title',
    idea: 'Rows whose input pulse is zero are skipped, so one conversion of few codes sums as many active rows as it can hold.',
    figures: [],
    parameters: [
      adcBits(sparsityAwareDefaults.adcBits),
      {
        name: 'rowsPerConversion',
        unit: 'active rows',
        default: sparsityAwareDefaults.rowsPerConversion,
        source: 'derived',
        value: 'assumed',
        note: 'a low-resolution ADC holds 2^b - 1 rows of 1-bit cells and pulses without loss; `stored-codes` (grouping by what pruned columns hold) is ours',
      },
      {
        name: 'switches',
        source: 'assumed',
        note: 'any active rows of a tile can meet in a conversion; they are dealt in row order, alike for all columns',
      },
      {
        name: 'silent planes',
        source: 'assumed',
        note: 'a pulse plane without active rows costs no conversion',
      },
    ],
    run: (job, settings) => sparsityAware(job, settings),
  },
  'charge-domain': {
    name: 'charge-domain',
    citation:
      'K. Xiao, X. Cui, X. Qiao, J. Song, H. Luo, X. Wang, Y. Wang, A 28nm 32Kb SRAM Computing-in-Memory Macro With Hierarchical Capacity Attenuator and Input Sparsity-Optimized ADC for 4b MAC Operation, IEEE TCAS-II 2023',
    doi: '10.1109/TCSII.2023.3234620',
    known: 'abstract',
    idea: 'Charges of all weight planes are combined by a capacitive attenuator and converted at once; flash comparators that the sensed inputs cannot reach stay off.',
    figures: Object.values(chargeDomainPublished).map(({ value, unit, of }) => ({
      quantity: of,
      value: String(value),
      unit,
    })),
    parameters: [
      adcBits(chargeDomainDefaults.adcBits),
      {
        name: 'conversion',
        default: chargeDomainDefaults.conversion,
        source: 'derived',
        value: 'assumed',
        note: '4-bit weight accumulation is in the abstract; how the input bits enter is not',
      },
      {
        name: 'range',
        unit: 'weight code x input code',
        default: chargeDomainDefaults.range,
        source: 'assumed',
        value: 'assumed',
        note: 'one full scale for a layer',
      },
      {
        name: 'attenuatorSigma',
        default: String(chargeDomainDefaults.attenuatorSigma),
        source: 'derived',
        value: 'assumed',
        note: 'mismatch of a stage’s ratio; the chain of stages is our reading of "hierarchical"',
      },
      {
        name: 'comparatorSigma',
        unit: 'steps',
        default: String(chargeDomainDefaults.comparatorSigma),
        source: 'assumed',
        value: 'assumed',
        note: 'offset of each comparator',
      },
      {
        name: 'sensorRows',
        unit: 'rows',
        default: String(chargeDomainDefaults.sensorRows),
        source: 'published',
        value: 'assumed',
        note: 'input sparsity is sensed; how finely is not said',
      },
      seed,
    ],
    run: (job, settings) => chargeDomain(job, settings),
  },
};

/** Runs a layer through the scheme of that name. Throws an InputError for a name that is none. */
export function runReadoutScheme<Name extends ReadoutSchemeName>(
  name: Name,
  job: LayerJob,
  settings?: ReadoutSettings[Name],
): LayerResult<Float64Array> {
  checkChoice('readout scheme', name, readoutSchemeNames as readonly Name[]);
  return readoutSchemes[name].run(job, settings);
}
