import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { engines } from '../../src/crossbar/layer-simulator';
import { simulateCase, simulateCommand } from '../../src/crossbar/simulate-case';
import { InputError } from '../../src/errors';
import { useFastEngines } from '../../src/experiments/fast-engines';

useFastEngines({ threads: 1 });

const own = resolve(__dirname, '../fixtures/crossbar');
const oracle = process.env.CIM_PRUNING_ORACLE ?? resolve(__dirname, '../../../shared/oracle');

function cases(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.json')) : [];
}

const folders = [
  ['our own brute force', own],
  ['CrossSim', oracle],
] as const;

// Vitest takes a suite without a test for a failure, so CrossSim's cases are left out where they are not at hand.
describe.each(folders.filter(([, folder]) => cases(folder).length > 0))('a case from %s', (_, folder) => {
  const names = cases(folder);
  it.each(names)('%s has every output equal on both engines', (name) => {
    const given = JSON.parse(readFileSync(join(folder, name), 'utf8'));
    for (const engine of engines) {
      const { y, matches } = simulateCase(given, engine);
      expect(y).toEqual(given.y);
      expect(matches).toBe(true);
    }
  });
});

describe('simulateCase', () => {
  const sample = () => JSON.parse(readFileSync(join(own, 'diff-2-bit.json'), 'utf8'));

  it('derives the row blocks from rows and partition where a case leaves them out', () => {
    for (const name of ['diff-even-tiles.json', 'diff-1-bit-short-tiles.json']) {
      const given = JSON.parse(readFileSync(join(own, name), 'utf8'));
      delete given.rowBlocks;
      expect(simulateCase(given).matches).toBe(true);
    }
  });

  const faults: [string, (given: ReturnType<typeof sample>) => void, RegExp][] = [
    ['no config', (c) => delete c.config, /^config: missing/],
    ['no scheme', (c) => delete c.config.scheme, /^config\.scheme: missing; one of diff, analog, offset/],
    [
      'an inherited name as scheme',
      (c) => (c.config.scheme = 'constructor'),
      /^config\.scheme: "constructor"/,
    ],
    ['no wbits', (c) => delete c.config.wbits, /^config\.wbits: missing/],
    ['9-bit inputs', (c) => (c.config.xbits = 9), /^config\.xbits: 9; a whole number from 1 to 8/],
    ['fractional cells', (c) => (c.config.cell_bits = 1.5), /^config\.cell_bits: 1\.5/],
    ['no rows', (c) => (c.config.rows = 0), /^config\.rows: 0/],
    ['an ADC of 0 bits', (c) => (c.config.adc_bits = 0), /^config\.adc_bits: 0; .* or "lossless"/],
    ['a step as text', (c) => (c.config.step = '1'), /^config\.step: "1"; a number above 0/],
    ['no x_signed', (c) => delete c.config.x_signed, /^config\.x_signed: missing/],
    ['an unknown partition', (c) => (c.config.partition = 'SOME'), /^config\.partition: "SOME"/],
    [
      'a signed 1-bit ADC',
      (c) => Object.assign(c.config, { scheme: 'analog', adc_bits: 1 }),
      /^config\.adc_bits: 1/,
    ],
    ['no W', (c) => delete c.W, /^W: missing/],
    ['empty X', (c) => (c.X = []), /^X: \[\]/],
    ['a ragged W', (c) => c.W[2].pop(), /^W\[2\]: 2 values where 3 are needed/],
    ['X of other rows', (c) => c.X[1].pop(), /^X\[1\]: 149 values where 150 are needed/],
    ['a weight beyond the encoding', (c) => (c.W[0][1] = 128), /^W\[0\]\[1\]: 128 is outside -127\.\.127/],
    ['a negative unsigned input', (c) => (c.X[0][3] = -1), /^X\[0\]\[3\]: -1 is outside 0\.\.255/],
    ['a fractional input', (c) => (c.X[0][3] = 0.5), /^X\[0\]\[3\]: 0\.5/],
    ['null as a weight', (c) => (c.W[0][0] = null), /^W\[0\]\[0\]: null is not a number/],
    [
      'blocks with a gap',
      (c) => (c.rowBlocks[1][0] = 129),
      /^rowBlocks\[1\]: \[129,150\] does not follow row 128/,
    ],
    ['blocks that end early', (c) => (c.rowBlocks[1][1] = 149), /^rowBlocks: they end at row 149/],
    ['a block above rows', (c) => (c.config.rows = 64), /^rowBlocks\[0\]: 128 rows, more than the 64/],
    ['y of other shape', (c) => c.y.pop(), /^y: 2 rows where 3 are needed/],
  ];
  it.each(faults)('refuses %s and names the field', (_, spoil, message) => {
    const given = sample();
    spoil(given);
    expect(() => simulateCase(given)).toThrow(InputError);
    expect(() => simulateCase(given)).toThrow(message);
  });

  it('refuses what is no case, with the file named', () => {
    expect(() => simulateCommand('{', 'a.json')).toThrow(/^a\.json: no JSON/);
    expect(() => simulateCommand('[]', 'a.json')).toThrow(/^a\.json: case: an object/);
  });
});
