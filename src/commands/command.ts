import { parseArgs } from 'node:util';
import { InputError } from '../errors';
import type { OnProgress } from '../progress';

/** An option of a verb, as the help shows it. Options with a `value` take one; the others are switches. */
export interface CommandOption {
  /** Name of the value in the help, such as `DIR`; absent for a switch. */
  readonly value?: string;
  readonly help: string;
}

export type Options = Readonly<Record<string, string | boolean | undefined>>;

export interface CommandContext {
  readonly onProgress: OnProgress;
  /** Tells people something on the way, on stderr. */
  note(line: string): void;
  /** Aborted by Ctrl-C or a termination signal, if the verb `stopsCleanly`. */
  readonly signal: AbortSignal;
}

/** A verb of the command line. */
export interface Command {
  readonly name: string;
  /** What follows the verb in the usage line. */
  readonly usage: string;
  readonly summary: string;
  readonly options: Readonly<Record<string, CommandOption>>;
  /** Least and most words besides options. */
  readonly words: readonly [number, number];
  /** Watches `context.signal`; a signal ends any other verb at once. */
  readonly stopsCleanly?: boolean | ((options: Options) => boolean);
  run(words: readonly string[], options: Options, context: CommandContext): Promise<CommandResult>;
}

export interface CommandResult {
  /** Printed as one JSON document by `--json`. */
  readonly data: unknown;
  /** What people read otherwise. */
  readonly text: string;
  /** Default 0. */
  readonly exitCode?: number;
}

/** Words and options of a verb's command line. @throws InputError for unknown options or too few or many words */
export function parseCommandLine(
  command: Command,
  args: readonly string[],
): { words: readonly string[]; options: Options } {
  const options = Object.fromEntries(
    [
      ...Object.entries(command.options),
      ['json', { help: '' }] as const,
      ['help', { help: '' }] as const,
    ].map(([name, option]) => [
      name,
      { type: 'value' in option ? ('string' as const) : ('boolean' as const) },
    ]),
  );
  try {
    const parsed = parseArgs({
      args: [...args],
      options: { ...options, output: { type: 'string' as const, short: 'o' } },
      allowPositionals: true,
    });
    const values: Options = parsed.values;
    const { positionals } = parsed;
    if (values.output !== undefined && !('output' in command.options))
      throw new InputError(`${command.name}: option -o is not known here`);
    const [least, most] = command.words;
    if (!values.help && (positionals.length < least || positionals.length > most))
      throw new InputError(`usage: cim-pruning ${command.name} ${command.usage}`);
    return { words: positionals, options: values };
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(`${command.name}: ${(error as Error).message.split('\n')[0]} (see --help)`);
  }
}

/** A whole-number option. @throws InputError naming the option and its range */
export function wholeNumber(options: Options, name: string, low: number, high: number): number | undefined {
  const text = options[name];
  if (text === undefined) return undefined;
  const value = Number(text);
  if (isBlank(text) || !Number.isInteger(value) || value < low || value > high)
    throw new InputError(`--${name} ${text}: a whole number from ${low} to ${high} is needed`);
  return value;
}

/** The one of `allowed` that `value` names. @throws InputError naming the option and all that is allowed */
export function oneOf<T extends string>(option: string, allowed: readonly T[], value: string): T {
  const known = allowed.find((name) => name === value);
  if (!known) throw new InputError(`--${option} ${value}: allowed are ${allowed.join(', ')}`);
  return known;
}

/** A real-number option. @throws InputError naming the option and its range */
export function realNumber(options: Options, name: string, low: number, high: number): number | undefined {
  const text = options[name];
  if (text === undefined) return undefined;
  const value = Number(text);
  if (isBlank(text) || !(value >= low && value <= high))
    throw new InputError(`--${name} ${text}: a number from ${low} to ${high} is needed`);
  return value;
}

/** What would read as 0. */
const isBlank = (text: string | boolean) => String(text).trim() === '';

/** A text option, undefined when it was not given. */
export function textOption(options: Options, name: string): string | undefined {
  const value = options[name];
  return typeof value === 'string' ? value : undefined;
}

/** The lines `--help` prints. */
export function helpText(command: Command): string {
  const rows = [
    ...Object.entries(command.options),
    ['json', { help: 'print one JSON document on stdout' }] as const,
    ['help', { help: 'print this' }] as const,
  ].map(([name, option]) => {
    const flag = name === 'output' ? '-o, --output' : `--${name}`;
    return [`  ${flag}${'value' in option ? ` ${option.value}` : ''}`, option.help] as const;
  });
  const width = Math.max(...rows.map(([left]) => left.length)) + 2;
  return [
    `usage: cim-pruning ${command.name} ${command.usage}`,
    '',
    command.summary,
    '',
    ...rows.map(([left, help]) => left.padEnd(width) + help),
  ].join('\n');
}
