import { checkWhole } from '../check-number';

/**
 * Lowest ADC resolution that converts every sum 0..maxSum without loss: ceil(log2(maxSum + 1)), so 1, 3, 7, 15 need
 * 1, 2, 3, 4 bits and an empty column needs none. With v-bit DACs pass (2^v - 1) * maxOnes.
 */
export function requiredAdcBits(maxSum: number): number {
  checkWhole('largest column sum', maxSum, 0, 0x7fffffff);
  return 32 - Math.clz32(maxSum);
}
