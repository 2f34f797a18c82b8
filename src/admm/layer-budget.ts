import { digitSumLimit } from '../bitplanes/digit-sum-limit';
import { type EncodingName, planeEncoding } from '../bitplanes/plane-encoding';
import { InputError } from '../errors';
import type { LimitOptions } from '../projections/limits';
import { type AdcBits, adcBitsOf } from '../quantization/adc-bits';

type PlaneBudget = number | readonly number[];

/** How pruned weights are laid into cells, and what each bit column may hold. */
export interface BudgetSettings {
  /** Resolution the pruned network's ADCs need, for all layers or by layer. */
  readonly adcBits: AdcBits;
  /** Bits an input DAC drives at once, 1..8; default 1. */
  readonly dacBits?: number;
  /** Default `sign-split`. */
  readonly encoding?: EncodingName;
  /** Bits of a cell, 1..4; default 1. */
  readonly cellBits?: number;
  /** ISAAC's flip, offset encoding only; default false. */
  readonly flip?: boolean;
  /**
   * k_b: ones (digit sum of multi-bit cells) in a bit column, one number or one a plane (lowest first), for all layers or
   * by layer; default, and at most: what the layer's ADC reads without loss, floor((2^adcBits - 1) / (2^dacBits - 1)).
   */
  readonly bitLimit?: PlaneBudget | Readonly<Record<string, PlaneBudget>>;
  /** k_v: nonzeros allowed in a (row tile, output channel); absent: no limit. */
  readonly valueLimit?: number;
}

/** What one layer's projection must keep. */
export type LayerBudget = Omit<LimitOptions, 'weightBits'>;

/**
 * The limits of one layer.
 * @throws InputError for settings out of range, and for a budget that the layer's ADC could not read
 */
export function layerBudget(settings: BudgetSettings, layer: string, weightBits: number): LayerBudget {
  const { adcBits, dacBits, encoding = 'sign-split', cellBits, flip, valueLimit } = settings;
  const where = typeof adcBits === 'number' ? '' : ` of layer '${layer}'`;
  const bits = adcBitsOf(adcBits, layer);
  if (!Number.isInteger(bits) || bits < 1 || bits > 8)
    throw new InputError(`adcBits${where} ${bits} is not a whole number from 1 to 8`);
  const { planes } = planeEncoding(encoding, weightBits, cellBits);
  if (flip && encoding !== 'offset')
    throw new InputError(`flip: it is for offset encoding only, not ${encoding}`);
  const most = digitSumLimit(bits, dacBits);
  if (most === 0)
    throw new InputError(
      `adcBits${where} ${bits}: a ${dacBits}-bit DAC drives a single cell beyond such an ADC`,
    );
  const bitLimit = ownLimit(settings.bitLimit, layer) ?? most;
  const list = typeof bitLimit === 'number' ? [bitLimit] : bitLimit;
  if (typeof bitLimit !== 'number' && list.length !== planes)
    throw new InputError(`bitLimit of layer '${layer}': ${list.length} numbers for ${planes} planes`);
  for (const limit of list)
    if (!Number.isInteger(limit) || limit < 0 || limit > most)
      throw new InputError(
        `bitLimit of layer '${layer}': ${limit} is not a whole number from 0 to the ${most} that its ${bits}-bit ADC reads`,
      );
  return { encoding, cellBits, flip, bitLimit, valueLimit };
}

function ownLimit(bitLimit: BudgetSettings['bitLimit'], layer: string): PlaneBudget | undefined {
  if (bitLimit === undefined || typeof bitLimit === 'number') return bitLimit;
  return Array.isArray(bitLimit) ? bitLimit : (bitLimit as Readonly<Record<string, PlaneBudget>>)[layer];
}
