import type { Precision } from '../networks/inference';
import { type CommandOption, type Options, oneOf, textOption } from './command';

export const precisionHelp: CommandOption = {
  value: 'NAME',
  help: 'bfloat16 (default; master weights stay float32) or float32 (faster where it is not native)',
};

/** What `--precision` says. @throws InputError for any other than bfloat16 and float32 */
export function precisionOption(options: Options): Precision | undefined {
  const precision = textOption(options, 'precision');
  return precision === undefined
    ? undefined
    : oneOf<Precision>('precision', ['bfloat16', 'float32'], precision);
}
