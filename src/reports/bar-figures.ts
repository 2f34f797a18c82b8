import { type Axis, type Figure, type FigureFrame, houseLayout } from './figure';
import { plainValues, type Values } from './figure-values';

/** Bars of one colour: a value a category. */
export interface BarSeries {
  readonly name: string;
  readonly values: Values;
  /** Half lengths of the error bars. */
  readonly errors?: Values;
}

export interface BarFigure extends FigureFrame {
  /** Title of the category axis. */
  readonly x: Axis;
  readonly y: Axis;
  /** Names along the x axis, in order. */
  readonly categories: readonly string[];
  readonly series: readonly BarSeries[];
}

// Hatching keeps the bars apart in print without colour.
const PATTERNS = ['', '/', 'x', '\\', '.', '|', '-', '+'] as const;

/** Bars side by side, a group a category. */
export function groupedBars(options: BarFigure): Figure {
  return bars(options, 'group');
}

/** Bars on top of one another, a bar a category, such as energy by component. */
export function stackedBars(options: BarFigure): Figure {
  return bars(options, 'stack');
}

function bars(options: BarFigure, barmode: 'group' | 'stack'): Figure {
  const { categories, series } = options;
  const layout = houseLayout(options, options.x, options.y);
  return {
    data: series.map(({ name, values, errors }, i) => ({
      type: 'bar',
      name,
      x: [...categories],
      y: plainValues(values, categories.length, `series "${name}"`),
      marker: {
        pattern: { shape: PATTERNS[i % PATTERNS.length], fillmode: 'overlay', solidity: 0.1, size: 10 },
      },
      ...(errors
        ? { error_y: { type: 'data', array: plainValues(errors, categories.length, `errors of "${name}"`) } }
        : {}),
    })),
    layout: {
      ...layout,
      xaxis: { ...(layout.xaxis as object), type: 'category' },
      barmode,
      showlegend: series.length > 1,
    },
  };
}
