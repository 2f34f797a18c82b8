import { countBins } from '../reports/histogram';

/** Bins of half a decade, centred at 10^-8, 10^-7.5, ..., 1; what is below counts in the first. */
export const gapBins = { start: -8, binWidth: 0.5, bins: 17 } as const;

/** Certified gaps counted by their logarithm. */
export function gapHistogram(gaps: readonly number[]): number[] {
  const least = 10 ** gapBins.start;
  return Array.from(
    countBins(
      gaps.map((gap) => Math.log10(Math.max(gap, least))),
      gapBins,
    ),
  );
}
