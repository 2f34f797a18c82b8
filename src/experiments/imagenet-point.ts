import type { PerPlane } from '../bitplanes/per-plane';
import { type EncodingName, planeEncoding } from '../bitplanes/plane-encoding';
import { InputError } from '../errors';
import type { ConvNode, DenseNode } from '../networks/description';
import type { AdcBits } from '../quantization/adc-bits';
import { crossbarNodes } from '../quantization/crossbar-layers';
import type { IntegerNetwork } from '../quantization/integer-network';

/**
 * What is pruned: all; 3x3 convolutions alone, where the other layers keep 8-bit codes and ADCs that read them whole; all,
 * but the other layers (the first, the shortcuts, the classifier) for ADCs of N bits; all, but the classifier, which has
 * few of the conversions, for ADCs of N bits; all layers to their N highest bit planes, the others holding no ones
 * and needing no ADC; or all, the ADC energy that so many bits would take in every plane of every layer being allocated to
 * layers and planes.
 */
export type PrunedPart =
  | 'all'
  | '3x3'
  | `outer${number}`
  | `classifier${number}`
  | `top${number}`
  | 'allocated';

/** A crossbar to prune for. */
export interface ImagenetPoint {
  readonly tileRows: number;
  readonly adcBits: number;
  readonly part: PrunedPart;
}

const all = (tileRows: number, adcBits: number): ImagenetPoint => ({ tileRows, adcBits, part: 'all' });

/** Measured by default: where pruning bites, what sparing the outer layers saves, and fewer bit planes at more ADC bits. */
export const imagenetPoints: readonly ImagenetPoint[] = [
  all(128, 4),
  all(64, 3),
  all(128, 3),
  { tileRows: 128, adcBits: 3, part: '3x3' },
  { tileRows: 128, adcBits: 3, part: 'outer4' },
  { tileRows: 128, adcBits: 4, part: 'top4' },
  all(128, 2),
  all(64, 2),
  all(32, 2),
  all(32, 3),
  all(64, 4),
  all(128, 5),
];

/**
 * `r128-adc3`; `r128-adc3-3x3` where only 3x3 convolutions are pruned; `r128-adc3-outer4` with 4 bits in all other layers;
 * `r128-adc3-classifier5` with 5 bits in the last one; `r128-adc4-top3` with three planes; `r128-adc3-allocated`.
 */
export const pointName = ({ tileRows, adcBits, part }: ImagenetPoint) =>
  `r${tileRows}-adc${adcBits}${part === 'all' ? '' : `-${part}`}`;

/** What a title says of a point's part; empty: all. */
export function partText({ part, adcBits }: Pick<ImagenetPoint, 'part' | 'adcBits'>): string {
  if (part === 'all') return '';
  if (part === 'allocated') return `ADC energy of ${adcBits} bits allocated`;
  if (part === '3x3') return '3x3 convolutions only';
  const number = numberOf(part);
  if (isOuter(part)) return `${number} bits outside 3x3 convolutions`;
  return isClassifier(part) ? `${number} bits in the classifier` : `${number} highest planes`;
}

/** The point of a name that an option of the command line gives. @throws InputError for another name */
export function pointOf(name: string, option: string): ImagenetPoint {
  const [, rows, bits, part] =
    /^r([1-9]\d{0,4})-adc([1-8])(?:-(3x3|outer[1-8]|classifier[1-8]|top[1-6]|allocated))?$/.exec(name) ?? [];
  if (rows === undefined)
    throw new InputError(
      `--${option} ${name}: rR-adcB is needed, R rows and B of 1 to 8 bits, as r128-adc3; -3x3 behind it spares the other layers, -outerN gives them N bits, -classifierN the classifier, -topN leaves N bit planes, -allocated spreads the ADC energy of B bits`,
    );
  return { tileRows: Number(rows), adcBits: Number(bits), part: (part as PrunedPart | undefined) ?? 'all' };
}

/** @throws InputError for a point that cannot be pruned for in an encoding */
export function checkPoint(point: ImagenetPoint, encoding: EncodingName, weightBits: number): void {
  const { part, tileRows, adcBits } = point;
  const { planes } = planeEncoding(encoding, weightBits);
  const refuse = (why: string) => {
    throw new InputError(`point ${pointName(point)}: ${why}`);
  };
  if (part.startsWith('top') && numberOf(part) >= planes)
    refuse(`${weightBits}-bit ${encoding} has ${planes} planes, fewer must be left`);
  if (part === '3x3' && tileRows >= 2 ** WHOLE_BITS)
    refuse(`the other layers' ADCs of ${WHOLE_BITS} bits read at most ${2 ** WHOLE_BITS - 1} rows whole`);
  const [least, most] = [Math.min(...allocatableBits), Math.max(...allocatableBits)];
  if (part === 'allocated' && (adcBits < least || adcBits > most))
    refuse(`the ADC energy of ${least} to ${most} bits can be allocated`);
}

/** ADC bits tried for each layer where they are allocated, in all planes or without ADC in the lowest. */
export const allocatableBits: readonly number[] = [2, 3, 4, 5];

/** ADCs that read any column of up to 255 rows. */
const WHOLE_BITS = 8;

const numberOf = (part: PrunedPart) => Number(part.replace(/\D+/, ''));
const isOuter = (part: PrunedPart) => part.startsWith('outer');
const isClassifier = (part: PrunedPart) => part.startsWith('classifier');

/** The bits of a point that is not allocated: in every layer, others in some of them, or in the highest planes alone. */
export function bitsOf(
  { description, weightBits }: IntegerNetwork,
  encoding: EncodingName,
  { adcBits, part }: ImagenetPoint,
): AdcBits {
  if (part === 'all') return adcBits;
  const nodes = crossbarNodes(description);
  const byLayer = (bits: (node: ConvNode | DenseNode) => PerPlane) =>
    Object.fromEntries(nodes.map((node) => [node.name, bits(node)]));
  if (part === '3x3' || isOuter(part)) {
    const others = part === '3x3' ? WHOLE_BITS : numberOf(part);
    return byLayer((node) => (node.op === 'conv' && node.kernel === 3 ? adcBits : others));
  }
  if (isClassifier(part)) {
    const classifier = nodes[nodes.length - 1];
    return byLayer((node) => (node === classifier ? numberOf(part) : adcBits));
  }
  const { planes } = planeEncoding(encoding, weightBits);
  const left = planes - numberOf(part);
  const highest = Array.from({ length: planes }, (_, plane) => (plane < left ? 0 : adcBits));
  return byLayer(() => highest);
}
