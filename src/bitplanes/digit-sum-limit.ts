import { checkWhole } from '../check-number';
import { type PerPlane, planeList } from './per-plane';

/**
 * Largest sum of cell digits in a bit column (its ones, with 1-bit cells) that an ADC of `adcBits` reads without loss when
 * inputs come through DACs of `dacBits`: floor((2^B - 1) / (2^v - 1)). 0 where one driven cell is already too much.
 */
export function digitSumLimit(adcBits: number, dacBits = 1): number {
  checkWhole('adcBits', adcBits, 1, 16);
  checkWhole('dacBits', dacBits, 1, 8);
  return Math.floor((2 ** adcBits - 1) / (2 ** dacBits - 1));
}

/** `digitSumLimit` of every plane, lowest first. In a list 0 bits are a plane without ADC: it may hold nothing. */
export function digitSumLimits(adcBits: PerPlane, planes: number, dacBits?: number): readonly number[] {
  if (typeof adcBits === 'number') return planeList('adcBits', digitSumLimit(adcBits, dacBits), planes);
  return planeList('adcBits', adcBits, planes).map((bits) => (bits === 0 ? 0 : digitSumLimit(bits, dacBits)));
}
