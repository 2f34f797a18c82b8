import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { InputError } from '../../src/errors';
import type { Table } from '../../src/reports/table';
import { toCsv } from '../../src/reports/to-csv';
import { toHtml } from '../../src/reports/to-html';
import { escapeLatex, toLatex } from '../../src/reports/to-latex';
import { toMarkdown } from '../../src/reports/to-markdown';
import { toText } from '../../src/reports/to-text';

const table: Table = {
  title: 'Energy & area <5 %',
  columns: [
    { key: 'network', label: 'Network' },
    { key: 'energy', label: 'Energy', unit: 'pJ', digits: 2 },
    { key: 'lossless', label: 'Lossless' },
  ],
  rows: [
    { network: 'resnet_20|x', energy: 1.23456, lossless: true },
    { network: 'VGG, "16"', energy: 1000, lossless: null },
  ],
};

describe('CSV', () => {
  test('keeps every digit, quotes commas and quotes, leaves empty cells empty', () => {
    expect(toCsv(table)).toBe(
      'Network,Energy (pJ),Lossless\nresnet_20|x,1.23456,true\n"VGG, ""16""",1000,\n',
    );
  });

  test('gives back every text when read by the rules of RFC 4180', () => {
    fc.assert(
      fc.property(fc.array(fc.string(), { minLength: 1, maxLength: 5 }), (texts) => {
        const columns = texts.map((_, i) => ({ key: `c${i}`, label: `c${i}` }));
        const row = Object.fromEntries(texts.map((text, i) => [`c${i}`, text]));
        const csv = toCsv({ title: '', columns, rows: [row] });
        expect(readCsvLine(csv.slice(csv.indexOf('\n') + 1, -1))).toEqual(texts);
      }),
    );
  });
});

/** An independent reader: one character after the other. */
function readCsvLine(line: string): string[] {
  const cells = [''];
  let quoted = false;
  for (let i = 0; i < line.length; i++) {
    const last = cells.length - 1;
    if (line[i] === '"' && quoted && line[i + 1] === '"') cells[last] += line[i++];
    else if (line[i] === '"') quoted = !quoted;
    else if (line[i] === ',' && !quoted) cells.push('');
    else cells[last] += line[i];
  }
  return cells;
}

test('Markdown escapes what would end a cell or start a mark, and aligns numbers right', () => {
  expect(toMarkdown(table)).toBe(
    [
      '**Energy &amp; area &lt;5 %**',
      '',
      '| Network | Energy (pJ) | Lossless |',
      '| :--- | ---: | :--- |',
      '| resnet\\_20\\|x | 1.23 | yes |',
      '| VGG, "16" | 1000.00 | – |',
      '',
    ].join('\n'),
  );
});

describe('LaTeX', () => {
  test('is a float with caption and label in which nothing of the text is a command', () => {
    const tex = toLatex(table, { label: 'tab:energy' });
    expect(tex).toContain('\\caption{Energy \\& area \\textless{}5 \\%}');
    expect(tex).toContain('\\label{tab:energy}');
    expect(tex).toContain('\\begin{tabular}{lrl}');
    expect(tex).toContain('    resnet\\_20\\textbar{}x & 1.23 & yes \\\\\n');
  });

  test('escapes every special character once', () => {
    expect(escapeLatex('a\\b {50%} #1 $x_2^3$ ~ ±2 µm²')).toBe(
      'a\\textbackslash{}b \\{50\\%\\} \\#1 \\$x\\_2\\textasciicircum{}3\\$ \\textasciitilde{} $\\pm$2 $\\mu$m$^{2}$',
    );
  });
});

test('HTML escapes every text and carries no script', () => {
  const html = toHtml({ ...table, rows: [{ network: '<script>alert("x")</script>', energy: 1 }] });
  expect(html).toContain('Energy &amp; area &lt;5 %');
  expect(html).toContain('&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;');
  expect(html).not.toContain('<script');
});

describe('text for terminals', () => {
  test('aligns columns, two spaces apart, without trailing spaces', () => {
    expect(toText(table)).toBe(
      [
        'Energy & area <5 %',
        'Network      Energy (pJ)  Lossless',
        '───────────  ───────────  ────────',
        'resnet_20|x         1.23  yes',
        'VGG, "16"        1000.00  –',
        '',
      ].join('\n'),
    );
  });

  test('shows numbers without digits given whole or with four significant digits, and no negative zero', () => {
    const columns = [{ key: 'a', label: 'a' }];
    const shown = [3, 0.123456, 12345.678, -0.00001, Number.NaN].map((a) =>
      toText({ title: '', columns, rows: [{ a }] })
        .split('\n')
        .at(-2)!
        .trim(),
    );
    expect(shown).toEqual(['3', '0.1235', '12345.7', '-0.00001', 'NaN']);
    const rounded = toText({ title: '', columns: [{ ...columns[0], digits: 2 }], rows: [{ a: -0.001 }] });
    expect(rounded).toContain('0.00');
    expect(rounded).not.toContain('-0.00');
  });

  test('an empty table shows its headings', () => {
    expect(toText({ ...table, rows: [] }).split('\n')[1]).toBe('Network  Energy (pJ)  Lossless');
  });
});

test.each([
  [
    {
      columns: [
        { key: 'a', label: 'A' },
        { key: 'a', label: 'B' },
      ],
      rows: [],
    },
    'two columns have the key "a"',
  ],
  [{ columns: [{ key: 'a', label: 'A', digits: 1.5 }], rows: [] }, 'column "a": digits is 1.5'],
  [{ columns: [{ key: 'a', label: 'A' }], rows: [{ a: {} as never }] }, 'row 0, column "a"'],
])('an unfit table is refused with one line that names the place', (unfit, message) => {
  for (const write of [toCsv, toHtml, toLatex, toMarkdown, toText]) {
    expect(() => write({ title: 'T', ...unfit })).toThrow(InputError);
    expect(() => write({ title: 'T', ...unfit })).toThrow(message);
  }
});
