import { dirname, join } from 'node:path';
import { notebookPython } from '../kernel/run-notebook';
import { type Command, wholeNumber } from './command';
import { packageFile, runProgram } from './run-script';

export const labCommand: Command = {
  name: 'lab',
  usage: '[--port N]',
  summary: 'Starts JupyterLab with the TypeScript kernel in notebooks/.',
  options: { port: { value: 'N', help: '(default: the first free one from 8888)' } },
  words: [0, 0],
  async run(_words, options) {
    const port = wholeNumber(options, 'port', 1, 65535);
    const jupyter = join(dirname(notebookPython()), 'jupyter');
    const args = ['lab', '--notebook-dir', packageFile('notebooks')];
    if (port !== undefined) args.push('--port', String(port));
    // Jupyter refuses to serve as root unless told so; containers run as root.
    if (process.getuid?.() === 0) args.push('--allow-root');
    const exitCode = await runProgram(jupyter, args);
    return { data: { exitCode }, text: '', exitCode };
  },
};
