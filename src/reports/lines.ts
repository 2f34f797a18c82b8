import { type Axis, type Figure, type FigureFrame, houseLayout, PALETTE } from './figure';
import { plainValues, type Values } from './figure-values';

/** One line of a figure. */
export interface LineSeries {
  readonly name: string;
  readonly x: Values;
  readonly y: Values;
  /** Half lengths of the vertical error bars. */
  readonly errors?: Values;
  /** Default `both` up to 60 points, else `line`. */
  readonly show?: 'line' | 'points' | 'both';
  /** `step` holds each value to the next x, as a converter's curve does. Default `straight`. */
  readonly shape?: 'straight' | 'step';
}

export interface LineFigure extends FigureFrame {
  readonly x: Axis;
  readonly y: Axis;
  readonly series: readonly LineSeries[];
}

// Dashes and symbols keep the lines apart in print without colour.
const DASHES = ['solid', 'dash', 'dot', 'dashdot'] as const;
const SYMBOLS = ['circle', 'square', 'diamond', 'triangle-up', 'cross', 'x', 'star', 'pentagon'] as const;
/** Of line i; shifted by one each time the colours begin anew, so that no two lines look alike. */
const styleOf = (i: number) => i + Math.floor(i / PALETTE.length);
const MODES = { line: 'lines', points: 'markers', both: 'lines+markers' } as const;

/** Lines over numbers, with error bars where given. */
export function lines(options: LineFigure): Figure {
  return {
    data: options.series.map((series, i) => ({
      type: 'scatter',
      mode: MODES[series.show ?? (series.x.length > 60 ? 'line' : 'both')],
      name: series.name,
      x: plainValues(series.x, series.x.length, `x of "${series.name}"`),
      y: plainValues(series.y, series.x.length, `y of "${series.name}"`),
      line: {
        dash: DASHES[styleOf(i) % DASHES.length],
        width: 2,
        shape: series.shape === 'step' ? 'hv' : 'linear',
      },
      marker: { symbol: SYMBOLS[styleOf(i) % SYMBOLS.length], size: 8 },
      ...(series.errors
        ? {
            error_y: {
              type: 'data',
              array: plainValues(series.errors, series.x.length, `errors of "${series.name}"`),
              thickness: 1.5,
            },
          }
        : {}),
    })),
    layout: {
      ...houseLayout(options, options.x, options.y),
      showlegend: options.series.length > 1,
    },
  };
}
