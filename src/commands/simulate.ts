import { readFileSync } from 'node:fs';
import { simulateCommand as simulateText } from '../crossbar/simulate-case';
import { InputError } from '../errors';
import { fileError } from '../networks/file-errors';
import type { Command } from './command';

export const simulateCommand: Command = {
  name: 'simulate',
  usage: 'CASE.json',
  summary:
    "Runs a crossbar case (integer weights W [K][N], inputs X [M][K] and the configuration) bit-serially and gives\nits outputs y [M][N]; exit status 1 where they differ from the case's own y.",
  options: {},
  words: [1, 1],
  async run([path]) {
    if (!path.endsWith('.json')) throw new InputError(`${path}: simulate takes a case file ending in .json`);
    let text: string;
    try {
      text = readFileSync(path, 'utf8');
    } catch (error) {
      throw fileError(path, 'read', error);
    }
    const { y, saturated, conversions, matches } = simulateText(text, path);
    const verdict =
      matches === undefined ? '' : matches ? ', equal to the known answers' : ', NOT the known answers';
    return {
      data: { y, saturated, conversions, ...(matches !== undefined && { matches }) },
      text: `${y.map((line) => line.join(' ')).join('\n')}\n${saturated} of ${conversions} conversions clipped${verdict}`,
      exitCode: matches === false ? 1 : 0,
    };
  },
};
