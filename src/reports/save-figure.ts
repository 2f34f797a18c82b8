import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { InputError } from '../errors';
import { fileError } from '../networks/file-errors';
import { replaceFile } from '../networks/replace-file';
import { drawFigure, whyNoPictures } from './draw-figure';
import { escapeHtml } from './escape-html';
import type { Figure } from './figure';
import { plotlyScript } from './plotly-script';
import type { Provenance } from './provenance';
import type { Table } from './table';
import { toCsv } from './to-csv';

export interface SaveFigureOptions {
  /** Folder, made where it is missing. */
  readonly dir: string;
  /** File name without ending: letters, digits, `.`, `_` and `-`. */
  readonly name: string;
  readonly provenance: Provenance;
  /** The numbers behind the figure. */
  readonly table?: Table;
  /** Told once a figure why pictures were skipped; default: a line on stderr, once a process. */
  readonly onSkip?: (reason: string) => void;
}

/** What was written, as paths, and the PNG picture for those who show it. */
export interface SavedFigure {
  readonly files: readonly string[];
  /** Why there is no PNG and SVG; undefined where there is. */
  readonly skipped?: string;
  readonly png?: Buffer;
}

let told = false;

/**
 * Writes a figure: NAME.json (specification), NAME.html (interactive; shares plotly.min.js, which is copied beside it once),
 * NAME.svg and NAME.png (where there is a Chromium), NAME.csv (where a table is given) and NAME.provenance.json. Each
 * file appears whole or not at all; old pictures that are not drawn again go where the figure has changed.
 * @throws InputError where the name or the folder is unfit.
 */
export async function saveFigure(figure: Figure, options: SaveFigureOptions): Promise<SavedFigure> {
  const { dir, name, provenance, table } = options;
  requireFileName(name);
  const csv = table && toCsv(table);
  const svg = await drawFigure(figure, 'svg');
  const png = svg && (await drawFigure(figure, 'png'));
  makeFolder(dir);
  sharePlotly(dir);
  const contents: Record<string, Uint8Array | string | undefined> = {
    json: `${JSON.stringify(figure, null, 1)}\n`,
    html: figurePage(figure),
    svg,
    png,
    csv,
    'provenance.json': `${JSON.stringify(provenance, null, 2)}\n`,
  };
  const files: string[] = [];
  const changed = !sameText(join(dir, `${name}.json`), contents.json as string);
  for (const [ending, content] of Object.entries(contents)) {
    const path = join(dir, `${name}.${ending}`);
    if (content === undefined) {
      // A picture of another figure must not stand beside this one; a table may be of its own.
      if (changed && ending !== 'csv') rmSync(path, { force: true });
      continue;
    }
    replaceFile(path, [typeof content === 'string' ? Buffer.from(content) : content]);
    files.push(path);
  }
  const skipped = svg ? undefined : whyNoPictures();
  if (skipped) (options.onSkip ?? tellOnce)(skipped);
  return { files, skipped, png };
}

/** Whether a file holds just this text. */
function sameText(path: string, text: string): boolean {
  return existsSync(path) && readFileSync(path, 'utf8') === text;
}

function tellOnce(reason: string): void {
  if (!told) process.stderr.write(`${reason}\n`);
  told = true;
}

/** @throws InputError unless `name` is one plain file name. */
export function requireFileName(name: string): void {
  if (!/^[A-Za-z0-9][\w.-]*$/.test(name))
    throw new InputError(`"${name}" is no file name: letters, digits, ".", "_" and "-" are allowed`);
}

/** Makes `dir` and the folders above it. @throws InputError where that is not allowed or a file is in the way. */
export function makeFolder(dir: string): void {
  try {
    mkdirSync(dir, { recursive: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST')
      throw new InputError(`cannot write ${dir}: a file of that name is in the way`);
    throw fileError(dir, 'write', error);
  }
}

/** A page beside plotly.min.js that draws the figure; it works from a disk without network. */
function figurePage(figure: Figure): string {
  const title = (figure.layout.title as { text?: string } | undefined)?.text ?? 'Figure';
  // "<" is written as an escape, lest text of the figure ends the script.
  const json = JSON.stringify(figure).replaceAll('<', '\\u003c');
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>${escapeHtml(title)}</title>
<body>
<div id="figure"></div>
<script src="plotly.min.js"></script>
<script>
const figure = ${json};
Plotly.newPlot('figure', figure.data, figure.layout, { displaylogo: false });
</script>
</body>
</html>
`;
}

/** One copy of plotly.js a folder; 4.9 MB in every page would be a waste. */
function sharePlotly(dir: string): void {
  const source = plotlyScript();
  const target = join(dir, 'plotly.min.js');
  if (existsSync(target) && statSync(target).size === statSync(source).size) return;
  const temporary = `${target}.${process.pid}.tmp`;
  try {
    copyFileSync(source, temporary);
    renameSync(temporary, target);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw fileError(target, 'write', error);
  }
}
