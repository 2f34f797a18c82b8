import { InputError } from '../errors';
import type { TrainingRecipe } from '../training/train';
import { type CommandOption, type Options, textOption } from './command';

export const precisionHelp: CommandOption = {
  value: 'NAME',
  help: 'bfloat16 (default; master weights stay float32) or float32 (faster on processors without AMX)',
};

/** What `--precision` says. @throws InputError for any other than bfloat16 and float32 */
export function precisionOption(options: Options): TrainingRecipe['precision'] | undefined {
  const precision = textOption(options, 'precision');
  if (precision === undefined || precision === 'bfloat16' || precision === 'float32') return precision;
  throw new InputError(`--precision ${precision}: allowed are bfloat16 and float32`);
}
