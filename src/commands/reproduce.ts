import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { InputError } from '../errors';
import { runProjections } from '../experiments/run-projections';
import { runSmoke } from '../experiments/run-smoke';
import type { ExpectedVersusObtained } from '../reports/expected-versus-obtained';
import type { Table } from '../reports/table';
import { toText } from '../reports/to-text';
import { type Command, type CommandResult, textOption } from './command';
import { packageFile } from './run-script';

export const reproduceCommand: Command = {
  name: 'reproduce',
  usage: '[--profile smoke] [--data DIR] | --experiment projections',
  summary:
    'Runs every experiment of a profile, writes its figures and tables, executes its notebooks, and compares what was\nexpected with what came out. smoke: minutes, post-training pruning of ResNet-20. Or one experiment by name: projections (minutes), their errors and\ncertified gaps on synthetic columns, and row orders.',
  options: {
    profile: { value: 'NAME', help: 'smoke (the only one so far)' },
    experiment: { value: 'NAME', help: 'projections: this experiment alone' },
    data: {
      value: 'DIR',
      help: 'folder of CIFAR10 (default: CIM_PRUNING_DATA, then data/, then the official download)',
    },
    model: {
      value: 'MODEL',
      help: 'the float network to prune (default: resnet20-cifar10); projections: one more network',
    },
    fresh: { help: 'compute everything again instead of going on from an earlier run' },
    'no-notebook': { help: 'leave the notebook alone' },
  },
  words: [0, 0],
  async run(_words, options, { onProgress, note }) {
    const profile = textOption(options, 'profile') ?? 'smoke';
    if (profile !== 'smoke') throw new InputError(`--profile ${profile}: allowed is smoke`);
    const experiment = textOption(options, 'experiment') ?? profile;
    const model = textOption(options, 'model');
    const common = (notebook: string, folder: string) => ({
      folder: packageFile('runs', folder),
      figures: packageFile('figures'),
      fresh: options.fresh === true,
      notebook:
        options['no-notebook'] !== true && existsSync(packageFile('notebooks', notebook))
          ? packageFile('notebooks', notebook)
          : undefined,
      onProgress,
      note,
    });
    if (experiment === 'smoke') {
      const dataDir = textOption(options, 'data');
      return report(await runSmoke({ ...common('00-quickstart.ipynb', 'smoke'), dataDir, model }));
    }
    if (experiment !== 'projections')
      throw new InputError(`--experiment ${experiment}: allowed is projections`);
    const models = model === undefined ? [] : [model];
    return report(await runProjections({ ...common('01-projections.ipynb', 'projections'), models }));
  },
};

interface Outcome {
  readonly result: unknown;
  readonly tables: readonly Table[];
  readonly verdict: ExpectedVersusObtained;
  readonly files: readonly string[];
}

function report({ result, tables, verdict, files }: Outcome): CommandResult {
  return {
    data: { result, verdict: verdict.results, files },
    text: [
      ...tables.map((table) => toText(table)),
      toText(verdict.table),
      `${verdict.summary}; figures and tables in ${join('figures', '')}`,
    ].join('\n\n'),
    exitCode: verdict.exitStatus,
  };
}
