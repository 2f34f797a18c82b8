import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseCommandLine } from '../../src/commands/command';
import { experiments, profiles } from '../../src/commands/reproducible-runs';
import { commands } from '../../src/commands/run-command-line';

const root = resolve(__dirname, '../..');
const documents = ['README.md', 'ARTIFACT.md', 'bench/README.md', 'data/README.md', 'data/models/README.md'];
const notebooks = readdirSync(join(root, 'notebooks')).filter((name) => name.endsWith('.ipynb'));

/** What people read, by file: prose alone of a notebook, and not the rows of runs, which tell what was typed at their time. */
function texts(): [name: string, text: string][] {
  const read = (name: string) => readFileSync(join(root, name), 'utf8');
  const prose = (name: string) =>
    (JSON.parse(read(name)).cells as { cell_type: string; source: string[] }[])
      .filter(({ cell_type }) => cell_type === 'markdown')
      .map(({ source }) => source.join(''))
      .join('\n\n');
  return [
    ...documents.map((name): [string, string] => [name, read(name).replace(/^\| 20\d\d-.*$/gm, '')]),
    ...notebooks.map((name): [string, string] => [name, prose(`notebooks/${name}`)]),
  ];
}

/** Spans of code, and the lines of blocks of code, without comments and continued lines joined. */
function codeOf(text: string): string[] {
  const blocks = [...text.matchAll(/^```\w*\n([\s\S]*?)^```$/gm)].map(([, block]) => block);
  const spans = text.replace(/^```[\s\S]*?^```$/gm, '').matchAll(/`([^`]+)`/g);
  return [
    ...blocks.flatMap((block) => block.replace(/\\\n/g, ' ').split('\n')),
    ...[...spans].map(([, span]) => span),
  ].map((line) => line.replace(/#.*$/, '').replace(/\s+/g, ' ').trim());
}

/** Command lines among code: a verb of the package with an option or behind its name. */
function commandLines(text: string): string[] {
  const verbs = commands.map(({ name }) => name).join('|');
  const line = new RegExp(`^(?:npx cim-pruning (?=\\w)|(?=(?:${verbs}) .*--))`);
  return codeOf(text)
    .filter((code) => line.test(code))
    .map((code) => code.replace('npx cim-pruning ', ''));
}

describe('the documents', () => {
  it('tell command lines whose verbs, options, experiments and profiles the package has', () => {
    let told = 0;
    for (const [document, text] of texts())
      for (const line of commandLines(text)) {
        const [verb, ...words] = line.split(' ').filter((word) => word !== '...' && word !== '[...]');
        const command = commands.find(({ name }) => name === verb);
        expect(command, `${document}: ${line}`).toBeDefined();
        // With --help words may be left out, as in a line that goes on from another; an option named last needs no value.
        const last = words.at(-1) ?? '';
        if (last.startsWith('--') && command!.options[last.slice(2)]?.value) words.push('VALUE');
        const parse = () => parseCommandLine(command!, ['--help', ...words]).options;
        expect(parse, `${document}: ${line}`).not.toThrow();
        const { experiment, profile } = parse();
        if (experiment !== undefined)
          expect(experiments, `${document}: ${line}`).toHaveProperty([experiment as string]);
        if (profile !== undefined)
          expect(profiles, `${document}: ${line}`).toHaveProperty([profile as string]);
        told++;
      }
    expect(told).toBeGreaterThan(50);
  });

  it('name files that are there', () => {
    const rooms = readdirSync(root).filter((name) => !name.startsWith('.') && !name.includes('.'));
    // A folder has no ending, and may be the user's.
    const path = new RegExp(`^(?:${rooms.join('|')})/[\\w./-]*\\.\\w+$`);
    const made = /^(?:runs|dist|node_modules)\//;
    let named = 0;
    for (const [document, text] of texts())
      for (const code of codeOf(text)) {
        if (!path.test(code) || made.test(code)) continue;
        expect(existsSync(join(root, code)), `${document}: ${code}`).toBe(true);
        named++;
      }
    expect(named).toBeGreaterThan(40);
  });

  it('link to files that are there', () => {
    let links = 0;
    for (const [document, text] of texts())
      for (const [, target] of text.matchAll(/\]\((?!https?:|#)([^)#]+)\)/g)) {
        const folder = document.endsWith('.ipynb') ? 'notebooks' : dirname(document);
        expect(existsSync(join(root, folder, target)), `${document}: ${target}`).toBe(true);
        links++;
      }
    expect(links).toBeGreaterThan(0);
  });

  it('show generated pictures for the network alone that learned from them', () => {
    for (const name of notebooks) {
      const lines = readFileSync(join(root, 'notebooks', name), 'utf8').split('\n');
      const generated = lines.filter(
        (line) => line.includes('(not CIFAR10)') && !line.includes('tiny-generated'),
      );
      expect(generated, name).toEqual([]);
    }
  });

  it('give results with the intervals that a table of the figures has', () => {
    // Over all pairs and seeds: only the verdicts of that experiment tell it.
    const untold = ['0.17 +-0.08'];
    const pairs = tablePairs();
    let given = 0;
    for (const document of ['README.md', 'ARTIFACT.md'])
      for (const [text, value, interval] of readFileSync(join(root, document), 'utf8').matchAll(
        /(-?\d+(?:\.\d+)?)\s\+-(\d+\.\d+)/g,
      )) {
        if (untold.includes(text)) continue;
        // Prose may tell a gain of -0.17 as a loss of 0.17.
        const kept = pairs.some(
          ([a, b]) => rounds(Math.abs(a), value.replace('-', '')) && rounds(b, interval),
        );
        expect(kept, `${document}: ${text}`).toBe(true);
        given++;
      }
    expect(given).toBeGreaterThan(30);
  });

  it('give the accuracies of the networks that were trained and pruned as verified', () => {
    const lines = readFileSync(join(root, 'figures/07-networks.md'), 'utf8').split('\n');
    const rows = lines.map((line) => line.split('|').map((cell) => cell.trim()));
    const heading = rows.find((cells) => cells[1] === 'network')!;
    const top1 = new Map(rows.map((cells) => [cells[1], Number(cells[heading.indexOf('top-1 (%)')])]));
    const readme = readFileSync(join(root, 'README.md'), 'utf8');
    for (const [shown, network] of [
      ['ResNet-20', 'resnet20-cifar10'],
      ['VGG-16', 'vgg16-cifar10'],
      ['ResNet-18', 'resnet18-cifar10'],
    ]) {
      const float = top1.get(network)!;
      const pruned = [3, 2, 1].map((bits) => {
        const own = top1.get(`${network}-r128-adc${bits}`)!;
        const change = own - float;
        return `${own.toFixed(2)} (${change > 0 ? '+' : ''}${change.toFixed(2)})`;
      });
      const row = [shown, float.toFixed(2), top1.get(`${network}, 8 bits`)!.toFixed(2), ...pruned];
      expect(readme).toContain(`| ${row.join(' | ')} |`);
    }
  });
});

/** What the tables of the figures and their titles have as `a +-b`, or as a and b in two neighbouring cells. */
function tablePairs(): [number, number][] {
  const names = readdirSync(join(root, 'figures')).filter((name) => name.endsWith('.md'));
  return names.flatMap((name) => {
    const text = readFileSync(join(root, 'figures', name), 'utf8');
    const pairs = text.matchAll(/(-?\d+(?:\.\d+)?)(?= (?:\+-|\| )(\d+\.\d+))/g);
    return [...pairs].map(([, value, interval]): [number, number] => [+value, +interval]);
  });
}

/** Whether a number, itself rounded, may be told as `text`. */
function rounds(value: number, text: string): boolean {
  const digits = text.split('.')[1]?.length ?? 0;
  return Math.abs(value - Number(text)) <= 0.5 * 10 ** -digits + 1e-9;
}
