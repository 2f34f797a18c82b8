import { readFileSync } from 'node:fs';
import { simulateCommand as simulateText } from '../crossbar/simulate-case';
import { fileError } from '../networks/file-errors';
import type { Command } from './command';
import { refuseOptions } from './refuse-options';
import { presetsText, simulateModel, simulateOptions } from './simulate-model';

export const simulateCommand: Command = {
  name: 'simulate',
  usage: 'CASE.json | MODEL [--adc-bits B] [--device NAME] [--data DIR]',
  summary:
    "CASE.json: runs a crossbar case (integer weights W [K][N], inputs X [M][K] and the configuration) bit-serially and\ngives its outputs y [M][N]; exit status 1 where they differ from the case's own y.\nMODEL: accuracy of a network (a file, or a name in data/models) on bit-serial crossbars, with any ADC, cells and\nconverters; several circuits drawn give the interval over them.\n" +
    presetsText,
  options: simulateOptions,
  words: [1, 1],
  async run([path], options, context) {
    if (!path.endsWith('.json')) return simulateModel(path, options, context);
    refuseOptions(options, Object.keys(simulateOptions), 'a case file has its own configuration');
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
