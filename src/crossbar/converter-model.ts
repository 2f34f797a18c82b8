import { InputError } from '../errors';
import { type AdcSettings, adcCodes } from './adc';
import { checkFields, isNumber } from './check-fields';

/**
 * What every converter may get wrong, in addition to rounding and clipping. 1 LSB is one step of the ADC's settings. A
 * transition level is the input at which the code changes; an ideal one lies at code - 0.5 LSB (code, with rounding
 * `floor`). Errors move level T to (T + INL - offset) / (1 + gainError): the definitions of IEEE Std 1241. All default to 0.
 */
export interface ConverterErrors {
  /** Relative error of the slope, above -1: 0.01 reads 1 % too much. */
  readonly gainError?: number;
  /** Spread (sigma) of the gain error from one converter to the next, at least 0. */
  readonly gainSigma?: number;
  /** Added to the input, LSB. The comparator's offset, in a SAR or ramp converter. */
  readonly offset?: number;
  /** Spread (sigma) of the offset from one converter to the next, LSB, at least 0. */
  readonly offsetSigma?: number;
  /** Integral nonlinearity of each transition level, LSB, lowest first: 2^bits - 1 of them, 2^bits - 2 when signed. */
  readonly inl?: readonly number[];
  /** Differential nonlinearity of each code between the outermost, LSB: one fewer than transition levels. Not with `inl`. */
  readonly dnl?: readonly number[];
  /** Spread (sigma) of each transition level by itself, LSB, at least 0. */
  readonly inlSigma?: number;
  /** Spread (sigma) of each code's width, LSB, at least 0; the widths' errors add up along the curve. */
  readonly dnlSigma?: number;
  /** Input-referred noise of a conversion (thermal, kT/C), LSB rms, at least 0: one draw a conversion. */
  readonly noise?: number;
  /** Noise of the comparator, LSB rms, at least 0: one draw a decision. */
  readonly comparatorNoise?: number;
}

/**
 * Successive approximation: from the top bit down, the input is compared with a binary-weighted capacitor array that has
 * one terminating unit capacitor. Signed codes are offset binary.
 */
export interface SarModel extends ConverterErrors {
  readonly type: 'sar';
  /**
   * Relative spread (sigma) of one unit capacitor, at least 0; the capacitor of bit i is 2^i units in parallel, so its
   * relative spread is sigma / sqrt(2^i) (Pelgrom et al., JSSC 1989). Default 0.
   */
  readonly capacitorSigma?: number;
}

/** One comparator a transition level, all at once; the code is the number of ones, whatever their order (bubbles are harmless). */
export interface FlashModel extends ConverterErrors {
  readonly type: 'flash';
  /** Spread (sigma) of each comparator's own offset, LSB, at least 0. Default 0. */
  readonly comparatorSigma?: number;
}

/** A counter runs while a ramp climbs; it stops when one comparator sees the ramp pass the input. */
export interface RampModel extends ConverterErrors {
  readonly type: 'ramp';
  /**
   * How far the ramp sags below its chord in the middle of the range, LSB (negative: bulges), a parabola between the outermost
   * levels: the first term of a droop or of a current source of finite output resistance. Default 0.
   */
  readonly curvature?: number;
}

/** A kind of converter and its non-idealities; resolution, step and rounding are those of the ADC it realises. */
export type ConverterModel = SarModel | FlashModel | RampModel;

export const converterTypes = ['sar', 'flash', 'ramp'] as const;

const spreads = [
  'gainSigma',
  'offsetSigma',
  'inlSigma',
  'dnlSigma',
  'noise',
  'comparatorNoise',
  'capacitorSigma',
  'comparatorSigma',
] as const;

const plain = ['gainError', 'offset', 'curvature'] as const;

const known = ['type', ...plain, 'inl', 'dnl', ...spreads];

const own: Record<ConverterModel['type'], readonly string[]> = {
  sar: ['capacitorSigma'],
  flash: ['comparatorSigma'],
  ramp: ['curvature'],
};

/** Throws an InputError unless the model is one that `adc` can have. `field` names it in the message. */
export function checkConverter(model: ConverterModel, adc: AdcSettings, field = 'converter'): void {
  if (typeof model !== 'object' || model === null || !converterTypes.includes(model.type)) {
    const type = JSON.stringify((model as ConverterModel | null)?.type) ?? 'missing';
    throw new InputError(`${field}.type: ${type}; one of ${converterTypes.join(', ')} is needed`);
  }
  const fields = model as unknown as Record<string, unknown>;
  for (const [type, names] of Object.entries(own)) {
    for (const name of names) {
      if (type !== model.type && fields[name] !== undefined) {
        throw new InputError(`${field}.${name}: a ${model.type} converter has none; it belongs to ${type}`);
      }
    }
  }
  checkFields(model, known, field);
  for (const name of spreads) {
    const { [name]: value = 0 } = fields;
    if (!isNumber(value, 0)) {
      throw new InputError(`${field}.${name}: ${value} is not a number of at least 0`);
    }
  }
  for (const name of plain) {
    const { [name]: value = 0 } = fields;
    if (!isNumber(value)) throw new InputError(`${field}.${name}: ${value} is not a number`);
  }
  if ((model.gainError ?? 0) <= -1)
    throw new InputError(`${field}.gainError: ${model.gainError} is not above -1`);
  if (model.inl && model.dnl) throw new InputError(`${field}.dnl: give it or inl, not both`);
  const { lowest, highest } = adcCodes(adc);
  checkTable(model.inl, highest - lowest, `${field}.inl`, 'transition levels');
  checkTable(model.dnl, highest - lowest - 1, `${field}.dnl`, 'codes between the outermost');
}

function checkTable(table: readonly number[] | undefined, length: number, field: string, what: string): void {
  if (table === undefined) return;
  if (!Array.isArray(table) || table.length !== length) {
    const given = Array.isArray(table) ? table.length : JSON.stringify(table);
    throw new InputError(`${field}: ${given} values where ${length} are needed, one for each of the ${what}`);
  }
  table.forEach((value, i) => {
    if (!Number.isFinite(value)) throw new InputError(`${field}[${i}]: ${value} is not a number`);
  });
}
