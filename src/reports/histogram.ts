import { InputError } from '../errors';
import { type Axis, type Figure, type FigureFrame, houseLayout } from './figure';
import { plainValues, type Values } from './figure-values';

export interface HistogramFigure extends FigureFrame {
  readonly x: Axis;
  readonly y: Axis;
  /** Centre of the first bin; default 0. */
  readonly start?: number;
  /** Width of a bin; default 1, so that bin i counts the value start + i. */
  readonly binWidth?: number;
  /** Counted already: `counts[i]` things in bin i. Several series are drawn over one another, half transparent. */
  readonly series: readonly { readonly name: string; readonly counts: ArrayLike<number> }[];
}

/** Bars that touch, one a bin, over counts that are known already (see `countBins` for raw values). */
export function histogram(options: HistogramFigure): Figure {
  const { start = 0, binWidth = 1, series } = options;
  if (!(binWidth > 0)) throw new InputError(`histogram: binWidth is ${binWidth}, it must be above 0`);
  return {
    data: series.map(({ name, counts }) => ({
      type: 'bar',
      name,
      x: Array.from(counts, (_, i) => start + i * binWidth),
      y: plainValues(counts as Values, counts.length, `counts of "${name}"`),
      width: binWidth,
      opacity: series.length > 1 ? 0.6 : 1,
      marker: { line: { width: 0.5, color: '#ffffff' } },
    })),
    layout: {
      ...houseLayout(options, options.x, options.y),
      barmode: 'overlay',
      bargap: 0,
      showlegend: series.length > 1,
    },
  };
}

/**
 * Counts `values` into bins centred at start, start + binWidth, ... . Values beyond the last bins are counted in them, so
 * the counts add up to the number of values.
 */
export function countBins(
  values: ArrayLike<number>,
  { start, binWidth, bins }: { readonly start: number; readonly binWidth: number; readonly bins: number },
): Int32Array {
  if (!(binWidth > 0 && Number.isInteger(bins) && bins > 0))
    throw new InputError(
      `countBins: binWidth ${binWidth} and bins ${bins} must be above 0, bins a whole number`,
    );
  const counts = new Int32Array(bins);
  for (let i = 0; i < values.length; i++) {
    const bin = Math.round((values[i] - start) / binWidth);
    if (Number.isNaN(bin)) throw new InputError(`countBins: value ${i} is not a number`);
    counts[Math.min(bins - 1, Math.max(0, bin))]++;
  }
  return counts;
}
