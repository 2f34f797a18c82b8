import { InputError } from '../errors';
import { useFastEngines } from '../experiments/fast-engines';
import { terminalProgress } from '../kernel/terminal-progress';
import { benchCommand } from './bench';
import { certifyCommand } from './certify';
import { type Command, helpText, parseCommandLine } from './command';
import { dataCommand } from './data';
import { evaluateCommand } from './evaluate';
import { exportCommand } from './export';
import { hardwareCommand } from './hardware';
import { labCommand } from './lab';
import { pruneCommand } from './prune';
import { reproduceCommand } from './reproduce';
import { setupCommand } from './setup';
import { simulateCommand } from './simulate';
import { trainCommand } from './train';
import { writeResult } from './write-result';

/** Every verb, in the order of use. */
export const commands: readonly Command[] = [
  setupCommand,
  dataCommand,
  trainCommand,
  evaluateCommand,
  pruneCommand,
  certifyCommand,
  simulateCommand,
  hardwareCommand,
  exportCommand,
  reproduceCommand,
  benchCommand,
  labCommand,
];

const overview = () =>
  [
    'usage: cim-pruning VERB [...]      (cim-pruning VERB --help tells more)',
    '',
    ...commands.map(({ name, summary }) => `  ${name.padEnd(10)} ${summary.split('\n')[0]}`),
  ].join('\n');

/** Where lines go: results to `log` (stdout), all else to `error` (stderr). */
export interface Streams {
  log(line: string): unknown;
  error(line: unknown): void;
}

const terminal: Streams = { log: writeResult, error: (line) => console.error(line) };

/** Runs a command line (without `cim-pruning` itself); resolves to the exit status. A mistake of the user's is one line. */
export async function runCommandLine(args: readonly string[], streams: Streams = terminal): Promise<number> {
  useFastEngines();
  try {
    return await run(args, streams);
  } catch (error) {
    streams.error(oneLine(error) ?? error);
    return 1;
  }
}

/** What a user can do something about; undefined: an error of ours. */
export function oneLine(error: unknown): string | undefined {
  if (error instanceof InputError) return `cim-pruning: ${error.message}`;
  if (error instanceof RangeError && /allocation failed|Invalid typed array length/.test(error.message))
    return `cim-pruning: out of memory (${error.message}): fewer or smaller pictures are needed`;
  return undefined;
}

async function run(args: readonly string[], { log, error }: Streams): Promise<number> {
  const [verb, ...rest] = args;
  if (verb === undefined || verb === '--help' || verb === 'help') {
    await log(overview());
    return 0;
  }
  const command = commands.find(({ name }) => name === verb);
  if (!command)
    throw new InputError(`unknown verb '${verb}'; known are ${commands.map(({ name }) => name).join(', ')}`);
  const { words, options } = parseCommandLine(command, rest);
  if (options.help) {
    await log(helpText(command));
    return 0;
  }
  const progress = terminalProgress();
  const stop = new AbortController();
  // With a handler installed, Node no longer ends the process: only for a verb that watches for it.
  const { stopsCleanly } = command;
  const watches = typeof stopsCleanly === 'function' ? stopsCleanly(options) : stopsCleanly;
  const unwatch = watches ? onSignal(() => stop.abort()) : () => undefined;
  try {
    const result = await command.run(words, options, {
      onProgress: progress,
      signal: stop.signal,
      note: (line) => {
        progress.end();
        error(line);
      },
    });
    progress.end();
    if (options.json) await log(JSON.stringify(result.data));
    else if (result.text) await log(result.text);
    return result.exitCode ?? 0;
  } finally {
    progress.end();
    unwatch();
  }
}

/** Calls `stop` at the first Ctrl-C or termination signal; the second ends the process as usual. Returns the way back. */
function onSignal(stop: () => void): () => void {
  const names = ['SIGINT', 'SIGTERM'] as const;
  for (const name of names) process.once(name, stop);
  return () => {
    for (const name of names) process.off(name, stop);
  };
}
