#!/usr/bin/env node
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { ROOT, setUpOrExit } from './setup.mjs';

// `npm start`: set-up, then `cim-pruning reproduce`, by default every experiment in its shortest form. What follows `--`
// goes to it.
const given = process.argv.slice(2);

await setUpOrExit();
const child = spawn(process.execPath, [join(ROOT, 'dist', 'cli.js'), 'reproduce', ...given], {
  cwd: ROOT,
  stdio: 'inherit',
});
// Ctrl-C reaches the child as well, which saves its work; this process ends when the child has.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => child.kill('SIGTERM'));
child.on('exit', (code) => process.exit(code ?? 1));
