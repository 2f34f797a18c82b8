import { checkWhole } from '../check-number';
import { InputError } from '../errors';
import type { CodeMatrix } from './code-matrix';
import { countOnes } from './count-ones';
import { countValues } from './count-values';
import { digitSumLimits } from './digit-sum-limit';
import { type PerPlane, planeList } from './per-plane';
import { requiredAdcBits } from './required-adc-bits';

export interface CertifyOptions extends CodeMatrix {
  /** k_b: ones (digit sum of multi-bit cells) allowed in a bit column, or one number a plane (lowest first); absent: nothing to keep, only counted. */
  readonly bitLimit?: PerPlane;
  /** k_v: nonzero weights allowed in a (row tile, output channel). */
  readonly valueLimit?: number;
  /** The ADC to be proven lossless, of all planes or of each (lowest first; 0: none, so no ones); absent: only counted. */
  readonly adcBits?: PerPlane;
  /** Bits an input DAC drives at once; default 1. */
  readonly dacBits?: number;
  /** Offending columns listed at most; default 20. */
  readonly listed?: number;
}

/** A bit column (or, with plane -1, a column of values) that breaks its limit. */
export interface Offence {
  readonly tile: number;
  readonly column: number;
  readonly polarity: number;
  readonly plane: number;
  readonly count: number;
  readonly limit: number;
}

export interface LayerCertificate {
  /** Every limit that was given is kept and no conversion can clip. */
  readonly holds: boolean;
  readonly maxOnes: number;
  /** Largest count of each plane over tiles, channels and polarities. */
  readonly maxOnesByPlane: Uint32Array;
  /** Largest sum one conversion can see, and the ADC bits that sum needs. */
  readonly maxSum: number;
  readonly requiredAdcBits: number;
  readonly maxValues: number;
  readonly nonzeros: number;
  readonly bitColumns: number;
  /** Bit columns without a single one: they need no conversion. */
  readonly emptyBitColumns: number;
  readonly offences: number;
  /** The first few of them. */
  readonly offending: readonly Offence[];
}

/** Recounts a layer from its stored codes alone and says whether its limits hold. */
export function certifyLayer(options: CertifyOptions): LayerCertificate {
  const dacBits = options.dacBits ?? 1;
  checkWhole('dacBits', dacBits, 1, 8);
  const ones = countOnes(options);
  const values = countValues(options);
  const { planes, polarities, columns } = ones;
  const drive = 2 ** dacBits - 1;
  const limits = planeLimits(options, planes);
  const listed = options.listed ?? 20;
  const offending: Offence[] = [];
  let offences = 0;
  const offend = (offence: Offence) => {
    offences++;
    if (offending.length < listed) offending.push(offence);
  };

  const maxOnesByPlane = new Uint32Array(planes);
  let maxOnes = 0;
  let emptyBitColumns = 0;
  for (let at = 0; at < ones.counts.length; at++) {
    const count = ones.counts[at];
    const plane = at % planes;
    if (count === 0) emptyBitColumns++;
    if (count > maxOnes) maxOnes = count;
    if (count > maxOnesByPlane[plane]) maxOnesByPlane[plane] = count;
    if (count <= limits[plane]) continue;
    const physical = Math.floor(at / planes);
    const channel = Math.floor(physical / polarities);
    offend({
      tile: Math.floor(channel / columns),
      column: channel % columns,
      polarity: physical % polarities,
      plane,
      count,
      limit: limits[plane],
    });
  }

  let maxValues = 0;
  let nonzeros = 0;
  const valueLimit = options.valueLimit ?? Infinity;
  for (let at = 0; at < values.counts.length; at++) {
    const count = values.counts[at];
    nonzeros += count;
    if (count > maxValues) maxValues = count;
    if (count <= valueLimit) continue;
    const tile = Math.floor(at / columns);
    offend({ tile, column: at % columns, polarity: -1, plane: -1, count, limit: valueLimit });
  }
  return {
    holds: offences === 0,
    maxOnes,
    maxOnesByPlane,
    maxSum: maxOnes * drive,
    requiredAdcBits: requiredAdcBits(maxOnes * drive),
    maxValues,
    nonzeros,
    bitColumns: ones.counts.length,
    emptyBitColumns,
    offences,
    offending,
  };
}

/** What each plane's count must not pass: the budget, and what the ADC can tell apart. */
function planeLimits(options: CertifyOptions, planes: number): number[] {
  const { bitLimit = Infinity, adcBits, dacBits } = options;
  const adcLimits = adcBits === undefined ? undefined : digitSumLimits(adcBits, planes, dacBits);
  return planeList('bitLimit', bitLimit, planes).map((budget, plane) => {
    if (!(budget >= 0)) throw new InputError(`bitLimit: ${budget} is not a number of at least 0`);
    return Math.min(budget, adcLimits?.[plane] ?? Infinity);
  });
}
