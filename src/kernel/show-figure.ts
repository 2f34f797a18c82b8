import { canDraw, drawFigure } from '../reports/draw-figure';
import type { Figure } from '../reports/figure';
import { displayBundle, inNotebook } from './notebook-display';

/**
 * Shows a figure in the notebook: interactive where the viewer has Plotly, as a picture elsewhere (where there is a
 * Chromium to draw it; without one the figure is interactive only). Outside a notebook, prints what it would show.
 */
export async function showFigure(figure: Figure): Promise<void> {
  const text = inWords(figure);
  if (!inNotebook()) {
    process.stdout.write(`${text}\n`);
    return;
  }
  const picture = canDraw() ? await drawFigure(figure, 'png', 1) : undefined;
  displayBundle({
    'application/vnd.plotly.v1+json': { data: figure.data, layout: figure.layout },
    ...(picture ? { 'image/png': picture.toString('base64') } : {}),
    'text/plain': text,
  });
}

function inWords(figure: Figure): string {
  const title = (figure.layout.title as { text?: string } | undefined)?.text ?? 'untitled';
  const names = figure.data.map((trace) => trace.name).filter(Boolean);
  return `Figure: ${title}${names.length > 0 ? ` (${names.join(', ')})` : ''}`;
}
