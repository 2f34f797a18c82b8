import type { Command } from './command';
import { packageFile, runProgram } from './run-script';

export const setupCommand: Command = {
  name: 'setup',
  usage: '',
  summary:
    'Finds or installs packages, the native TensorFlow engine, the Python environment for Jupyter and a browser for pictures.',
  options: {},
  words: [0, 0],
  async run() {
    const exitCode = await runProgram(process.execPath, [packageFile('src', 'setup', 'setup.mjs')]);
    return { data: { ready: exitCode === 0 }, text: '', exitCode };
  },
};
