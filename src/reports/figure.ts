/** A Plotly figure as plain JSON: what plotly.js, JupyterLab and the figure files take. */
export interface Figure {
  readonly data: readonly Readonly<Record<string, unknown>>[];
  readonly layout: Readonly<Record<string, unknown>>;
}

/** Okabe and Ito's palette, told apart by colour-blind readers too; black last. */
export const PALETTE = [
  '#0072B2',
  '#E69F00',
  '#009E73',
  '#CC79A7',
  '#56B4E9',
  '#D55E00',
  '#F0E442',
  '#000000',
] as const;

/** An axis in words. */
export interface Axis {
  readonly title: string;
  /** Shown behind the title, such as `pJ`. */
  readonly unit?: string;
  /** Default `linear`. */
  readonly scale?: 'linear' | 'log';
  /** Both ends, in the axis's own units; default: what the data need. */
  readonly range?: readonly [number, number];
  /** Distance of ticks, in the axis's own units. */
  readonly tick?: number;
}

/** A value that is marked by a dashed line across the figure, such as a budget or a baseline. */
export interface Marker {
  readonly axis: 'x' | 'y';
  readonly at: number;
  readonly label: string;
}

/** What every figure has. */
export interface FigureFrame {
  readonly title: string;
  /** Pixels; default 800. */
  readonly width?: number;
  /** Pixels; default 500. */
  readonly height?: number;
  readonly markers?: readonly Marker[];
}

const INK = '#222222';
const GRID = '#dddddd';

/** A figure's title with a small line under it. */
export const titled = (title: string, under: string) => `${title}<br><sup>${under}</sup>`;

/** The house layout: one font that needs no download, sizes, palette, white ground, light grid. */
export function houseLayout(frame: FigureFrame, x: Axis, y: Axis): Record<string, unknown> {
  return {
    title: { text: frame.title, font: { size: 18 }, x: 0.02, xanchor: 'left' },
    font: { family: 'DejaVu Sans', size: 14, color: INK },
    colorway: [...PALETTE],
    width: frame.width ?? 800,
    height: frame.height ?? 500,
    margin: { l: 80, r: 30, t: 70, b: 70 },
    paper_bgcolor: '#ffffff',
    plot_bgcolor: '#ffffff',
    legend: { bgcolor: 'rgba(255,255,255,0.8)' },
    xaxis: axisLayout(x),
    yaxis: axisLayout(y),
    ...markerLayout(frame.markers ?? [], { x, y }),
  };
}

function axisLayout({ title, unit, scale, range, tick }: Axis): Record<string, unknown> {
  const logarithmic = scale === 'log';
  return {
    title: { text: unit ? `${title} (${unit})` : title },
    automargin: true,
    linecolor: INK,
    gridcolor: GRID,
    zeroline: false,
    ticks: 'outside',
    // D2: labels at 1, 2 and 5 of each decade.
    ...(logarithmic ? { type: 'log', dtick: 'D2' } : {}),
    // Plotly wants the ends of a logarithmic axis as powers of ten.
    ...(range ? { range: logarithmic ? range.map(Math.log10) : [...range] } : {}),
    ...(tick ? { dtick: tick } : {}),
  };
}

function markerLayout(
  markers: readonly Marker[],
  axes: Readonly<Record<'x' | 'y', Axis>>,
): Record<string, unknown> {
  if (markers.length === 0) return {};
  const span = (axis: 'x' | 'y', at: number) =>
    axis === 'x'
      ? { xref: 'x', x0: at, x1: at, yref: 'paper', y0: 0, y1: 1 }
      : { xref: 'paper', x0: 0, x1: 1, yref: 'y', y0: at, y1: at };
  const place = (axis: 'x' | 'y', at: number) =>
    axis === 'x'
      ? { xref: 'x', x: at, xanchor: 'left', yref: 'paper', y: 1, yanchor: 'top' }
      : { xref: 'paper', x: 1, xanchor: 'right', yref: 'y', y: at, yanchor: 'bottom' };
  return {
    shapes: markers.map(({ axis, at }) => ({
      type: 'line',
      ...span(axis, at),
      line: { color: INK, width: 1.5, dash: 'dash' },
    })),
    annotations: markers.map(({ axis, at, label }) => ({
      text: label,
      showarrow: false,
      font: { size: 12 },
      // On a logarithmic axis Plotly takes a line's place as the value, a text's as its power of ten.
      ...place(axis, axes[axis].scale === 'log' ? Math.log10(at) : at),
    })),
  };
}
