import { InputError } from '../errors';
import { type Axis, type Figure, type FigureFrame, houseLayout } from './figure';
import { plainValues, type Values } from './figure-values';

export interface HeatMapFigure extends FigureFrame {
  readonly x: Axis;
  readonly y: Axis;
  /** Names or numbers of the columns. */
  readonly columns: readonly (string | number)[];
  /** Names or numbers of the rows, top row first. */
  readonly rows: readonly (string | number)[];
  /** `values[r][c]`; null leaves a hole. */
  readonly values: readonly Values[];
  /** What the colour says. */
  readonly color: Axis;
  /** Writes the value into each cell with this many decimals; default: not. */
  readonly digits?: number;
}

/** A grid of colours (cividis: even steps for colour-blind readers and in grey). */
export function heatMap(options: HeatMapFigure): Figure {
  const { rows, columns, values, color, digits } = options;
  if (values.length !== rows.length)
    throw new InputError(`heat map: values has ${values.length} rows, ${rows.length} are named`);
  const z = values.map((row, r) => plainValues(row, columns.length, `row "${rows[r]}"`));
  const layout = houseLayout(options, options.x, options.y);
  return {
    data: [
      {
        type: 'heatmap',
        x: [...columns],
        y: [...rows],
        z,
        colorscale: 'Cividis',
        colorbar: {
          title: { text: color.unit ? `${color.title} (${color.unit})` : color.title, side: 'right' },
        },
        ...(color.range ? { zmin: color.range[0], zmax: color.range[1] } : {}),
        ...(digits === undefined ? {} : { texttemplate: `%{z:.${digits}f}` }),
      },
    ],
    layout: {
      ...layout,
      xaxis: { ...(layout.xaxis as object), type: 'category' },
      yaxis: { ...(layout.yaxis as object), type: 'category', autorange: 'reversed' },
    },
  };
}
