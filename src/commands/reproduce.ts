import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { InputError } from '../errors';
import { runSmoke } from '../experiments/run-smoke';
import { toText } from '../reports/to-text';
import { type Command, textOption } from './command';
import { packageFile } from './run-script';

export const reproduceCommand: Command = {
  name: 'reproduce',
  usage: '[--profile smoke] [--data DIR]',
  summary:
    'Runs every experiment of a profile, writes its figures and tables, executes its notebooks, and compares what was\nexpected with what came out. smoke: minutes, post-training pruning of ResNet-20.',
  options: {
    profile: { value: 'NAME', help: 'smoke (the only one so far)' },
    data: {
      value: 'DIR',
      help: 'folder of CIFAR10 (default: CIM_PRUNING_DATA, then data/, then the official download)',
    },
    model: { value: 'MODEL', help: 'the float network to prune (default: resnet20-cifar10)' },
    fresh: { help: 'compute everything again instead of going on from an earlier run' },
    'no-notebook': { help: 'leave the notebook alone' },
  },
  words: [0, 0],
  async run(_words, options, { onProgress, note }) {
    const profile = textOption(options, 'profile') ?? 'smoke';
    if (profile !== 'smoke') throw new InputError(`--profile ${profile}: allowed is smoke`);
    const notebook = packageFile('notebooks', '00-quickstart.ipynb');
    const outcome = await runSmoke({
      dataDir: textOption(options, 'data'),
      model: textOption(options, 'model'),
      folder: packageFile('runs', 'smoke'),
      figures: packageFile('figures'),
      fresh: options.fresh === true,
      notebook: options['no-notebook'] !== true && existsSync(notebook) ? notebook : undefined,
      onProgress,
      note,
    });
    const { result, tables, verdict, files } = outcome;
    return {
      data: { result, verdict: verdict.results, files },
      text: [
        ...tables.map((table) => toText(table)),
        toText(verdict.table),
        `${verdict.summary}; figures and tables in ${join('figures', '')}`,
      ].join('\n\n'),
      exitCode: verdict.exitStatus,
    };
  },
};
