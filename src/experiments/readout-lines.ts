import { type LayerInput, layerJob } from '../crossbar/layer-job';
import {
  type ChargeDomainSettings,
  calibrateChargeRange,
  chargeDomain,
  chargeDomainDefaults,
} from '../crossbar/readout-schemes/charge-domain';
import { withDefaults } from '../crossbar/readout-schemes/check-setting';
import { marginSensing } from '../crossbar/readout-schemes/margin-sensing';
import { type MarginSettings, marginDefaults } from '../crossbar/readout-schemes/margin-settings';
import {
  type RangeMapping,
  type RangeMappingSettings,
  rangeMapOf,
  rangeMapping,
  rangeMappingDefaults,
  rangeMappings,
} from '../crossbar/readout-schemes/range-mapping';
import type { ReadoutSchemeName } from '../crossbar/readout-schemes/readout-schemes';
import {
  type SparsityAwareSettings,
  sparsityAware,
  sparsityAwareDefaults,
} from '../crossbar/readout-schemes/sparsity-aware';
import { simulateLayer } from '../crossbar/simulate-layer';

/** What a readout made of a layer. */
export interface LineResult {
  /** [vectors, columns], in units of weight code times input code. */
  readonly outputs: ArrayLike<number>;
  readonly conversions: number;
  /** Conversions outside the converter's range. */
  readonly clipped: number;
  /** Comparators that decided, if every converter were a flash: 2^bits - 1 a conversion, fewer where they are gated. */
  readonly comparators: number;
  /** Conversions whose code was not that of an ideal converter; absent where the readout has no code to compare with. */
  readonly codeErrors?: number;
}

/** A readout with its settings: one line of the comparison. */
export interface ReadoutLine {
  readonly name: string;
  readonly scheme: 'plain' | ReadoutSchemeName;
  readonly adcBits: number;
  /** Bits of an input pulse; absent: as the network has it. */
  readonly dacBits?: number;
  /** Sets the readout up for a layer, on calibration inputs of its own; `seed` is the layer's. */
  readonly prepare: (calibration: LayerInput, seed: number) => (layer: LayerInput) => LineResult;
}

/** An ideal ADC with a step of one cell level, all rows of a tile at once. */
export function plainLine(adcBits: number): ReadoutLine {
  return {
    name: `plain, ${adcBits} bits`,
    scheme: 'plain',
    adcBits,
    prepare: () => (layer) => {
      const { outputs, conversions, saturated } = simulateLayer({ ...layer, adc: { bits: adcBits } });
      const comparators = conversions * (2 ** adcBits - 1);
      return { outputs, conversions, clipped: saturated, comparators, codeErrors: saturated };
    },
  };
}

export function rangeMappingLine(
  mapping: RangeMapping,
  settings: RangeMappingSettings = {},
  dacBits = 4,
): ReadoutLine {
  const adcBits = settings.adcBits ?? rangeMappingDefaults.adcBits;
  return {
    name: `range mapping: ${mapping}, ${adcBits} bits, ${dacBits}-bit pulses`,
    scheme: 'range-mapping',
    adcBits,
    dacBits,
    // The curves are the design's, so their seed is the same for all layers.
    prepare: (calibration) => {
      const map = rangeMapOf(layerJob({ ...calibration, dacBits }), settings, mapping);
      return (layer) => {
        const { outputs, conversions, saturated } = rangeMapping(
          layerJob({ ...layer, dacBits }),
          settings,
          map,
        );
        return { outputs, conversions, clipped: saturated, comparators: conversions * (2 ** adcBits - 1) };
      };
    },
  };
}

export function marginSensingLine(label: string, settings: MarginSettings = {}): ReadoutLine {
  const adcBits = settings.adcBits ?? marginDefaults.adcBits;
  return {
    name: `margin sensing: ${label}, ${adcBits} bits`,
    scheme: 'margin-sensing',
    adcBits,
    prepare: (_, seed) => (layer) => {
      const result = marginSensing(layerJob(layer), { ...settings, seed: settings.seed ?? seed });
      const { outputs, conversions, saturated, codeErrors } = result;
      const comparators = conversions * (2 ** adcBits - 1);
      return { outputs, conversions, clipped: saturated, comparators, codeErrors };
    },
  };
}

export function sparsityAwareLine(settings: SparsityAwareSettings = {}): ReadoutLine {
  const { adcBits, rowsPerConversion } = withDefaults<SparsityAwareSettings>(sparsityAwareDefaults, settings);
  const rule = typeof rowsPerConversion === 'number' ? `${rowsPerConversion} rows` : rowsPerConversion;
  return {
    name: `sparsity-aware: ${rule}, ${adcBits} bits`,
    scheme: 'sparsity-aware',
    adcBits,
    prepare: () => (layer) => {
      const { outputs, conversions, saturated } = sparsityAware(layerJob(layer), settings);
      const comparators = conversions * (2 ** adcBits - 1);
      return { outputs, conversions, clipped: saturated, comparators, codeErrors: saturated };
    },
  };
}

/** With the range of least error on the calibration inputs unless the settings give one. */
export function chargeDomainLine(settings: ChargeDomainSettings = {}): ReadoutLine {
  const { adcBits, conversion, attenuatorSigma } = withDefaults<ChargeDomainSettings>(
    chargeDomainDefaults,
    settings,
  );
  return {
    name: `charge domain: ${conversion}, ${adcBits} bits, mismatch ${100 * attenuatorSigma} %`,
    scheme: 'charge-domain',
    adcBits,
    prepare: (calibration, seed) => {
      const own = { ...settings, seed: settings.seed ?? seed };
      const range = settings.range ?? calibrateChargeRange(layerJob(calibration), own);
      return (layer) => {
        const result = chargeDomain(layerJob(layer), { ...own, range });
        const { outputs, conversions, saturated, comparatorsFired } = result;
        return { outputs, conversions, clipped: saturated, comparators: comparatorsFired };
      };
    },
  };
}

/** The plain ADC and the four schemes, for a network whose columns need ADCs of `adcBits`. */
export function defaultReadoutLines(adcBits: number): ReadoutLine[] {
  const sensed = (label: string, marginGain: number, offsetResidual: number) =>
    marginSensingLine(label, { adcBits, marginGain, offsetResidual });
  const { marginGain, offsetResidual } = marginDefaults;
  return [
    plainLine(adcBits),
    ...(adcBits > 1 ? [plainLine(adcBits - 1)] : []),
    // 4-bit pulses sum to 15 times as much; one bit fewer than that asks for.
    ...rangeMappings.map((mapping) => rangeMappingLine(mapping, { adcBits: adcBits + 3 })),
    sensed('neither', 1, 1),
    sensed('margin enhanced', marginGain, 1),
    sensed('offset reduced', 1, offsetResidual),
    sensed('both', marginGain, offsetResidual),
    sparsityAwareLine({ adcBits: 2 }),
    sparsityAwareLine({ adcBits: 3 }),
    sparsityAwareLine({ adcBits: 2, rowsPerConversion: 12 }),
    sparsityAwareLine({ adcBits: 1, rowsPerConversion: 'stored-codes' }),
    sparsityAwareLine({ adcBits: 2, rowsPerConversion: 'stored-codes' }),
    chargeDomainLine({ adcBits: 4 }),
    chargeDomainLine({ adcBits: 6 }),
    chargeDomainLine({ adcBits: 8 }),
    chargeDomainLine({ adcBits: 8, attenuatorSigma: 0.01 }),
    chargeDomainLine({ adcBits: 8, conversion: 'whole-input' }),
  ];
}
