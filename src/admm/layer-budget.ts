import { digitSumLimits } from '../bitplanes/digit-sum-limit';
import { ofPlane, type PerPlane, perPlaneText, planeList } from '../bitplanes/per-plane';
import { type EncodingName, planeEncoding } from '../bitplanes/plane-encoding';
import { checkWhole } from '../check-number';
import { InputError } from '../errors';
import type { LimitOptions } from '../projections/limits';
import { type AdcBits, adcBitsOf } from '../quantization/adc-bits';

/** How pruned weights are laid into cells, and what each bit column may hold. */
export interface BudgetSettings {
  /** Resolution the pruned network's ADCs need, for all layers or by layer, there for all planes or for each; 1..8. */
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
   * by layer; default, and at most: what the plane's ADC reads without loss, floor((2^adcBits - 1) / (2^dacBits - 1)).
   */
  readonly bitLimit?: PerPlane | Readonly<Record<string, PerPlane>>;
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
  checkBits(`adcBits${where}`, bits);
  const { planes } = planeEncoding(encoding, weightBits, cellBits);
  planeList(`adcBits${where}`, bits, planes);
  if (flip && encoding !== 'offset')
    throw new InputError(`flip: it is for offset encoding only, not ${encoding}`);
  const most = digitSumLimits(bits, planes, dacBits);
  if (most.some((limit, plane) => limit === 0 && ofPlane(bits, plane) > 0))
    throw new InputError(
      `adcBits${where} ${perPlaneText(bits)}: a ${dacBits}-bit DAC drives a single cell beyond such an ADC`,
    );
  const bitLimit = ownLimit(settings.bitLimit, layer) ?? (typeof bits === 'number' ? most[0] : most);
  planeList(`bitLimit of layer '${layer}'`, bitLimit, planes).forEach((limit, plane) => {
    if (!Number.isInteger(limit) || limit < 0 || limit > most[plane])
      throw new InputError(
        `bitLimit of layer '${layer}': ${limit} is not a whole number from 0 to the ${most[plane]} that its ${ofPlane(bits, plane)}-bit ADC reads`,
      );
  });
  return { encoding, cellBits, flip, bitLimit, valueLimit };
}

function checkBits(field: string, bits: PerPlane): void {
  const isGood = (each: number) => Number.isInteger(each) && each >= 0 && each <= 8;
  // What a file leaves out is not a list either.
  if (!Array.isArray(bits)) checkWhole(field, bits as number, 1, 8);
  else if (!(bits.every(isGood) && bits.some((each) => each > 0)))
    throw new InputError(
      `${field} ${perPlaneText(bits)} is not whole numbers from 0 to 8, one of them above 0`,
    );
}

function ownLimit(bitLimit: BudgetSettings['bitLimit'], layer: string): PerPlane | undefined {
  if (bitLimit === undefined || typeof bitLimit === 'number') return bitLimit;
  return Array.isArray(bitLimit) ? bitLimit : (bitLimit as Readonly<Record<string, PerPlane>>)[layer];
}
