import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { InputError } from '../../src/errors';
import { closePictures, drawFigure } from '../../src/reports/draw-figure';
import { findChromium } from '../../src/reports/find-chromium';
import { heatMap } from '../../src/reports/heat-map';
import { lines } from '../../src/reports/lines';
import { provenance } from '../../src/reports/provenance';
import { saveFigure } from '../../src/reports/save-figure';
import { saveTable } from '../../src/reports/save-table';

const frame = { title: 'α < β', x: { title: 'x' }, y: { title: 'y' } };
const figure = lines({ ...frame, series: [{ name: '</script>', x: [1, 2, 3], y: [1, 4, 9] }] });
const other = heatMap({
  ...frame,
  rows: [1, 2],
  columns: [1, 2],
  values: [
    [1, 2],
    [3, 4],
  ],
  color: frame.x,
});
const table = { title: 'T', columns: [{ key: 'x', label: 'x' }], rows: [{ x: 1 }] };
const made = provenance({ seeds: { root: 1 } });

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'cim-figure-'));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(dir, { recursive: true, force: true });
});
afterAll(closePictures);

describe('without a Chromium', () => {
  beforeEach(() => vi.stubEnv('CHROME_PATH', 'none'));

  test('a figure is saved as specification, page, numbers and provenance, and the missing pictures are told', async () => {
    const onSkip = vi.fn();
    const saved = await saveFigure(figure, {
      dir: join(dir, 'a/b'),
      name: 'f',
      provenance: made,
      table,
      onSkip,
    });
    expect(readdirSync(join(dir, 'a/b')).sort()).toEqual([
      'f.csv',
      'f.html',
      'f.json',
      'f.provenance.json',
      'plotly.min.js',
    ]);
    expect(onSkip).toHaveBeenCalledExactlyOnceWith('PNG/SVG skipped: no Chromium (set CHROME_PATH)');
    expect(saved.skipped).toContain('no Chromium');
    expect(JSON.parse(readFileSync(join(dir, 'a/b/f.json'), 'utf8'))).toEqual(figure);
    expect(JSON.parse(readFileSync(join(dir, 'a/b/f.provenance.json'), 'utf8')).seeds).toEqual({ root: 1 });
  });

  test('text of a figure cannot end the script of its page', async () => {
    await saveFigure(figure, { dir, name: 'f', provenance: made, onSkip: () => undefined });
    const page = readFileSync(join(dir, 'f.html'), 'utf8');
    expect(page.match(/<\/script>/g)).toHaveLength(2);
    expect(page).toContain('<title>α &lt; β</title>');
  });

  test('a name that leaves the folder, or a folder that is a file, is refused before anything is written', async () => {
    const save = (name: string, folder = dir) => saveFigure(figure, { dir: folder, name, provenance: made });
    await expect(save('../f')).rejects.toThrow(InputError);
    await expect(save('')).rejects.toThrow('is no file name');
    writeFileSync(join(dir, 'file'), '');
    await expect(save('f', join(dir, 'file'))).rejects.toThrow('a file of that name is in the way');
    await expect(save('f', join(dir, 'file/sub'))).rejects.toThrow(InputError);
    expect(readdirSync(dir)).toEqual(['file']);
  });
});

describe('a picture drawn before', () => {
  beforeEach(() => vi.stubEnv('CHROME_PATH', 'none'));

  test('stays beside the same figure, and goes where the figure has changed; a table of its own stays', async () => {
    const options = { dir, name: 'f', provenance: made, onSkip: () => {} };
    await saveFigure(figure, options);
    for (const ending of ['svg', 'png', 'csv']) writeFileSync(join(dir, `f.${ending}`), 'drawn');
    const there = () => ['svg', 'png', 'csv'].filter((ending) => existsSync(join(dir, `f.${ending}`)));
    await saveFigure(figure, options);
    expect(there()).toEqual(['svg', 'png', 'csv']);
    await saveFigure(other, options);
    expect(there()).toEqual(['csv']);
  });
});

describe.skipIf(!findChromium())('with a Chromium', () => {
  test('a figure is saved as SVG and PNG too, and nothing else stays', { timeout: 60_000 }, async () => {
    const saved = await saveFigure(figure, { dir, name: 'f', provenance: made });
    expect(readdirSync(dir).sort()).toEqual([
      'f.html',
      'f.json',
      'f.png',
      'f.provenance.json',
      'f.svg',
      'plotly.min.js',
    ]);
    const png = readFileSync(join(dir, 'f.png'));
    expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([1600, 1000]);
    expect(saved.png).toEqual(png);
    const svg = readFileSync(join(dir, 'f.svg'), 'utf8');
    expect(svg).toMatch(/^<svg/);
    expect(svg).toMatch(/>α &(lt|#60); β</);
  });

  test('the same figure gives the same bytes, whatever was drawn before', { timeout: 60_000 }, async () => {
    const first = await drawFigure(figure, 'svg');
    await drawFigure(other, 'svg');
    const [again, png, pngAgain] = await Promise.all([
      drawFigure(figure, 'svg'),
      drawFigure(figure, 'png'),
      drawFigure(figure, 'png'),
    ]);
    expect(again).toEqual(first);
    expect(pngAgain).toEqual(png);
  });
});

test('a table is saved as CSV, Markdown and LaTeX with its provenance', () => {
  const files = saveTable(table, { dir, name: 't', provenance: made });
  expect(files.map((file) => file.slice(dir.length + 1))).toEqual([
    't.csv',
    't.md',
    't.tex',
    't.provenance.json',
  ]);
  expect(files.every((file) => existsSync(file))).toBe(true);
});
