import { InputError } from '../errors';
import type { Precision } from '../networks/inference';
import { type CommandOption, type Options, textOption } from './command';

export const precisionHelp: CommandOption = {
  value: 'NAME',
  help: 'bfloat16 (default; master weights stay float32) or float32 (faster where it is not native)',
};

/** What `--precision` says. @throws InputError for any other than bfloat16 and float32 */
export function precisionOption(options: Options): Precision | undefined {
  const precision = textOption(options, 'precision');
  if (precision === undefined || precision === 'bfloat16' || precision === 'float32') return precision;
  throw new InputError(`--precision ${precision}: allowed are bfloat16 and float32`);
}
