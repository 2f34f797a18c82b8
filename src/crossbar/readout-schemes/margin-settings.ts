import { checkNumber, checkWhole } from '../../check-number';
import type { ConverterModel } from '../converter-model';
import type { DeviceModel } from '../device-model';
import { checkChoice, withDefaults } from './check-setting';

/**
 * The framework with a margin-enhanced current sense amplifier (MECSA) and an offset-reduced ADC (ORADC) (Huang et al.,
 * ASP-DAC 2021; known to us by its abstract). Our reading: the amplifier enlarges the difference between column current
 * and reference before the decision, so what the comparator adds counts for less, while the cells' own spread stays; the
 * ADC measures its offset beforehand and takes most of it off. 1 LSB is the current of one cell level (on less off).
 */
export interface MarginSettings {
  /** Resolution, 1..12 (2..12 where sums are signed); its step is one cell level. Default 3: assumed. */
  readonly adcBits?: number;
  /** On over off current of a cell, above 1; Infinity: an off cell conducts nothing. Default 20: assumed, typical of RRAM. */
  readonly onOffRatio?: number;
  /** Standard deviation of a cell's current over that current, 0..1. Default 0.05: assumed. */
  readonly cellSigma?: number;
  /**
   * `cancelled`: the reference takes off the nominal current of the off cells, row by row driven; `kept`: it is converted
   * with the rest. Default `cancelled`: assumed.
   */
  readonly leakage?: 'cancelled' | 'kept';
  /** Standard deviation of a column's input-referred offset, before anything is done about it, LSB, 0..10. Default 0.3: assumed. */
  readonly offsetSigma?: number;
  /** Share of the offset that offset reduction (auto-zero) leaves, 0..1; 1: no reduction. Default 0.1: assumed. */
  readonly offsetResidual?: number;
  /** By how much the sense amplifier enlarges differences before the decision, 1..100; 1: a plain one. Default 2: assumed. */
  readonly marginGain?: number;
  /** Noise of a decision, input-referred without enhancement, LSB rms, 0..10. Default 0.05: assumed. */
  readonly noise?: number;
  /** Whole number; cells, offsets and noise are drawn from it. Default 1. */
  readonly seed?: number;
}

export const marginDefaults = {
  adcBits: 3,
  onOffRatio: 20,
  cellSigma: 0.05,
  leakage: 'cancelled',
  offsetSigma: 0.3,
  offsetResidual: 0.1,
  marginGain: 2,
  noise: 0.05,
  seed: 1,
} as const satisfies Required<MarginSettings>;

/** The settings with their defaults, checked. */
export function marginSettings(settings: MarginSettings, signed = false): Required<MarginSettings> {
  const all = withDefaults<MarginSettings>(marginDefaults, settings);
  checkWhole('adcBits', all.adcBits, signed ? 2 : 1, 12);
  checkNumber('onOffRatio', all.onOffRatio, 1 + Number.EPSILON);
  checkNumber('cellSigma', all.cellSigma, 0, 1);
  checkChoice('leakage', all.leakage, ['cancelled', 'kept']);
  checkNumber('offsetSigma', all.offsetSigma, 0, 10);
  checkNumber('offsetResidual', all.offsetResidual, 0, 1);
  checkNumber('marginGain', all.marginGain, 1, 100);
  checkNumber('noise', all.noise, 0, 10);
  return all;
}

/** The cells that the settings describe. */
export function marginDevice({ onOffRatio, cellSigma, leakage }: Required<MarginSettings>): DeviceModel {
  return { onOffRatio, programming: { kind: 'proportional', sigma: cellSigma }, offState: leakage };
}

/** Spread of a column's offset and noise of a conversion, referred to its input as they act on the code, LSB. */
export function referredErrors(settings: Required<MarginSettings>): { offset: number; noise: number } {
  const { offsetSigma, offsetResidual, marginGain, noise } = settings;
  return { offset: (offsetSigma * offsetResidual) / marginGain, noise: noise / marginGain };
}

/** The converter that the settings describe. */
export function marginConverter(settings: Required<MarginSettings>): ConverterModel {
  const { offset, noise } = referredErrors(settings);
  return { type: 'sar', offsetSigma: offset, noise };
}
