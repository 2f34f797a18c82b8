#!/usr/bin/env node
import { benchCommand } from './commands/bench';
import { certifyCommand } from './commands/certify';
import { type Command, helpText, parseCommandLine } from './commands/command';
import { dataCommand } from './commands/data';
import { evaluateCommand } from './commands/evaluate';
import { hardwareCommand } from './commands/hardware';
import { labCommand } from './commands/lab';
import { pruneCommand } from './commands/prune';
import { reproduceCommand } from './commands/reproduce';
import { setupCommand } from './commands/setup';
import { simulateCommand } from './commands/simulate';
import { trainCommand } from './commands/train';
import { InputError } from './errors';
import { terminalProgress } from './kernel/terminal-progress';

const commands: readonly Command[] = [
  setupCommand,
  dataCommand,
  trainCommand,
  evaluateCommand,
  pruneCommand,
  certifyCommand,
  simulateCommand,
  hardwareCommand,
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

async function main(args: readonly string[]): Promise<number> {
  const [verb, ...rest] = args;
  if (verb === undefined || verb === '--help' || verb === 'help') {
    console.log(overview());
    return 0;
  }
  const command = commands.find(({ name }) => name === verb);
  if (!command)
    throw new InputError(`unknown verb '${verb}'; known are ${commands.map(({ name }) => name).join(', ')}`);
  const { words, options } = parseCommandLine(command, rest);
  if (options.help) {
    console.log(helpText(command));
    return 0;
  }
  const progress = terminalProgress();
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => {
      stop.abort();
      // A second signal ends the process at once, as does one to a verb that does not watch for it.
      process.once(signal, () => process.exit(130));
    });
  try {
    const result = await command.run(words, options, {
      onProgress: progress,
      signal: stop.signal,
      note: (line) => {
        progress.end();
        console.error(line);
      },
    });
    progress.end();
    if (options.json) console.log(JSON.stringify(result.data));
    else if (result.text) console.log(result.text);
    return result.exitCode ?? 0;
  } finally {
    progress.end();
  }
}

main(process.argv.slice(2)).then(
  (status) => {
    process.exitCode = status;
  },
  (error) => {
    console.error(error instanceof InputError ? `cim-pruning: ${error.message}` : error);
    process.exitCode = 1;
  },
);
